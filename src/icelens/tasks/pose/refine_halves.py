"""Half sets, the maps that are reconstructed from them between rounds, and their files."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.half_sets import half_set_rows
from icelens.core.data.particles import Particles
from icelens.core.events import Message, OnEvent, Progress
from icelens.core.fourier.filters import apply_filter
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.particle_sums import insert_particles
from icelens.core.fourier.wiener import HalfMaps, reconstruct_halves
from icelens.core.optics.correction import radial
from icelens.core.optics.image_source import ImageSource
from icelens.core.refinement.reference import masked_reference
from icelens.tasks.pose.maps import save_halves
from icelens.tasks.pose.refine_reference import Reference
from icelens.tasks.pose.refine_settings import RefineConfig

Integers = npt.NDArray[np.int64]


def half_sets(config: RefineConfig, particles: Particles, on_event: OnEvent) -> dict[int, Integers]:
    """Rows of the half sets 1 and 2, or of all images under the number 0.

    Raises:
        MetadataError: If one of the sets would be empty.
    """
    if not config.halves:
        return {0: np.arange(len(particles))}
    return half_set_rows(particles, config.particles[0], seed=config.seed, on_event=on_event)


def reconstructed_halves(
    config: RefineConfig, source: ImageSource, sets: dict[int, Integers], on_event: OnEvent
) -> tuple[HalfMaps, float]:
    """Maps of both half sets at the poses of the source's particles, and their Å/px.

    They have the box and pixel size of the first image; images of others are brought to it in
    Fourier space. Half sets never meet but in their correlation.
    """
    particles = source.particles
    group = particles.optics[particles.optics_index[0]]
    sums = {
        half: _inserted(source, rows, group.box_size, group.pixel_size, f"map {half}", on_event)
        for half, rows in sets.items()
    }
    mask = None
    if config.mask_diameter is not None:
        whole = torch.ones((group.box_size,) * 3, device=source.device)
        mask = masked_reference(whole, config.mask_diameter / group.pixel_size)
    maps = reconstruct_halves(
        sums[1], sums[2], symmetry=config.symmetry, pixel_size=group.pixel_size, mask=mask
    )
    on_event(Message(f"The half maps agree to {maps.resolution:.2f} Å (FSC 0.143)"))
    return maps, group.pixel_size


def _inserted(
    source: ImageSource,
    rows: Integers,
    box_size: int,
    pixel_size: float,
    stage: str,
    on_event: OnEvent,
) -> SliceSums:
    sums = SliceSums(box_size, device=source.device)
    insert_particles(
        sums,
        source,
        rows,
        pixel_size=pixel_size,
        on_done=lambda done: on_event(Progress(stage, done, len(rows), "particle image")),
    )
    return sums


def references_from(maps: HalfMaps, pixel_size: float) -> dict[int, Reference]:
    """The next round's references: each half map, weighted by how far it may be trusted.

    The Fourier shell correlation of half maps is the Wiener weight of either of them.
    """
    references = {}
    for half, density in ((1, maps.half_1), (2, maps.half_2)):
        weight = maps.fsc.correlation.nan_to_num(nan=0.0).clamp(0.0, 1.0).to(density)
        shape = (density.shape[0], density.shape[1], density.shape[2])
        weighted = apply_filter(density, radial(weight, shape)).cpu()
        references[half] = Reference(weighted, pixel_size, maps.resolution, is_made_here=True)
    return references


def write_halves(output: Path, maps: HalfMaps, pixel_size: float, on_event: OnEvent) -> None:
    """Write both half maps, the map of all images and the correlation, named after `output`."""
    save_halves(output.parent, f"{output.stem}_", maps, pixel_size, on_event)
