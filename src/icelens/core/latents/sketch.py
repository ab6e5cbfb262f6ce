"""A few particles that stand for all: centres of k-means, each moved to the particle next to it."""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning

from icelens.core.errors import GeometryError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_MANY = 50_000
"""Particles from which batches of them are clustered instead of all at a time."""
_BATCH = 8192
_ITERATIONS = 50


@dataclass(frozen=True, eq=False)
class Sketch:
    """Particles that stand for those around them.

    Attributes:
        place: `(point,)` the particle of each, ascending.
        nearest: `(particle,)` the point, from 0, that each particle is nearest to.
        count: `(point,)` particles that each stands for.
    """

    place: Integers
    nearest: Integers
    count: Integers

    def __len__(self) -> int:
        """Number of points."""
        return len(self.place)


def sketch_latents(latent: Floats, count: int, *, seed: int) -> Sketch:
    """Choose particles that cover all latents, more of them where particles are dense.

    Args:
        latent: `(particle, latent_dim)`.
        count: How many at most; fewer where particles are fewer, or coincide.
        seed: Same seed, same sketch.

    Raises:
        GeometryError: If there is no particle or no point.
    """
    if not len(latent) or count < 1:
        raise GeometryError(f"{count} points for {len(latent)} particles; both must be 1 or more")
    place = np.arange(len(latent)) if count >= len(latent) else _snapped(latent, count, seed)
    _, first = np.unique(latent[place], axis=0, return_index=True)
    place = np.sort(place[first])
    _, nearest = cKDTree(latent[place]).query(latent)
    nearest = np.asarray(nearest, np.int64)
    return Sketch(place, nearest, np.bincount(nearest, minlength=len(place)))


def _snapped(latent: Floats, count: int, seed: int) -> Integers:
    """Particles next to the centres of k-means."""
    settings = {"n_clusters": count, "n_init": 1, "max_iter": _ITERATIONS, "random_state": seed}
    method = (
        KMeans(**settings)
        if len(latent) <= _MANY
        else MiniBatchKMeans(**settings, batch_size=max(_BATCH, 2 * count))
    )
    with warnings.catch_warnings():
        # fewer distinct points than centres: some centres coincide, which is dealt with later
        warnings.simplefilter("ignore", ConvergenceWarning)
        centres = method.fit(latent).cluster_centers_
    _, place = cKDTree(latent).query(centres)
    return np.unique(np.asarray(place, np.int64))
