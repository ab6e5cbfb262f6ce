"""Refine poses in two halves that share nothing fine, from a coarse map that both begin with."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.particles import Particles
from icelens.core.fourier.filters import apply_filter
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.particle_sums import insert_particles
from icelens.core.fourier.wiener import HalfMaps, reconstruct_halves
from icelens.core.optics.correction import radial
from icelens.core.optics.image_source import ImageSource
from icelens.core.refinement.calibration import ImageGrid, grouped_rows, refiner_on
from icelens.core.refinement.pass_over import refine_rows
from icelens.core.refinement.pose_table import PoseTable
from icelens.core.refinement.reference import masked_reference
from icelens.core.refinement.refiner import Refiner
from icelens.core.refinement.refiner_settings import RefinerSettings
from icelens.core.volumes.to_box import to_box
from icelens.tasks.hetero.image_grid import Grid

Integers = npt.NDArray[np.int64]
Key = TypeVar("Key", bound=Hashable)

_RANGES = (8.0, 5.0, 4.0)
"""Degrees around the last round's pose."""
_STEPS = (2.5, 2.0, 1.5)
_MAX_SHIFT_PX = 2.0
"""Around the last round's shift."""


@dataclass(frozen=True, eq=False)
class Reference:
    """A map, how fine it may be used, and its sampling.

    Attributes:
        density: On the grey scale and with the sign of the images.
        pixel_size: In Å/px.
        resolution: Finest detail to compare, in Å.
    """

    density: Float[Tensor, "n n n"]
    pixel_size: float
    resolution: float


def refine_round(
    references: Mapping[Key, Reference],
    source: ImageSource,
    sets: Mapping[Key, Integers],
    *,
    number: int,
    mask_diameter: float,
    max_resolution: float | None,
    on_done: Callable[[int], None],
) -> Particles:
    """Refine every half set against its own reference.

    Args:
        references: By half set, or half set and state.
        source: The images at their present poses.
        sets: Rows that each is compared with.
        number: Of the round, from 0; later ones look less far and more finely.
        mask_diameter: Of the sphere of the references that counts, in Å.
        max_resolution: Finest detail that is compared in any case, in Å.
        on_done: Hears how many images are done.

    Returns:
        The particles with their new poses.
    """
    particles = source.particles
    poses = PoseTable.unrefined(particles, 1)
    done = 0
    for half, rows in sets.items():
        reference = references[half]
        settings = RefinerSettings(
            angular_range=_RANGES[min(number, len(_RANGES) - 1)],
            angular_step=_STEPS[min(number, len(_STEPS) - 1)],
            max_shift=_MAX_SHIFT_PX * reference.pixel_size,
            max_resolution=max(max_resolution or 0.0, reference.resolution),
            mask_diameter=mask_diameter,
        )
        refine_rows(
            refiners_for(reference, source, rows, settings),
            source,
            rows,
            poses,
            top_k=1,
            on_done=_counted_from(done, on_done),
        )
        done += len(rows)
    found = particles.with_poses(poses.rotation[:, 0], poses.shift_yx[:, 0])
    return with_unused(found, np.concatenate(list(sets.values())))


def refiners_for(
    reference: Reference, source: ImageSource, rows: Integers, settings: RefinerSettings
) -> dict[int, Refiner]:
    """A refiner for each optics group of some rows; groups on one grid share the reference."""
    groups = grouped_rows(source.particles, rows)
    grids = {group: ImageGrid.of(source.particles.optics[group]) for group in groups}
    refiners: dict[int, Refiner] = {}
    for grid in dict.fromkeys(grids.values()):
        density = to_box(
            reference.density.cpu(),
            pixel_size=reference.pixel_size,
            box_size=grid.box_size,
            new_pixel_size=grid.pixel_size,
        )
        refiners |= refiner_on(
            density,
            grid,
            source,
            {group: members for group, members in groups.items() if grids[group] == grid},
            settings,
            match_amplitudes=False,
        )
    return refiners


def with_unused(particles: Particles, used: Integers) -> Particles:
    """Give images of no weight the pose of their particle, which its other images tell."""
    is_used = np.zeros(len(particles), bool)
    is_used[used] = True
    if is_used.all():
        return particles
    rotation, shift = particles.rotation.copy(), particles.shift_yx.copy()
    first = {int(particles.particle[row]): row for row in used[::-1]}
    for row in np.flatnonzero(~is_used):
        known = first.get(int(particles.particle[row]))
        if known is not None:
            own = particles.stage[known].T @ particles.rotation[known]
            rotation[row] = particles.stage[row] @ own
    return replace(particles, rotation=rotation, shift_yx=shift)


def reconstruct(
    source: ImageSource,
    sets: dict[int, Integers],
    grid: Grid,
    mask_diameter: float,
    on_done: Callable[[int], None],
) -> HalfMaps:
    """Half maps at the poses of the source's particles; their correlation is within the mask."""
    sums = []
    done = 0
    for half in (1, 2):
        sums.append(SliceSums(grid.box_size, max_radius=grid.radius, device=source.device))
        insert_particles(
            sums[-1],
            source,
            sets[half],
            pixel_size=grid.pixel_size,
            on_done=_counted_from(done, on_done),
        )
        done += len(sets[half])
    whole = torch.ones((grid.box_size,) * 3, device=source.device)
    mask = masked_reference(whole, mask_diameter / grid.pixel_size)
    return reconstruct_halves(*sums, pixel_size=grid.pixel_size, mask=mask)


def _counted_from(before: int, on_done: Callable[[int], None]) -> Callable[[int], None]:
    return lambda count: on_done(before + count)


def next_references(halves: HalfMaps, pixel_size: float) -> dict[int, Reference]:
    """Each half map, weighed by how far it may be trusted.

    The Fourier shell correlation of half maps is the Wiener weight of either of them.
    """
    references = {}
    for half, density in ((1, halves.half_1), (2, halves.half_2)):
        weight = halves.fsc.correlation.nan_to_num(nan=0.0).clamp(0.0, 1.0).to(density)
        shape = (density.shape[0], density.shape[1], density.shape[2])
        weighted = apply_filter(density, radial(weight, shape))
        references[half] = Reference(weighted, pixel_size, halves.resolution)
    return references
