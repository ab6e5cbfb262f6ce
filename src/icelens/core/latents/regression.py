"""A smooth function from latents to other coordinates, learnt from samples and tested on others.

Kernel ridge regression with a Gaussian kernel between the samples and a few hundred landmarks
(subset of regressors): one linear solve, no training to watch, and the same answer each time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh
from scipy.spatial.distance import cdist

from icelens.core.errors import GeometryError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_LANDMARKS = 500
_HELD_OUT = 0.25
"""Share of the samples that only judge."""
_FOLDS = 4
"""Parts of the others that choose width and ridge by turns."""
_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Of the kernel, in medians of the distance between landmarks."""
_RIDGES = (1e-8, 1e-6, 1e-4, 1e-2, 1.0, 1e2, 1e4)
_SAME = 0.01
"""Relative difference of errors that means nothing."""
_AT_ONCE = 20_000
_FEWEST = 8


@dataclass(frozen=True, eq=False)
class LatentRegression:
    """A function of latents.

    Attributes:
        middle: `(latent_dim,)` subtracted from latents.
        scale: `(latent_dim,)` by which they are divided.
        landmark: `(landmark, latent_dim)`, scaled.
        width: Of the kernel, in scaled units.
        offset: `(target,)` added to the answer.
        coefficient: `(landmark, target)`.
        score: `(target,)` share of the variance that is explained in samples that were held out
            (coefficient of determination); 1 is perfect, 0 no better than the mean.
    """

    middle: Floats
    scale: Floats
    landmark: Floats
    width: float
    offset: Floats
    coefficient: Floats
    score: Floats

    def __call__(self, latent: Floats) -> Floats:
        """Values `(particle, target)` at latents `(particle, latent_dim)`."""
        answer = np.empty((len(latent), self.coefficient.shape[1]))
        for part in _parts(len(latent)):
            kernel = _kernel((latent[part] - self.middle) / self.scale, self.landmark, self.width)
            answer[part] = kernel @ self.coefficient + self.offset
        return answer


def fit_latent_regression(latent: Floats, target: Floats, *, seed: int) -> LatentRegression:
    """Learn `target` as a function of `latent`.

    Three quarters of the samples choose width and ridge and make the score on the last quarter;
    the function that is returned is fitted to all of them with that choice.

    Args:
        latent: `(sample, latent_dim)`.
        target: `(sample, target)`.
        seed: Parts the samples.

    Raises:
        GeometryError: If there are fewer than eight samples, or they are not finite.

    References:
        Saunders, Gammerman & Vovk, ICML 1998 (kernel ridge regression); Rasmussen & Williams,
        Gaussian Processes for Machine Learning (2006), eq. 8.14 (subset of regressors).
    """
    if len(latent) < _FEWEST or not (np.isfinite(latent).all() and np.isfinite(target).all()):
        raise GeometryError(
            f"{len(latent)} samples to learn from, expected {_FEWEST} or more and all finite"
        )
    middle, scale = latent.mean(axis=0), latent.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    x = (latent - middle) / scale
    order = np.random.default_rng(seed).permutation(len(x))
    num_held = max(2, round(_HELD_OUT * len(x)))
    held, rest = order[:num_held], order[num_held:]
    landmark = x[rest[:_LANDMARKS]]
    width, ridge = _choice(x[rest], target[rest], landmark)
    judged = _fitted(x[rest], target[rest], landmark, width, [ridge])[0]
    score = _score(_answer(x[held], landmark, width, judged), target[held])
    offset, coefficient = _fitted(x, target, landmark, width, [ridge])[0]
    return LatentRegression(middle, scale, landmark, width, offset, coefficient, score)


def _choice(x: Floats, target: Floats, landmark: Floats) -> tuple[float, float]:
    """The width and ridge with the least error on samples that were not fitted (by turns)."""
    pairs = cdist(landmark, landmark)
    positive = pairs[pairs > 0]
    unit = float(np.median(positive)) if len(positive) else 1.0
    # components of little variance must not drown in those of much, nor rule
    weight = np.maximum(target.var(axis=0), np.finfo(np.float64).tiny)
    turn = np.arange(len(x)) % _FOLDS
    loss = np.zeros((len(_WIDTHS), len(_RIDGES)))
    for place, factor in enumerate(_WIDTHS):
        for fold in range(_FOLDS):
            kept, left = turn != fold, turn == fold
            models = _fitted(x[kept], target[kept], landmark, factor * unit, _RIDGES)
            for number, model in enumerate(models):
                error = _answer(x[left], landmark, factor * unit, model) - target[left]
                loss[place, number] += float(np.sqrt((error**2).mean(axis=0) / weight).mean())
    # of equal losses the smoothest: the widest kernel, the largest ridge
    good = np.argwhere(loss <= loss.min() * (1.0 + _SAME))
    best = good[np.lexsort((good[:, 0], good[:, 1]))[-1]]
    return _WIDTHS[best[0]] * unit, _RIDGES[best[1]]


def _fitted(
    x: Floats, target: Floats, landmark: Floats, width: float, ridges: Sequence[float]
) -> list[tuple[Floats, Floats]]:
    """Offset and coefficients for each ridge, from one decomposition."""
    offset = target.mean(axis=0)
    own = _kernel(landmark, landmark, width)
    values, vectors = eigh(own)
    kept = values > 1e-10 * values[-1]
    # features in which the ridge is plain: K_nm K_mm^(-1/2)
    whitening = vectors[:, kept] / np.sqrt(values[kept])
    square = np.zeros((int(kept.sum()),) * 2)
    product = np.zeros((int(kept.sum()), target.shape[1]))
    for part in _parts(len(x)):
        features = _kernel(x[part], landmark, width) @ whitening
        square += features.T @ features
        product += features.T @ (target[part] - offset)
    spread, axes = eigh(square)
    turned = axes.T @ product
    return [
        (offset, whitening @ (axes @ (turned / (np.maximum(spread, 0.0) + ridge)[:, None])))
        for ridge in ridges
    ]


def _answer(x: Floats, landmark: Floats, width: float, model: tuple[Floats, Floats]) -> Floats:
    answer: Floats = _kernel(x, landmark, width) @ model[1] + model[0]
    return answer


def _score(answer: Floats, truth: Floats) -> Floats:
    """Coefficient of determination of each column; 0 where nothing varies."""
    total = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    rest = ((answer - truth) ** 2).sum(axis=0)
    return np.where(total > 0, 1.0 - rest / np.where(total > 0, total, 1.0), 0.0)


def _kernel(x: Floats, landmark: Floats, width: float) -> Floats:
    kernel: Floats = np.exp(-0.5 / width**2 * cdist(x, landmark, "sqeuclidean"))
    return kernel


def _parts(count: int) -> Iterator[slice]:
    for start in range(0, count, _AT_ONCE):
        yield slice(start, min(start + _AT_ONCE, count))
