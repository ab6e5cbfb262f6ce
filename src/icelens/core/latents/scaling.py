"""One measure of distance between latents, for all that asks what lies near what."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from icelens.core.latents.density import typical_neighbours

Floats = npt.NDArray[np.float64]

_FLOOR = 1e-8
"""Least variance of a direction relative to the greatest: keeps flat directions finite."""
_ASKED = 2000
_COUNTED = 50_000


@dataclass(frozen=True, eq=False)
class LatentScaling:
    """Takes latents to a space where a step of 1 in any direction means as much.

    Attributes:
        mean: `(latent_dim,)`.
        matrix: `(latent_dim, latent_dim)`, symmetric, applied from the right.
    """

    mean: Floats
    matrix: Floats

    def __call__(self, latent: Floats) -> Floats:
        """Scaled latents `(point, latent_dim)`."""
        return np.asarray((latent - self.mean) @ self.matrix)

    def inverse(self, scaled: Floats) -> Floats:
        """Latents `(point, latent_dim)` of scaled ones."""
        return np.asarray(self.mean + scaled @ np.linalg.inv(self.matrix))


def latent_scaling(
    latent: Floats, deviation: Floats | None = None, *, seed: int = 0
) -> LatentScaling:
    """Scale by how neighbours differ, plus the mean square of the latents' own uncertainty.

    The covariance is that of particles about their neighbours, averaged over the particles. That of
    all particles would be the wrong one: where they lie in two groups it holds the gap, and scaled
    by it the gap is no longer than a group is wide. The uncertainty makes directions that a model
    does not use, in which posteriors stay as wide as the prior, count next to nothing.

    Args:
        latent: `(particle, latent_dim)`, finite.
        deviation: `(particle, latent_dim)` posterior standard deviations; rows that hold nan are
            left out, all may.
        seed: Of the draw of particles that are asked, where there are very many.
    """
    mean = latent.mean(axis=0)
    spread = _covariance_of_neighbours(latent, np.random.default_rng(seed))
    if deviation is not None:
        known = deviation[np.isfinite(deviation).all(axis=1)]
        if len(known):
            spread = spread + np.diag((known**2).mean(axis=0))
    variance, axes = np.linalg.eigh(spread)
    greatest = float(variance.max())
    if greatest <= 0:
        return LatentScaling(mean, np.eye(len(mean)))
    weight = 1.0 / np.sqrt(np.maximum(variance, _FLOOR * greatest))
    return LatentScaling(mean, (axes * weight) @ axes.T)


def _covariance_of_neighbours(latent: Floats, rng: np.random.Generator) -> Floats:
    """Mean shape and median size of the covariances of particles' neighbours about them.

    Shapes are averaged, each of trace 1, or the loneliest particles would outweigh all others.
    """
    counted, asked = latent, latent
    if len(latent) > _COUNTED:
        counted = latent[rng.choice(len(latent), _COUNTED, replace=False)]
    if len(latent) > _ASKED:
        asked = latent[rng.choice(len(latent), _ASKED, replace=False)]
    count = min(typical_neighbours(len(counted)) + 1, len(counted))
    _, place = cKDTree(counted).query(asked, k=np.arange(1, count + 1))
    apart = counted[place] - asked[:, None]
    local = np.einsum("pni,pnj->pij", apart, apart) / count
    size = np.trace(local, axis1=1, axis2=2)
    differs = size > 0
    if not differs.any():  # each has equals: the groups they form are all there is to tell apart
        centred = latent - latent.mean(axis=0)
        return np.asarray(centred.T @ centred / len(latent))
    shape = (local[differs] / size[differs, None, None]).mean(axis=0)
    return np.asarray(shape * np.median(size[differs]))
