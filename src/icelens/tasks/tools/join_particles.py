"""Put particle files together; optics groups that agree become one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import InputFileError
from icelens.core.events import Message, Saved
from icelens.core.io.image_columns import OPTICS_GROUP, blocks_of_images
from icelens.core.io.joined_particles import join_particle_files
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.jobs.run import Run
from icelens.tasks.tools.star_jobs import JoinParticlesConfig
from icelens.tasks.tools.tool_files import refuse_overwriting

if TYPE_CHECKING:
    import pandas

GROUP_NAME = "rlnOpticsGroupName"


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
    file = join_particle_files(files)
    if not config.keep_groups:
        names = [name for each in files for name in _group_names(each)]
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


def with_equal_groups_merged(file: ParticleFile, names: Sequence[str]) -> ParticleFile:
    """The same rows, with one group for all that agree in everything but their number.

    Args:
        file: Joined, its groups numbered from 1 and made distinct by name.
        names: Of the groups as they were in their own files, in the same order.
    """
    optics = file.blocks["optics"]
    if len(names) != len(optics):
        return file
    original = optics.assign(**{GROUP_NAME: names})
    kept, number = _distinct_rows(original.drop(columns=OPTICS_GROUP))
    block, table = blocks_of_images(file.path, file.blocks)
    new = dict(zip(optics[OPTICS_GROUP].tolist(), (number + 1).tolist(), strict=True))
    merged = optics.iloc[kept].assign(**{OPTICS_GROUP: np.arange(len(kept)) + 1})
    blocks = {
        **file.blocks,
        "optics": merged.reset_index(drop=True),
        block: table.assign(**{OPTICS_GROUP: table[OPTICS_GROUP].map(new)}),
    }
    return replace(file, blocks=blocks)


def first_of_each_image(file: ParticleFile) -> npt.NDArray[np.int64]:
    """Rows without those whose image came before."""
    particles = file.particles
    names = [str(path.resolve()) for path in particles.stacks]
    _, stack = np.unique(names, return_inverse=True)
    keys = np.stack([stack[particles.stack], particles.slice_index], axis=1)
    _, first = np.unique(keys, axis=0, return_index=True)
    return np.sort(first)


def _group_names(file: ParticleFile) -> list[str]:
    """Names of the groups as they come in a joined file."""
    optics = file.blocks.get("optics")
    if optics is not None and GROUP_NAME in optics.columns:
        return [str(name) for name in optics[GROUP_NAME]]
    return [group.name for group in file.particles.optics]


def _distinct_rows(
    table: "pandas.DataFrame",
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First place of each distinct row, and for every row the place of its equal among those."""
    texts = table.astype(str).agg("\t".join, axis=1)
    _, first, inverse = np.unique(texts.to_numpy(str), return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return first[order], rank[inverse]
