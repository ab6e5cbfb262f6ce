"""Join particle files: rows one after the other, stacks and optics groups kept apart."""

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.io.image_columns import OPTICS_GROUP
from icelens.core.io.particle_tables import new_blocks, numbered_blocks

if TYPE_CHECKING:
    import pandas

_GROUP_NAME = "rlnOpticsGroupName"


def join_particle_files(files: Sequence[ParticleFile]) -> ParticleFile:
    """One file of all rows; its tables have the form of RELION 3.1, with groups numbered anew.

    Particle numbers of tilt series are kept apart too.

    Raises:
        MetadataError: If some are tilt stacks and others are not.
    """
    import pandas as pd

    is_stacked = ["general" in file.blocks for file in files]
    if len(set(is_stacked)) > 1:
        first, other = files[0].path, files[is_stacked.index(not is_stacked[0])].path
        raise MetadataError(
            f"{other}: cannot be joined with {first}, for only one of them holds tilt stacks; "
            "run them apart"
        )
    optics: list[pandas.DataFrame] = []
    tables: list[pandas.DataFrame] = []
    table_rows = []
    for file in files:
        blocks = numbered_blocks(file) if file.records is None else new_blocks(file.particles)
        own, table = _renumbered(blocks, _length(optics))
        table_rows.append(file.table_row + _length(tables))
        optics.append(own)
        tables.append(table)
    groups = pd.concat(optics, ignore_index=True)
    groups[_GROUP_NAME] = _distinct([str(name) for name in groups[_GROUP_NAME]])
    joined = {"optics": groups, "particles": pd.concat(tables, ignore_index=True)}
    kept = {"general": files[0].blocks["general"]} if is_stacked[0] else {}
    return ParticleFile(
        _joined([file.particles for file in files]),
        files[0].path,
        np.concatenate(table_rows),
        {**kept, **joined},
    )


def _length(tables: "Sequence[pandas.DataFrame]") -> int:
    return sum(len(table) for table in tables)


def _renumbered(
    blocks: "dict[str, pandas.DataFrame]", offset: int
) -> "tuple[pandas.DataFrame, pandas.DataFrame]":
    """Optics and particles whose groups count on from `offset`."""
    optics, table = blocks["optics"], blocks["particles"]
    new = np.arange(len(optics)) + 1 + offset
    if OPTICS_GROUP in table.columns and OPTICS_GROUP in optics.columns:
        numbers = table[OPTICS_GROUP].map(dict(zip(optics[OPTICS_GROUP], new, strict=True)))
    else:
        numbers = new[0]
    if _GROUP_NAME not in optics.columns:
        optics = optics.assign(**{_GROUP_NAME: [f"opticsGroup{number}" for number in new]})
    return optics.assign(**{OPTICS_GROUP: new}), table.assign(**{OPTICS_GROUP: numbers})


def _distinct(names: list[str]) -> list[str]:
    """The names, with the file's number behind those that came before: RELION wants them apart."""
    seen: set[str] = set()
    result = []
    for name in names:
        number, distinct = 1, name
        while distinct in seen:
            number += 1
            distinct = f"{name}_{number}"
        seen.add(distinct)
        result.append(distinct)
    return result


def _joined(parts: Sequence[Particles]) -> Particles:
    """All rows; places in stacks and optics, and particles, count on from part to part."""
    shared = {"stacks", "optics", "has_poses"}
    rows: dict[str, Any] = {
        each.name: np.concatenate([getattr(part, each.name) for part in parts])
        for each in fields(Particles)
        if each.name not in shared
    }
    steps = {
        "stack": [len(part.stacks) for part in parts],
        "optics_index": [len(part.optics) for part in parts],
        "particle": [int(part.particle.max(initial=-1)) + 1 for part in parts],
    }
    for name, counts in steps.items():
        offsets = np.concatenate([[0], np.cumsum(counts)[:-1]])
        rows[name] = rows[name] + np.repeat(offsets, [len(part) for part in parts])
    return Particles(
        stacks=tuple(path for part in parts for path in part.stacks),
        optics=tuple(group for part in parts for group in part.optics),
        has_poses=all(part.has_poses for part in parts),
        **rows,
    )
