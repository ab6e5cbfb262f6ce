"""Intersect, unite and subtract picks by their places in micrographs or tomograms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.events import Message, Saved
from icelens.core.io.image_columns import OPTICS_GROUP
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_columns import bare_name, number_columns, particle_table
from icelens.core.io.star import read_star, write_star
from icelens.core.metrics.matching import match_points
from icelens.jobs.run import Run
from icelens.tasks.tools.consensus_jobs import ConsensusPicksConfig
from icelens.tasks.tools.tool_files import require_several

if TYPE_CHECKING:
    import pandas

NAMES = ("rlnTomoName", "rlnMicrographName")
PLACE_XYZ = ("rlnCoordinateX", "rlnCoordinateY", "rlnCoordinateZ")

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PickTable:
    """A file of picks: its blocks, the name of theirs, and where each pick is.

    Attributes:
        path: The file.
        blocks: All of its tables.
        block: Name of the one with the picks.
        image: `(row,)` name of the micrograph or tomogram.
        position_zyx: `(row, 3)` in pixels.
    """

    path: Path
    blocks: "Mapping[str, pandas.DataFrame]"
    block: str
    image: npt.NDArray[np.object_]
    position_zyx: npt.NDArray[np.float64]

    @property
    def table(self) -> "pandas.DataFrame":
        """The picks."""
        return self.blocks[self.block]


def write_consensus_picks(config: ConsensusPicksConfig, run: Run) -> Path:
    """Write the picks that the operation leaves; return the file.

    Raises:
        InputFileError: If a file cannot be read, or would be written over.
        MetadataError: If columns are missing, or no pick is left.
    """
    require_several("--picks", config.picks)
    refuse_overwriting(config.output, config.picks)
    files = [read_pick_table(path) for path in config.picks]
    if config.operation == "union":
        new = [
            new_picks(files[:number], files[number], config.distance)
            for number in range(len(files))
        ]
        blocks = united(files, new)
        kept = sum(int(mask.sum()) for mask in new)
    else:
        found = [also_in(files[0], other, config.distance) for other in files[1:]]
        is_kept = (
            np.all(found, axis=0) if config.operation == "intersection" else ~np.any(found, axis=0)
        )
        table = files[0].table[is_kept].reset_index(drop=True)
        blocks = {**files[0].blocks, files[0].block: table}
        kept = int(is_kept.sum())
    if not kept:
        raise MetadataError(
            f"{files[0].path}: no pick is left by the {config.operation}; check names of "
            "micrographs and --distance"
        )
    write_star(config.output, blocks)
    counts = ", ".join(str(len(file.table)) for file in files)
    run.on_event(Message(f"{kept} picks are left by the {config.operation} of {counts}"))
    run.on_event(Saved(config.output, "picks"))
    return config.output


def read_pick_table(path: Path) -> PickTable:
    """Read picks with their places.

    Raises:
        InputFileError: If the file is no STAR.
        MetadataError: If names or coordinates are missing.
    """
    if path.suffix.lower() != ".star":
        raise InputFileError(f"{path}: picks are read from STAR files, expected .star")
    blocks = read_star(path)
    candidates = {name: table for name, table in blocks.items() if name != "optics"}
    table = particle_table(path, candidates)
    block = next(name for name, each in candidates.items() if each is table)
    name = next((name for name in NAMES if name in table.columns), None)
    if name is None:
        raise MetadataError(
            f"{path}: no column {' or '.join(NAMES)}; picks need their image's name"
        )
    present = [column for column in PLACE_XYZ if column in table.columns or column != PLACE_XYZ[2]]
    position_xyz = np.zeros((len(table), 3))
    position_xyz[:, : len(present)] = number_columns(path, table, present)
    if not np.isfinite(position_xyz).all():
        raise MetadataError(f"{path}: coordinates are missing in some rows; remove those rows")
    image = np.asarray([bare_name(str(value)) for value in table[name]], object)
    return PickTable(path, blocks, block, image, position_xyz[:, ::-1])


def also_in(first: PickTable, other: PickTable, distance: float) -> Mask:
    """Which picks of the first file pair with one of the other, one to one."""
    found = np.zeros(len(first.image), bool)
    for image in set(first.image) & set(other.image):
        rows = np.flatnonzero(first.image == image)
        places = other.position_zyx[other.image == image]
        found[rows[match_points(first.position_zyx[rows], places, distance).truth]] = True
    return found


def new_picks(before: Sequence[PickTable], file: PickTable, distance: float) -> Mask:
    """Which picks of a file pair with none of the files before it."""
    known = np.zeros(len(file.image), bool)
    for other in before:
        known |= also_in(file, other, distance)
    return ~known


def united(files: Sequence[PickTable], kept: Sequence[Mask]) -> "dict[str, pandas.DataFrame]":
    """Tables of the first file with the kept rows of all, in the columns that all share."""
    import pandas as pd

    shared = [
        column
        for column in files[0].table.columns
        if all(column in file.table.columns for file in files)
    ]
    parts = []
    optics: list[pandas.DataFrame] = []
    for file, mask in zip(files, kept, strict=True):
        table = file.table.loc[mask, shared]
        own = file.blocks.get("optics")
        if OPTICS_GROUP in shared and own is not None and OPTICS_GROUP in own.columns:
            numbers, optics = _with_groups(optics, own)
            table = table.assign(**{OPTICS_GROUP: table[OPTICS_GROUP].map(numbers)})
        parts.append(table)
    blocks = dict(files[0].blocks)
    if optics:
        blocks["optics"] = pd.concat(optics, ignore_index=True)
    blocks[files[0].block] = pd.concat(parts, ignore_index=True)
    return blocks


def _with_groups(
    optics: "list[pandas.DataFrame]", own: "pandas.DataFrame"
) -> "tuple[dict[int, int], list[pandas.DataFrame]]":
    """New numbers of a file's optics groups, and the tables with those that were not there yet."""
    known = {
        _content(row): int(row[OPTICS_GROUP])
        for table in optics
        for row in table.to_dict("records")
    }
    numbers: dict[int, int] = {}
    fresh = []
    for place, row in enumerate(own.to_dict("records")):
        if _content(row) in known:
            numbers[int(row[OPTICS_GROUP])] = known[_content(row)]
            continue
        number = len(known) + 1
        known[_content(row)] = number
        numbers[int(row[OPTICS_GROUP])] = number
        fresh.append(own.iloc[[place]].assign(**{OPTICS_GROUP: number}))
    return numbers, [*optics, *fresh]


def _content(row: "Mapping[object, object]") -> tuple[str, ...]:
    """What tells one group from another: all but its number."""
    return tuple(f"{key}={value}" for key, value in row.items() if key != OPTICS_GROUP)
