"""Mirror maps about their centre voxel, or give particles the poses of the mirrored map."""

from pathlib import Path

import numpy as np

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.events import Message, Progress, Saved
from icelens.core.geometry.mirrored_poses import mirrored_poses
from icelens.core.geometry.relion_angles import (
    matrices_from_relion_angles,
    relion_angles_from_matrices,
)
from icelens.core.io.image_columns import blocks_of_images
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_columns import ANGLES, number_columns
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.core.io.volumes import write_volume
from icelens.core.volumes.mirror import mirrored
from icelens.jobs.run import Run
from icelens.tasks.tools.map_outputs import map_outputs
from icelens.tasks.tools.maps import open_map
from icelens.tasks.tools.volume_jobs import FlipHandConfig


def flip(config: FlipHandConfig, run: Run) -> Path:
    """Write the mirrored maps or the turned poses; return the output.

    Raises:
        InputFileError: If a file is missing, damaged or would be written over.
        MetadataError: If neither or both are given, or the particles have no poses of their own.
    """
    if (config.particles is None) == (not config.maps):
        raise MetadataError(
            "flip-hand: expected either maps or --particles; give one of them, and the other in "
            "a second call"
        )
    if config.particles is not None:
        return _flip_particles(config, config.particles, run)
    outputs = map_outputs(config.maps, config.output)
    # all are looked at before the first is written
    volumes = [open_map(path, config.pixel_size, "error") for path in config.maps]
    for number, (volume, path) in enumerate(zip(volumes, outputs, strict=True), start=1):
        write_volume(path, volume.with_array(mirrored(volume.array, config.axis)))
        run.on_event(Saved(path, "volume"))
        run.on_event(Progress("flip", number, len(outputs), "map"))
    return config.output


def _flip_particles(config: FlipHandConfig, path: Path, run: Run) -> Path:
    refuse_overwriting(config.output, [path])
    file = read_particles(
        path,
        stack_root=config.stack_root,
        need_poses=True,
        pixel_size=config.pixel_size,
        on_event=run.on_event,
    )
    if file.tomograms is not None:
        raise MetadataError(
            f"{path}: its rows are stacks of tilts, whose projections are part of the poses; "
            "mirror the tomograms instead"
        )
    if config.output.suffix.lower() not in (".star", ".cs"):
        raise InputFileError(f"{config.output}: expected a name that ends in .star or .cs")
    rotation = mirrored_poses(file.particles.rotation, config.axis)
    write_particles(config.output, file, rotation=rotation, columns=_priors(file, config))
    run.on_event(Saved(config.output, "particle list"))
    run.on_event(Message(f"{len(file)} poses are those of the map mirrored along {config.axis}"))
    return config.output


def _priors(file: ParticleFile, config: FlipHandConfig) -> dict[str, np.ndarray]:
    """Angles around which a refinement searches, where the table has them, mirrored likewise."""
    if file.records is not None:
        return {}
    _, table = blocks_of_images(file.path, file.blocks)
    priors = [f"{name}Prior" for name in ANGLES]
    known = [name in table.columns for name in priors]
    if not any(known):
        return {}
    # an angle without a prior counts as it is
    names = [prior if has else name for prior, has, name in zip(priors, known, ANGLES, strict=True)]
    angles = number_columns(file.path, table, names)[file.table_row]
    new = relion_angles_from_matrices(
        mirrored_poses(matrices_from_relion_angles(angles), config.axis)
    )
    return {prior: new[:, place] for place, prior in enumerate(priors) if known[place]}
