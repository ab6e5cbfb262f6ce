"""Paths along ridges of density: between two latents by way of those that many particles have."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from icelens.core.latents.density import typical_neighbours
from icelens.core.latents.paths import evenly_spaced

Floats = npt.NDArray[np.float64]

_BEADS = 40
"""Points that the path is followed with, however many are wanted of it."""
_ROUNDS = 200
_SETTLED = 1e-3
"""Of a kernel's width: the path has come to rest when no bead moves farther."""
_REACH = 8
"""Neighbours that the density is felt from, in units of those that set the kernel's width."""


def ridge_path(points: Floats, start: Floats, count: int) -> Floats:
    """Pull a path onto the ridge of density, its ends held.

    Each bead goes where the mean shift of a Gaussian kernel takes it, but only at right angles to
    the path, and then beads are set at equal distances again. At rest the gradient of the density
    has no part across the path: it runs along a ridge, and goes over the lowest pass where valleys
    lie between. The plane of a ridge point is that across the path itself, not that of the smallest
    curvatures, so that beads neither part nor gather.

    Args:
        points: `(particle, dimension)`, scaled so that distances mean something.
        start: `(point, dimension)` first path; its ends stay. Best one that keeps to the particles.
        count: Points of the result.

    Returns:
        `(count, dimension)`.

    References:
        Ozertem & Erdogmus, JMLR 12, 1249 (2011); E, Ren & Vanden-Eijnden, J. Chem. Phys. 126,
        164103 (2007).
    """
    path = evenly_spaced(start, max(_BEADS, count))
    tree = cKDTree(points)
    near = typical_neighbours(len(points))
    felt = min(_REACH * near, len(points))
    for _ in range(_ROUNDS):
        distance, place = tree.query(path, k=np.arange(1, felt + 1))
        # a kernel as wide as where its typical neighbour lies: narrow in crowds, wide in deserts
        width = np.maximum(distance[:, min(near, felt) - 1], 1e-12)
        shift = _mean_shift(path, points[place], distance, width)
        moved = path + 0.5 * _across(path, shift)
        moved[0], moved[-1] = path[0], path[-1]
        moved = evenly_spaced(moved, len(path))
        step = float((np.linalg.norm(moved - path, axis=1) / width).max())
        path = moved
        if step < _SETTLED:
            break
    return evenly_spaced(path, count)


def _mean_shift(path: Floats, neighbours: Floats, distance: Floats, width: Floats) -> Floats:
    """Way of each bead to the weighted mean of the particles about it."""
    exponent = -0.5 * (distance / width[:, None]) ** 2
    weight = np.exp(exponent - exponent.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("bn,bnd->bd", weight, neighbours) - path)


def _across(path: Floats, shift: Floats) -> Floats:
    """The part of each shift at right angles to the path."""
    tangent = np.gradient(path, axis=0)
    length = np.linalg.norm(tangent, axis=1, keepdims=True)
    tangent = tangent / np.maximum(length, 1e-300)
    return np.asarray(shift - (shift * tangent).sum(axis=1, keepdims=True) * tangent)
