"""Edited picks: what was moved, deleted and added, applied to the source and saved as new picks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from icelens.apps.web.work.picks import (
    MOST_PICKS,
    FilePicks,
    file_picks,
    session_picks,
    version_of,
)
from icelens.apps.web.worker import Answer
from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.errors import GeometryError, InputFileError, MetadataError
from icelens.core.io.copick.coordinate_tables import joined
from icelens.core.io.copick.keys import check_name
from icelens.core.io.copick.project import PicksKey, Project, open_project
from icelens.core.io.picks import write_copick, write_picks_csv
from icelens.core.io.relion_particles import write_relion_particles
from icelens.core.io.star import read_star
from icelens.core.io.volumes import read_header

_LONGEST_NAME = 64
_OPTICS = {
    "rlnVoltage": "voltage",
    "rlnSphericalAberration": "spherical_aberration",
    "rlnAmplitudeContrast": "amplitude_contrast",
    "rlnTomoTiltSeriesPixelSize": "pixel_size",
}


@dataclass(frozen=True)
class Edits:
    """Changes to a list of picks.

    Attributes:
        version: Of the list they were made on.
        moved: Rows with their new position z, y, x in Å.
        deleted: Rows that are left out.
        added: Class and position z, y, x in Å of each new pick.
        least_scores: Picks of a class with a lower score are left out; new ones stay.
    """

    version: str
    moved: list[tuple[int, float, float, float]]
    deleted: list[int]
    added: list[tuple[str, float, float, float]]
    least_scores: dict[str, float]


def save_session(
    path: str, run: str, source: str, volume: str, user: str, session: str, edits: dict[str, Any]
) -> Answer:
    """Write the edited picks of a session as those of a new one, each object to its own file.

    Args:
        path: Copick project or plain folder.
        run: Run of the picks.
        source: USER,SESSION that was edited; empty if all picks are new.
        volume: Tomogram whose bounds hold.
        user: Who made the new picks.
        session: In which session; one in which that user has no picks yet.
        edits: Fields of `Edits`.

    Raises:
        MetadataError: If names are impossible, the session exists, or a class is unknown.
        GeometryError: If a position lies outside the tomogram.
        InputFileError: If the source changed, or nothing can be written.
    """
    project = open_project(Path(path))
    target = Source(check_name(user, "user"), check_name(session, "session"))
    project.select_runs([run])
    taken = {str(key.source) for key in project.picks(run)}
    if str(target) in taken:
        raise MetadataError(
            f"{project.path}: run {run} has picks of {target} already; choose another session"
        )
    old = session_picks(project, run, source) if source else _none()
    changes = Edits(**edits)
    for name in {each[0] for each in changes.added}:
        project.find(name)
    _check_places(Path(volume), changes)
    result = edited(old, changes, run)
    names = set(result.species) | _keys_of(project, run, source)
    counts = {}
    for name in sorted(names):
        chosen = result.select([each == name for each in result.species])
        project.write_picks(run, PicksKey(name, target), chosen)
        counts[name] = len(chosen)
    return Answer({"source": str(target), "counts": counts, "file": ""})


def save_file(path: str, volume: str, tomogram: str | None, edits: dict[str, Any]) -> Answer:
    """Write the edited picks of a file into a new one beside it, those of other tomograms as well.

    STAR stays STAR (RELION 5), copick JSON stays JSON; other formats become CSV, which keeps all.

    Raises:
        GeometryError: If a position lies outside the tomogram.
        InputFileError: If the source changed, or nothing can be written.
    """
    source, changes = Path(path), Edits(**edits)
    found = file_picks(source, Path(volume), tomogram)
    here = found.picks.select(found.is_here)
    for name in {each[0] for each in changes.added}:
        _check_class(name)
    _check_places(Path(volume), changes)
    names = set(here.tomogram_id) or {tomogram or Path(volume).name.split(".", 1)[0]}
    result = edited(here, changes, next(iter(names)))
    whole = joined(found.picks.select(~found.is_here), result)
    target = _write_beside(source, whole, found)
    counts = {name: result.species.count(name) for name in sorted(set(result.species))}
    return Answer({"source": "", "counts": counts, "file": str(target)})


def edited(old: Picks, edits: Edits, tomogram_id: str) -> Picks:
    """The picks with the edits; what is moved keeps its score and rotation.

    Raises:
        InputFileError: If the edits were made on other picks.
        GeometryError: If they name picks that are not there, or are too many.
    """
    if edits.version != version_of(old):
        raise InputFileError(
            "the picks changed on disk since they were opened; load them anew, the picks you added "
            "are kept as a draft"
        )
    rows = [row for row, *_ in edits.moved] + edits.deleted
    if rows and (min(rows) < 0 or max(rows) >= len(old)):
        raise GeometryError(f"an edit of pick {max(rows)}, but there are {len(old)}")
    if len(old) + len(edits.added) > MOST_PICKS:
        raise GeometryError(f"more than {MOST_PICKS} picks; thin them first")
    position = old.position_zyx.copy()
    for row, *place in edits.moved:
        position[row] = place
    is_kept = np.ones(len(old), bool)
    is_kept[edits.deleted] = False
    least = np.asarray([edits.least_scores.get(name, -np.inf) for name in old.species])
    is_kept &= ~(old.score < least)
    kept = Picks(position, old.rotation, old.species, old.score, old.tomogram_id).select(is_kept)
    if not edits.added:
        return kept
    new = Picks(
        np.asarray([each[1:] for each in edits.added], np.float64),
        species=tuple(each[0] for each in edits.added),
        tomogram_id=(tomogram_id,) * len(edits.added),
    )
    return joined(kept, new)


def _check_places(volume: Path, edits: Edits) -> None:
    """Refuse positions that are not finite, or outside the tomogram's voxels."""
    header = read_header(volume)
    places = [each[1:] for each in (*edits.moved, *edits.added)]
    if not places:
        return
    voxel = np.asarray(places, np.float64) / (header.pixel_size or 1.0)
    is_inside = ((voxel >= -0.5) & (voxel <= np.asarray(header.shape) - 0.5)).all(axis=1)
    if not is_inside.all():
        z, y, x = places[int(np.flatnonzero(~is_inside)[0])]
        raise GeometryError(
            f"{volume}: a pick at z, y, x = {z:.1f}, {y:.1f}, {x:.1f} Å lies outside the tomogram; "
            "move or delete it"
        )


def _check_class(name: str) -> None:
    if not (0 < len(name) <= _LONGEST_NAME and name.isprintable() and name.strip() == name):
        raise MetadataError(
            f"{name[:_LONGEST_NAME]!r} cannot be a class; use up to {_LONGEST_NAME} printable "
            "characters"
        )


def _keys_of(project: Project, run: str, source: str) -> set[str]:
    return {key.name for key in project.picks(run) if str(key.source) == source}


def _none() -> Picks:
    return Picks(np.empty((0, 3)))


def _write_beside(source: Path, picks: Picks, found: FilePicks) -> Path:
    """Write into the first free name."""
    suffix = source.suffix.lower()
    is_one = len(set(picks.species)) <= 1 and len(set(picks.tomogram_id)) <= 1
    if suffix != ".star" and not (suffix == ".json" and is_one):
        suffix = ".csv"
    target = _free_name(source, suffix)
    if suffix == ".star":
        _write_star(source, target, picks, found)
    elif suffix == ".json":
        write_copick(target, picks, user_id="workbench", session_id="1")
    else:
        write_picks_csv(target, picks)
    return target


def _free_name(source: Path, suffix: str) -> Path:
    number = 1
    while (target := source.with_name(f"{source.stem}_edited_{number}{suffix}")).exists():
        number += 1
    return target


def _write_star(source: Path, target: Path, picks: Picks, found: FilePicks) -> None:
    """RELION 5 particles with the optics of the source, as far as it has them."""
    known: dict[str, float] = {}
    table = read_star(source).get("optics")
    if table is not None and len(table):
        row = table.iloc[0]
        known = {key: float(row[name]) for name, key in _OPTICS.items() if name in table.columns}
    is_numbered = all(name.isdigit() for name in set(picks.species))
    z, y, x = (side * found.pixel_size for side in found.shape)
    write_relion_particles(
        target,
        picks,
        extent_zyx=(z, y, x),
        pixel_size=known.get("pixel_size", found.pixel_size),
        voltage=known.get("voltage", 300.0),
        spherical_aberration=known.get("spherical_aberration", 2.7),
        amplitude_contrast=known.get("amplitude_contrast", 0.1),
        class_numbers={name: int(name) for name in set(picks.species)} if is_numbered else None,
    )
