"""Groups of particles as a mixture of Gaussians, as many as the latents ask for."""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from icelens.core.latents.clusters import similar_order
from icelens.core.latents.principal_components import principal_components

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_MOST_TO_LEARN_FROM = 20_000
_CHUNK = 100_000
_BEGINNINGS = 3
"""First guesses, of which the likeliest fit is kept."""
_PATIENCE = 2
"""Numbers of Gaussians in a row that may be worse than the best before the search ends."""
_LEAST_WIDTH = 1e-3
"""Least standard deviation of a Gaussian relative to all latents: none shrinks onto duplicates."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of Gaussians and where each particle belongs in it.

    Attributes:
        label: `(particle,)` number of the Gaussian it most likely belongs to, from 1.
        probability: `(particle,)` that it does.
        centre: `(group, latent_dim)` means.
        weight: `(group,)` share of each.
        bic: Bayesian information criterion by the number of Gaussians tried; less is better.
    """

    label: Integers
    probability: Floats
    centre: Floats
    weight: Floats
    bic: dict[int, float]

    def __len__(self) -> int:
        """Number of Gaussians."""
        return len(self.centre)


def gaussian_mixture(latent: Floats, *, most: int = 10, seed: int = 0) -> Mixture:
    """Fit 1, 2, ... Gaussians and keep the number with the least Bayesian information criterion.

    Args:
        latent: `(particle, latent_dim)`, finite.
        most: Gaussians to try.
        seed: Of the draw and of the first centres.

    References:
        Schwarz, Annals of Statistics 6, 461 (1978).
    """
    components = principal_components(latent)
    width = np.sqrt(components.variance)
    size = float(width.max())
    if size <= 0:
        return Mixture(
            np.ones(len(latent), np.int64), np.ones(len(latent)), latent[:1].copy(),
            np.ones(1), {1: 0.0},
        )  # fmt: skip
    # directions without variance cannot tell groups apart and would make covariances singular
    varied = width > 1e-6 * size
    points = components.coordinates(latent)[:, varied] / size
    model, tried = _best(_drawn(points, seed), most, seed)
    order = similar_order(model.means_)
    label, probability = _assigned(model, points, order)
    scaled = np.zeros((len(order), len(width)))
    scaled[:, varied] = model.means_[order] * size
    return Mixture(label, probability, components.latents(scaled), model.weights_[order], tried)


def _drawn(points: Floats, seed: int) -> Floats:
    if len(points) <= _MOST_TO_LEARN_FROM:
        return points
    chosen = np.random.default_rng(seed).choice(len(points), _MOST_TO_LEARN_FROM, replace=False)
    return points[np.sort(chosen)]


def _best(points: Floats, most: int, seed: int) -> tuple[GaussianMixture, dict[int, float]]:
    tried: dict[int, float] = {}
    best: GaussianMixture | None = None
    # a Gaussian has about d^2 / 2 numbers, which fewer particles than dimensions cannot tell
    most = min(most, max(1, len(points) // (points.shape[1] + 1)))
    for count in range(1, most + 1):
        model = GaussianMixture(
            count, n_init=_BEGINNINGS, reg_covar=_LEAST_WIDTH**2, random_state=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            # scikit-learn divides by an empty group's weight on latents with many duplicates
            warnings.simplefilter("ignore", RuntimeWarning)
            model.fit(points if len(points) > 1 else np.repeat(points, 2, axis=0))
        tried[count] = float(model.bic(points))
        if best is None or tried[count] < min(tried[other] for other in tried if other != count):
            best = model
        elif count - min(tried, key=lambda number: tried[number]) >= _PATIENCE:
            break
    assert best is not None, "one Gaussian is always tried"
    return best, tried


def _assigned(model: GaussianMixture, points: Floats, order: Integers) -> tuple[Integers, Floats]:
    label = np.empty(len(points), np.int64)
    probability = np.empty(len(points))
    for start in range(0, len(points), _CHUNK):
        part = slice(start, start + _CHUNK)
        shares = model.predict_proba(points[part])[:, order]
        label[part] = shares.argmax(axis=1) + 1
        probability[part] = shares.max(axis=1)
    return label, probability
