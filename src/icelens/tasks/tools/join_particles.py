"""Put particle files together; optics groups that agree become one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.events import Message, Saved
from icelens.core.io.equal_groups import group_names, with_equal_groups_merged
from icelens.core.io.joined_particles import join_particle_files
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.jobs.run import Run
from icelens.tasks.tools.star_jobs import JoinParticlesConfig


def write_joined(config: JoinParticlesConfig, run: Run) -> Path:
    """Write all rows; return the file.

    Raises:
        InputFileError: If a file cannot be read, or the output is one of them or no STAR.
        MetadataError: If some are tilt stacks and others are not.
    """
    refuse_overwriting(config.output, config.particles)
    if config.output.suffix.lower() != ".star":
        raise InputFileError(f"{config.output}: several files are joined as STAR, expected .star")
    files = [read_particles(path, on_event=run.on_event) for path in config.particles]
    _refuse_part_of_poses(files)
    file = join_particle_files(files)
    if not config.keep_groups:
        names = [name for each in files for name in group_names(each)]
        file = with_equal_groups_merged(file, names)
    rows = np.arange(len(file))
    if config.remove_duplicates:
        rows = first_of_each_image(file)
        run.on_event(Message(f"{len(file) - len(rows)} images came more than once"))
    write_particles(config.output, file, rows=rows)
    run.on_event(
        Message(
            f"{len(rows)} images of {len(config.particles)} files, in "
            f"{len(file.blocks['optics'])} optics groups"
        )
    )
    run.on_event(Saved(config.output, "particle list"))
    return config.output


def _refuse_part_of_poses(files: Sequence[ParticleFile]) -> None:
    """Angles that a file does not have would be zeros beside those of the others.

    Raises:
        MetadataError: If some files have poses and others do not.
    """
    without = [file.path for file in files if not file.particles.has_poses]
    if 0 < len(without) < len(files):
        raise MetadataError(
            f"{without[0]}: has no poses, but other files do, expected all or none; remove the "
            "angles of the others, or find the poses of this one first"
        )


def first_of_each_image(file: ParticleFile) -> npt.NDArray[np.int64]:
    """Rows without those whose image came before."""
    particles = file.particles
    names = [str(path.resolve()) for path in particles.stacks]
    _, stack = np.unique(names, return_inverse=True)
    keys = np.stack([stack[particles.stack], particles.slice_index], axis=1)
    _, first = np.unique(keys, axis=0, return_index=True)
    return np.sort(first)
