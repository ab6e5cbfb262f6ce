"""Choose rows of a particle file and write them with everything that belongs to them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.index_list import parse_indices
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.row_filter import filter_rows
from icelens.core.errors import MetadataError
from icelens.core.events import Message, Saved
from icelens.core.io.mrc import read_mrc_stack_header
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.jobs.run import Run
from icelens.tasks.tools.particle_table import num_table_rows, rows_of_table, table_columns
from icelens.tasks.tools.star_jobs import SelectParticlesConfig

Mask = npt.NDArray[np.bool_]


def write_selection(config: SelectParticlesConfig, run: Run) -> Path:
    """Write the chosen rows; return the file.

    Raises:
        MetadataError: If a setting names what is not there, or no row is left.
    """
    refuse_overwriting(config.output, [config.particles])
    file = read_particles(
        config.particles,
        stack_root=config.stack_root,
        skip_missing=config.remove_missing,
        on_event=run.on_event,
    )
    total = num_table_rows(file)
    kept = chosen_rows(config, file)
    if not kept.any():
        raise MetadataError(
            f"{config.particles}: none of {total} rows is left; relax the conditions"
        )
    write_particles(config.output, file, rows=rows_of_table(file, np.flatnonzero(kept)))
    run.on_event(Message(f"{int(kept.sum())} of {total} rows are kept"))
    run.on_event(Saved(config.output, "particle list"))
    return config.output


def chosen_rows(config: SelectParticlesConfig, file: ParticleFile) -> Mask:
    """Which rows of the table pass every setting."""
    total = num_table_rows(file)
    kept = np.ones(total, bool)
    if config.where is not None:
        kept &= filter_rows(config.where, table_columns(file))
    if config.rows is not None:
        kept &= np.isin(np.arange(1, total + 1), listed_rows(config.rows, total, config.particles))
    if config.remove_missing:
        is_there = has_image(file)
        kept &= np.isin(np.arange(total), file.table_row[is_there])
        kept[file.table_row[~is_there]] = False
    if config.random is not None:
        kept = drawn(kept, config.random, config.seed, config.particles)
    return kept


def listed_rows(text: str, total: int, path: Path) -> npt.NDArray[np.int64]:
    """Numbers from 1 that a list such as `1-100,250` names.

    Raises:
        MetadataError: If it is no list, or names a row beyond the last.
    """
    try:
        return np.asarray(
            sorted(parse_indices(text, range(1, total + 1), name=str(path))), np.int64
        )
    except MetadataError as error:
        raise MetadataError(
            f"{path}: --rows is {text!r}, expected numbers from 1 to {total} such as 1-100,250"
        ) from error


def has_image(file: ParticleFile) -> Mask:
    """Which images exist: their stack is there and long enough."""
    particles = file.particles
    lengths = np.asarray([_stack_length(path) for path in particles.stacks], np.int64)
    return particles.slice_index < lengths[particles.stack]


def drawn(kept: Mask, count: int, seed: int, path: Path) -> Mask:
    """Keep `count` of the rows that are kept, at random.

    Raises:
        MetadataError: If there are not so many.
    """
    rows = np.flatnonzero(kept)
    if len(rows) < count:
        raise MetadataError(
            f"{path}: {len(rows)} rows are left, expected {count} or more for --random; ask for "
            "fewer"
        )
    mask = np.zeros(len(kept), bool)
    mask[np.random.default_rng(seed).choice(rows, count, replace=False)] = True
    return mask


def _stack_length(path: Path) -> int:
    return read_mrc_stack_header(path).shape[0] if path.is_file() else 0
