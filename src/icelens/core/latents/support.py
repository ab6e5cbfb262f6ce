"""How many particles stand behind a latent: the measure that every generated volume carries.

A decoder answers for any latent, also where no particle lies. With r the distance within which a
typical particle has its k nearest others, a latent's support is the number of particles within r of
it. Distances are scaled (`scaling.py`) by how much particles differ and by how well each is known.

* `extrapolated`: farther from any particle than 99 % of the particles are from their own k-th
  neighbour, or than 2 r: junk far away from everything may be more than the last percent. No image
  looks like this; its volume is imagined.
* `sparse`: no particle within r, or its k-th neighbour is farther than that of 95 % of the
  particles. Few images say so.
* `supported`: all others.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from icelens.core.data.latents import LatentTable
from icelens.core.errors import MetadataError
from icelens.core.latents.checked import checked_latents
from icelens.core.latents.density import typical_neighbours
from icelens.core.latents.scaling import LatentScaling, latent_scaling

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SUPPORTED, SPARSE, EXTRAPOLATED = "supported", "sparse", "extrapolated"
_SPARSE_PERCENTILE = 5.0
_EXTRAPOLATED_PERCENTILE = 99.0
_MOST_RADII = 2.0
_TYPICAL = 2000
"""Particles, drawn at random, whose neighbours say what is typical."""


@dataclass(frozen=True, eq=False)
class Support:
    """Support of some latents, `(state,)` each.

    Attributes:
        num_near: Particles within the distance that holds the nearest `k` of a typical particle.
        density_percentile: Share of the particles, in percent, about which it is no denser.
        flag: `supported`, `sparse` or `extrapolated`.
        nearest: Place of the nearest particle in the table.
    """

    num_near: Integers
    density_percentile: Floats
    flag: tuple[str, ...]
    nearest: Integers

    def __len__(self) -> int:
        """Number of latents."""
        return len(self.flag)


@dataclass(frozen=True, eq=False)
class SupportMeasure:
    """What the support of a latent is measured with, made once for a table.

    Attributes:
        scaling: Takes latents to where distances mean something.
        tree: Of the scaled latents of all particles.
        neighbours: k.
        typical: Distances of particles drawn at random to their k-th others, sorted.
    """

    scaling: LatentScaling
    tree: cKDTree
    neighbours: int
    typical: Floats

    @property
    def radius(self) -> float:
        """Distance within which a typical particle has its k nearest others."""
        return float(np.median(self.typical))

    def of(self, latent: npt.ArrayLike) -> Support:
        """Support of latents `(state, latent_dim)`.

        Raises:
            MetadataError: If they have another dimension or are not finite.
        """
        values = checked_latents(latent, "support")
        dimension = len(self.scaling.mean)
        if values.shape[1] != dimension:
            raise MetadataError(
                f"support: latents have {values.shape[1]} dimensions, expected {dimension} as the "
                "particles have; take latents of the same run"
            )
        points = self.scaling(values)
        last = min(self.neighbours, self.tree.n)
        distance, place = self.tree.query(points, k=[1, last])
        near = self.tree.query_ball_point(points, self.radius * (1 + 1e-9), return_length=True)
        # rank among the typical: those whose own k-th neighbour is at least as far
        first = np.searchsorted(self.typical, distance[:, 1] * (1 - 1e-9))
        percentile = 100.0 * (1.0 - first / len(self.typical))
        far = float(np.percentile(self.typical, _EXTRAPOLATED_PERCENTILE))
        is_far = distance[:, 0] > min(far, _MOST_RADII * self.radius) * (1 + 1e-9)
        is_rare = (percentile < _SPARSE_PERCENTILE) | (near == 0)
        flags = np.where(is_far, EXTRAPOLATED, np.where(is_rare, SPARSE, SUPPORTED))
        return Support(
            np.asarray(near, np.int64), percentile, tuple(map(str, flags)),
            np.asarray(place[:, 0], np.int64),
        )  # fmt: skip


def support_measure(table: LatentTable, *, seed: int = 0) -> SupportMeasure:
    """Find out what is typical of the particles of a table.

    Args:
        table: Latents of all particles.
        seed: Of the draw of typical particles.

    Raises:
        MetadataError: If latents are not finite or there are none.
    """
    latent = checked_latents(table.latent, "support")
    scaling = latent_scaling(latent, table.deviation)
    points = scaling(latent)
    tree = cKDTree(points)
    count = typical_neighbours(len(points))
    drawn = np.arange(len(points))
    if len(points) > _TYPICAL:
        drawn = np.sort(np.random.default_rng(seed).choice(len(points), _TYPICAL, replace=False))
    # one more: a particle is its own nearest
    typical = tree.query(points[drawn], k=[min(count + 1, len(points))])[0][:, 0]
    return SupportMeasure(scaling, tree, count, np.sort(typical))


def support_of(latent: npt.ArrayLike, table: LatentTable, *, seed: int = 0) -> Support:
    """Support of latents `(state, latent_dim)` among the particles of a table.

    For many calls make a `support_measure` once.

    Raises:
        MetadataError: If latents are of another dimension or not finite.
    """
    return support_measure(table, seed=seed).of(latent)
