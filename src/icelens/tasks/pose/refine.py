"""Refine the poses of a particle file against a map, once or in turns with reconstruction."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Message, Progress, Saved
from icelens.core.fourier.wiener import HalfMaps
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.io.image_columns import HALF_SET
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.core.optics.image_source import ImageSource
from icelens.core.refinement.calibration import ImageGrid, grouped_rows, sample_of
from icelens.core.refinement.given_poses import agreement_with
from icelens.core.refinement.pass_over import refine_rows
from icelens.core.refinement.pose_table import PoseTable
from icelens.core.refinement.refiner_settings import RefinerSettings
from icelens.jobs.run import Run
from icelens.tasks.pose.maps import MAP_NAMES
from icelens.tasks.pose.refine_columns import columns_of
from icelens.tasks.pose.refine_halves import (
    half_sets,
    reconstructed_halves,
    references_from,
    write_halves,
)
from icelens.tasks.pose.refine_reference import Reference, first_references
from icelens.tasks.pose.refine_settings import RefineConfig
from icelens.tasks.pose.refiners import refiners_for
from icelens.training.device import choose_compute, use_threads

Integers = npt.NDArray[np.int64]

MASK_SHARE = 0.95
"""Of the box, where no mask is asked for; as in training."""

_MANY = 0.4
"""Share of poses at the end of their range that is more than a few lost ones."""
_COMPARED = 200
"""Images of an optics group of which it is asked whether they show the map."""


def refine_particles(config: RefineConfig, run: Run) -> Path:
    """Write the refined particles and, with halves, their maps; return the particle file.

    Raises:
        IcelensError: If settings, particles or map cannot be used; nothing is written then.
    """
    _check_settings(config)
    compute = choose_compute(config.device, threads=config.threads)
    use_threads(compute)
    file = read_particles(
        config.particles,
        stack_root=config.stack_root,
        tomograms=config.tomograms,
        skip_missing=config.skip_missing,
        need_poses=True,
        pixel_size=config.pixel_size,
        on_event=run.on_event,
    )
    if not len(file):
        raise MetadataError(f"{file.path}: there is no particle in it; expected one or more")
    reader = ImageReader(file.particles, on_event=run.on_event)
    if config.mask_diameter is None:
        config = config.model_copy(update={"mask_diameter": widest_mask(file.particles)})
    references = first_references(config, file.particles, run.on_event)
    sets = half_sets(config, file.particles, run.on_event)
    poses = PoseTable.unrefined(file.particles, config.top_k)
    maps: tuple[HalfMaps, float] | None = None
    for number in range(1, config.iterations + 1):
        current = file.particles.with_poses(poses.rotation[:, 0], poses.shift_yx[:, 0])
        source = ImageSource(current, reader, compute.device)
        for half, rows in sets.items():
            stage = f"round {number}" if half == 0 else f"round {number}, half {half}"
            if number == 1:
                _warn_of_disagreement(references[half], source, rows, run)
            _refine_set(config, references[half], source, rows, poses, stage, run)
        if config.halves:
            best = file.particles.with_poses(poses.rotation[:, 0], poses.shift_yx[:, 0])
            source = ImageSource(best, reader, compute.device)
            maps = reconstructed_halves(config, source, sets, run.on_event)
            references = references_from(*maps)
    _write(config, file, poses, sets, maps, run)
    return config.output


def widest_mask(particles: Particles) -> float:
    """Diameter in Å of a sphere that leaves the corners of every box to the noise.

    Without a mask the noise of a reconstructed reference counts as signal: poses become worse, and
    the widths that are stated for them too small.
    """
    extent = particles.pixel_size() * particles.box_size()
    return MASK_SHARE * float(extent.min())


def _check_settings(config: RefineConfig) -> None:
    if config.output.suffix.lower() not in {".star", ".cs"}:
        raise MetadataError(f"{config.output}: expected a name that ends in .star or .cs")
    stem = config.output.stem
    maps = [config.output.with_name(f"{stem}_{name}") for name in MAP_NAMES if config.halves]
    given = [path for path in (config.map, config.map_half_2) if path is not None]
    refuse_overwriting([config.output, *maps], [*config.particles, *given])
    if config.iterations > 1 and not config.halves:
        raise MetadataError(
            f"--iterations {config.iterations} needs --halves: only half maps tell how far a "
            "reconstruction may be trusted in the next round"
        )
    if config.map_half_2 is not None and not config.halves:
        raise MetadataError("--map-half-2 is the map of half set 2: give --halves as well")
    symmetry_operators(config.symmetry)


def _refine_set(
    config: RefineConfig,
    reference: Reference,
    source: ImageSource,
    rows: Integers,
    poses: PoseTable,
    stage: str,
    run: Run,
) -> None:
    """Refine the rows of one half set, or all, against its reference."""

    def tell(done: int) -> None:
        run.on_event(Progress(stage, done, len(rows), "particle image"))

    if not len(rows):
        return
    tell(0)
    refiners = refiners_for(
        reference,
        source,
        rows,
        settings_of(config, reference.resolution),
        # maps made of these very images would be found to fit them too well
        match_amplitudes=config.match_amplitudes and not reference.is_made_here,
    )
    refine_rows(refiners, source, rows, poses, top_k=config.top_k, on_done=tell)


def _warn_of_disagreement(
    reference: Reference, source: ImageSource, rows: Integers, run: Run
) -> None:
    """Say so if images of an optics group do not show the map at the poses they came with."""
    maps: dict[ImageGrid, torch.Tensor] = {}
    for group, members in grouped_rows(source.particles, rows).items():
        optics = source.particles.optics[group]
        grid = ImageGrid.of(optics)
        if grid not in maps:
            maps[grid] = reference.on_grid(grid.box_size, grid.pixel_size)
        agreement = agreement_with(maps[grid], source, sample_of(members, _COMPARED))
        complaint = agreement and agreement.complaint()
        if complaint:
            run.on_event(Message(f"{optics.name}: {complaint}", "warning"))


def settings_of(config: RefineConfig, resolution: float | None) -> RefinerSettings:
    """How to search when the reference is trusted to a resolution in Å."""
    return RefinerSettings(
        angular_range=config.angular_range,
        angular_step=config.angular_step,
        max_shift=config.max_shift,
        max_resolution=max(config.max_resolution or 0.0, resolution or 0.0) or None,
        mask_diameter=config.mask_diameter,
        symmetry=config.symmetry,
    )


def _write(
    config: RefineConfig,
    file: ParticleFile,
    poses: PoseTable,
    sets: dict[int, Integers],
    maps: tuple[HalfMaps, float] | None,
    run: Run,
) -> None:
    columns: dict[str, npt.NDArray[np.generic]] = dict(columns_of(file, poses))
    if config.halves and not file.particles.half_set.all():
        half_set = np.zeros(len(file), np.int64)
        for half, rows in sets.items():
            half_set[rows] = half
        columns[HALF_SET] = half_set
    write_particles(
        config.output,
        file,
        rotation=poses.rotation[:, 0],
        shift_yx=poses.shift_yx[:, 0],
        columns=columns,
    )
    run.on_event(Saved(config.output, "particle list"))
    if maps is not None:
        write_halves(config.output, *maps, run.on_event)
    run.on_event(Message(summary(file.particles, poses)))
    share = float(
        (_turned(file.particles, poses) > config.angular_range * config.iterations).mean()
    )
    if share > _MANY:
        run.on_event(
            Message(
                f"{share:.0%} of the poses turned as far as --angular-range "
                f"{config.angular_range:g} lets them: the given poses are further off than that, "
                "or the map has the other hand or is of something else",
                "warning",
            )
        )


def summary(given: Particles, poses: PoseTable) -> str:
    """A sentence on how far the poses moved and how well they are determined."""
    angle = _turned(given, poses)
    moved = np.linalg.norm(given.shift_yx - poses.shift_yx[:, 0], axis=1)
    return (
        f"{len(given)} images: poses moved by {np.median(angle):.2f} degrees and "
        f"{np.median(moved):.2f} Å (medians); the images determine them to "
        f"{np.median(poses.width[:, 0]):.2f} degrees"
    )


def _turned(given: Particles, poses: PoseTable) -> npt.NDArray[np.float64]:
    """Degrees between the given and the best pose of each image."""
    turned = given.rotation @ np.swapaxes(poses.rotation[:, 0], -1, -2)
    cosine = 0.5 * (np.trace(turned, axis1=1, axis2=2) - 1.0)
    angle: npt.NDArray[np.float64] = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return angle
