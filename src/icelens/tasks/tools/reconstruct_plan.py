"""What goes into a reconstruction: which images, in which half and with which weight; the grid."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from icelens.core.data.half_sets import half_set_rows
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.events import OnEvent
from icelens.core.fourier.frequencies import shell_of_resolution
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.io.particle_files import read_particles
from icelens.tasks.tools.reconstruct_jobs import ReconstructConfig

Rows = npt.NDArray[np.int64]

MOST_WEIGHT = 1.5
"""Scores beyond it say no more than that a pose is right."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A reconstruction, ready to be shared among processes.

    Attributes:
        particles: All images, with their weights.
        sets: Rows of each map that is made: both half sets, or all images.
        box_size: Of the map, in px.
        pixel_size: Of the map, in Å/px.
        max_radius: Of what is inserted, in cycles per box of the map.
        padding: Of the grid.
        is_ctf_used: Whether to correct for the CTF.
        device: Where to compute.
        threads: Of each process; 0 leaves torch's own choice.
    """

    particles: Particles
    sets: tuple[Rows, ...]
    box_size: int
    pixel_size: float
    max_radius: int
    padding: int
    is_ctf_used: bool
    device: str
    threads: int


def make_plan(config: ReconstructConfig, device: str, on_event: OnEvent) -> Plan:
    """Read the particles and settle everything that does not need their images.

    Raises:
        InputFileError: If a file cannot be read.
        MetadataError: If poses, a half set, the symmetry or the weights are missing.
        GeometryError: If the resolution does not fit the map.
    """
    symmetry_operators(config.symmetry)
    file = read_particles(
        config.particles,
        stack_root=config.stack_root,
        skip_missing=config.skip_missing,
        need_poses=True,
        on_event=on_event,
    )
    particles = file.particles
    if config.weight_column is not None:
        weight = particles.weight * column_weights(file, config.weight_column)
        particles = replace(particles, weight=weight)
    if not (particles.weight > 0).any():
        raise MetadataError(
            f"{file.path}: none of {len(particles)} images has a weight above 0, expected some; "
            "leave out --weight-column or choose another"
        )
    box_size, pixel_size = map_grid(particles, config.box_size, config.pixel_size)
    max_radius = box_size // 2
    if config.max_resolution is not None:
        shape = (box_size, box_size, box_size)
        max_radius = shell_of_resolution(config.max_resolution, shape, pixel_size=pixel_size)
    if max_radius < 1:
        raise GeometryError(
            f"--max-resolution is {config.max_resolution:g} Å, expected less than the map's side, "
            f"{box_size * pixel_size:g} Å"
        )
    sets: tuple[Rows, ...] = (np.arange(len(particles)),)
    if config.halves:
        halves = half_set_rows(particles, file.path, seed=config.seed, on_event=on_event)
        sets = tuple(halves.values())
    return Plan(
        particles,
        sets,
        box_size,
        pixel_size,
        max_radius,
        config.padding,
        config.ctf,
        device,
        config.threads,
    )


def map_grid(
    particles: Particles, box_size: int | None, pixel_size: float | None
) -> tuple[int, float]:
    """Box and pixel size of the map: as asked for, else those of the most images."""
    group = particles.optics[np.bincount(particles.optics_index).argmax()]
    size = pixel_size or group.pixel_size
    # even boxes, as other programs like them, unless nothing is resampled
    box = (
        group.box_size
        if pixel_size is None
        else 2 * round(group.box_size * group.pixel_size / size / 2)
    )
    return box_size or max(8, box), size


def column_weights(file: ParticleFile, column: str) -> npt.NDArray[np.float64]:
    """Values of a column for each image, from 0 to 1.5.

    Raises:
        MetadataError: If there is no such column, or it does not hold finite numbers.
    """
    values, names = _column(file, column)
    if values is None:
        raise MetadataError(
            f"{file.path}: has no column {column}, expected one of {', '.join(names)}"
        )
    try:
        numbers = np.asarray(values, np.float64)
    except ValueError as error:
        raise MetadataError(
            f"{file.path}: column {column} holds text, expected numbers; choose another column"
        ) from error
    if not np.isfinite(numbers).all():
        raise MetadataError(
            f"{file.path}: column {column} has {int((~np.isfinite(numbers)).sum())} values that "
            "are not finite, expected numbers; correct them"
        )
    weights: npt.NDArray[np.float64] = numbers[file.table_row].clip(0.0, MOST_WEIGHT)
    return weights


def _column(file: ParticleFile, column: str) -> tuple[npt.ArrayLike | None, list[str]]:
    """Values in the table's rows, if there is such a column, and the names of all columns."""
    if file.records is not None:
        names = list(file.records.dtype.names or ())
        return (file.records[column] if column in names else None), names
    longest = max(file.blocks.values(), key=len)
    names = [str(name).removeprefix("_") for name in longest.columns]
    wanted = column.removeprefix("_")
    return (longest.iloc[:, names.index(wanted)].to_numpy() if wanted in names else None), names
