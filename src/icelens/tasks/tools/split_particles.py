"""Part a particle file: by number, by half set, or by the values of a column."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.half_sets import dealt_half_sets
from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import MetadataError
from icelens.core.events import Message, Saved
from icelens.core.io.image_columns import HALF_SET
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.jobs.run import Run
from icelens.tasks.tools.particle_table import (
    num_table_rows,
    require_column,
    rows_of_table,
    table_columns,
)
from icelens.tasks.tools.star_jobs import SplitParticlesConfig

# A column with more values is a measurement or a name, and was hardly meant.
_MOST_PARTS = 1000

Part = tuple[str, npt.NDArray[np.int64]]


def write_parts(config: SplitParticlesConfig, run: Run) -> Path:
    """Write every part; return the folder.

    Raises:
        MetadataError: If the settings contradict each other or the file.
    """
    if config.half_sets and config.by is not None:
        raise MetadataError("--half-sets and --by are two ways to part; give one of them")
    file = read_particles(config.particles, on_event=run.on_event)
    rng = np.random.default_rng(config.seed)
    columns: dict[str, npt.NDArray[np.int64]] = {}
    if config.half_sets:
        half_set = _half_sets(config, file, run)
        columns = {HALF_SET: half_set}
        parts = [(f"half_{half}", np.flatnonzero(half_set == half)) for half in (1, 2)]
    elif config.by is not None:
        parts = by_value(file, config.by)
    else:
        parts = by_number(file, config.parts, rng if config.shuffle else None)
    ending = config.particles.suffix.lower()
    refuse_overwriting([run.folder / f"{name}{ending}" for name, _ in parts], [config.particles])
    for name, rows in parts:
        path = run.folder / f"{name}{ending}"
        written = {column: values[rows] for column, values in columns.items()}
        write_particles(path, file, rows=rows, columns=written)
        run.on_event(Message(f"{path.name}: {len(rows)} images"))
        run.on_event(Saved(path, "particle list"))
    return run.folder


def by_number(file: ParticleFile, parts: int, rng: np.random.Generator | None) -> list[Part]:
    """Parts of equal size to one row; at random if a generator is given.

    Raises:
        MetadataError: If there are fewer rows than parts.
    """
    total = num_table_rows(file)
    if total < parts:
        raise MetadataError(f"{file.path}: {total} rows, expected {parts} or more for --parts")
    order = np.arange(total) if rng is None else rng.permutation(total)
    pieces: Sequence[npt.NDArray[np.int64]] = np.array_split(order, parts)
    return [
        (f"part_{number}", rows_of_table(file, piece)) for number, piece in enumerate(pieces, 1)
    ]


def by_value(file: ParticleFile, column: str) -> list[Part]:
    """One part for each value, in ascending order.

    Raises:
        MetadataError: If there is no such column, or it has too many values.
    """
    values = require_column(file.path, table_columns(file), column)
    distinct, index = np.unique(values.astype(str), return_inverse=True)
    if len(distinct) > _MOST_PARTS:
        raise MetadataError(
            f"{file.path}: {column} has {len(distinct)} values, expected at most {_MOST_PARTS}; "
            "part by another column"
        )
    names = [_file_name(f"{column.removeprefix('_')}_{value}") for value in distinct]
    if len(set(names)) < len(names):
        names = [f"{name}_{number}" for number, name in enumerate(names, 1)]
    return [
        (name, rows_of_table(file, np.flatnonzero(index == place)))
        for place, name in enumerate(names)
    ]


def _half_sets(config: SplitParticlesConfig, file: ParticleFile, run: Run) -> npt.NDArray[np.int64]:
    """Half set of each image: as known, else drawn, one for all images of a particle.

    Raises:
        MetadataError: If all of them are in one.
    """
    num_unknown = int((file.particles.half_set == 0).sum())
    if num_unknown:
        run.on_event(
            Message(
                f"{file.path}: {HALF_SET} of {num_unknown} of {len(file)} images is not known; "
                "their particles are dealt to half sets at random"
            )
        )
    half_set = dealt_half_sets(file.particles, seed=config.seed)
    for half in (1, 2):
        if not (half_set == half).any():
            raise MetadataError(
                f"{file.path}: half set {half} is empty ({HALF_SET}), expected particles in both; "
                "remove the column to have them drawn, or use --parts"
            )
    return half_set


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "_", text)
