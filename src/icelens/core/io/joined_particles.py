"""Join particle files: rows one after the other, stacks and optics groups kept apart."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.io.image_columns import DEFOCUS, HALF_SET, OPTICS_GROUP, OPTICS_GROUP_NAME, WEIGHT
from icelens.core.io.particle_columns import ANGLES, ORIGIN
from icelens.core.io.particle_tables import new_blocks, numbered_blocks
from icelens.core.io.relion_optics import optics_table

if TYPE_CHECKING:
    import pandas

# What a column says about the rows of files that do not have it.
_ABSENT = dict.fromkeys((*DEFOCUS, *ANGLES, *ORIGIN, "rlnPhaseShift", "rlnCtfBfactor"), 0.0) | {
    "rlnCtfScalefactor": 1.0,
    WEIGHT: 1.0,
    HALF_SET: 0.0,
}


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
    particles = _joined([file.particles for file in files])
    table = pd.concat(tables, ignore_index=True)
    missing = {name: absent for name, absent in _ABSENT.items() if name in table.columns}
    table = table.fillna(missing)
    if HALF_SET in table.columns:
        table = table.astype({HALF_SET: "int64"})
    joined = {"optics": _joined_optics(optics, particles.optics), "particles": table}
    kept = {"general": files[0].blocks["general"]} if is_stacked[0] else {}
    return ParticleFile(
        particles,
        files[0].path,
        np.concatenate(table_rows),
        {**kept, **joined},
        tomograms=_one_set(files),
    )


def _one_set(files: Sequence[ParticleFile]) -> Path | None:
    """The tomograms that all share.

    Raises:
        MetadataError: If they differ.
    """
    tomograms = files[0].tomograms
    for file in files:
        if file.tomograms != tomograms:
            raise MetadataError(
                f"{file.path}: tilts of {file.tomograms}, expected those of {tomograms} as in "
                f"{files[0].path}; run them apart"
            )
    return tomograms


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
    if OPTICS_GROUP_NAME not in optics.columns:
        optics = optics.assign(**{OPTICS_GROUP_NAME: [f"opticsGroup{number}" for number in new]})
    return optics.assign(**{OPTICS_GROUP: new}), table.assign(**{OPTICS_GROUP: numbers})


def _joined_optics(
    tables: "Sequence[pandas.DataFrame]", groups: tuple[OpticsGroup, ...]
) -> "pandas.DataFrame":
    """A table without blanks: what we know from the groups, and the other columns as they were."""
    import pandas as pd

    known = optics_table(groups)
    others = pd.concat(tables, ignore_index=True)
    known[OPTICS_GROUP_NAME] = _distinct([str(name) for name in others[OPTICS_GROUP_NAME]])
    for name in others.columns:
        if name not in known.columns:
            is_number = others[name].dtype.kind in "iuf"
            known[name] = others[name].fillna(0 if is_number else "None")
    return known


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
    """All rows; places in stacks and optics and numbers of particles count on from part to part."""
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
