"""One exact pass: every particle compared with a map on all rotations, then finer and finer."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.wiener import HalfMaps, reconstruct_halves
from icelens.core.geometry.so3_grid import grid_step
from icelens.core.pose_search.grid_search import RotationGrid
from icelens.core.pose_search.pose_candidates import PoseCandidates, subdivided
from icelens.core.pose_search.series_images import SeriesImages
from icelens.core.refinement.reference import slice_table
from icelens.tasks.hetero.abinitio.expected_sums import insert_expected
from icelens.tasks.hetero.abinitio.march import global_poses
from icelens.tasks.hetero.abinitio.search_images import SearchImages

Integers = npt.NDArray[np.int64]

_AT_ONCE = 200
_KEPT = (16, 12, 8, 6, 4)
"""Poses that are kept on the grid, and after each subdivision."""
_SHIFT_CELL = 0.25
"""Width of the first cells of shifts, of the finest wavelength that is compared."""


@dataclass(frozen=True, eq=False)
class FoundPoses:
    """The likeliest pose of each particle, in the frame of its least tilted image.

    Attributes:
        rotation: Takes the reference to that frame.
        shift_xyz: Centres the particle, in Å.
        score: Logarithm of the likelihood against noise alone.
    """

    rotation: Float[Tensor, "particle 3 3"]
    shift_xyz: Float[Tensor, "particle 3"]
    score: Float[Tensor, " particle"]


def search_pass(
    images: SearchImages,
    density: Float[Tensor, "n n n"],
    chosen: Integers,
    grid: RotationGrid,
    *,
    first_radius: int,
    last_radius: int,
    max_shift: float,
    sums: tuple[SliceSums, SliceSums] | None,
    on_done: Callable[[int], None],
) -> FoundPoses:
    """Find the poses of some particles, and insert these at their likeliest few.

    Args:
        images: All images.
        density: The reference.
        chosen: Which particles.
        grid: Rotations to begin with.
        first_radius: Finest shell on the grid.
        last_radius: Finest shell of the last subdivision.
        max_shift: In Å.
        sums: Of both half sets, to be added to; None to look at poses alone.
        on_done: Hears how many particles are done.
    """
    found = []
    for start in range(0, len(chosen), _AT_ONCE):
        part = chosen[start : start + _AT_ONCE]
        whole = images.series(part, radius=images.grid.radius)
        poses = _searched(images, whole, density, grid, (first_radius, last_radius), max_shift)
        if sums is not None:
            insert_expected(sums, whole, images.samples, poses, images.half_set_of(part))
        best = poses.best(1)
        found.append((best.rotation[:, 0], best.shift_xyz[:, 0], best.score[:, 0]))
        on_done(start + len(part))
    return FoundPoses(*(torch.cat(each) for each in zip(*found, strict=True)))


def _searched(
    images: SearchImages,
    whole: SeriesImages,
    density: Float[Tensor, "n n n"],
    grid: RotationGrid,
    radii: tuple[int, int],
    max_shift: float,
) -> PoseCandidates:
    first, last = radii
    count = images.samples.count
    poses = global_poses(
        density,
        whole.first(count(first)),
        grid,
        radius=first,
        max_shift=max_shift,
        keep=_KEPT[0],
        extent=images.extent,
    )
    table = slice_table(density, radius=last, padding=4, is_linear=False)
    rounds = len(_KEPT) - 1
    for number, keep in enumerate(_KEPT[1:], start=1):
        radius = first + round((last - first) * number / rounds)
        poses = subdivided(
            table,
            whole.first(count(radius)),
            poses,
            step=grid_step(grid.order) / 2 ** (number - 1),
            shift_step=_SHIFT_CELL * images.extent / first / 2 ** (number - 1),
            keep=keep,
        )
    return poses


def map_of(images: SearchImages, sums: tuple[SliceSums, SliceSums]) -> HalfMaps:
    """Half maps of what a pass inserted."""
    return reconstruct_halves(*sums, pixel_size=images.grid.pixel_size, mask=images.mask)
