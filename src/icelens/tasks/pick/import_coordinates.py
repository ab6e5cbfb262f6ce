"""Coordinates to be imported: of known objects, in Å, inside their tomograms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent
from icelens.core.geometry.inside import is_inside, looks_like_voxels, refuse_many_outside
from icelens.core.io.copick.coordinate_tables import NAMELESS, joined, read_table
from icelens.core.io.copick.keys import copick_name
from icelens.core.io.copick.project import Project
from icelens.core.io.volume_header import VolumeHeader
from icelens.tasks.pick.project_jobs import ImportConfig

TableOfPicks = Mapping[tuple[str, str], Picks]


def checked_table(
    config: ImportConfig,
    path: Path,
    tomograms: Mapping[str, tuple[Path, VolumeHeader]],
    objects: Sequence[PickableObject],
    on_event: OnEvent,
) -> TableOfPicks:
    """Picks of a table by run and object, those outside left out.

    Args:
        config: Says what they are of and what they count, where the table does not.
        path: STAR or CSV.
        tomograms: A tomogram of each run with its header, which knows its sampling.
        objects: Those of the project, with those to be added.
        on_event: Hears of picks left out.

    Raises:
        MetadataError: If an object is unknown, or coordinates are voxels or outside.
    """
    table: dict[tuple[str, str], Picks] = {}
    for (run, found), picks in read_table(path, tomograms).items():
        name = _object_name(found, config)
        earlier = table.get((run, name))
        table[run, name] = picks if earlier is None else joined(earlier, picks)
    known = {each.name for each in objects}
    unknown = sorted({name for _, name in table} - known)
    if unknown:
        raise MetadataError(
            f"{path}: {', '.join(unknown)} is no object of the project "
            f"({', '.join(sorted(known)) or 'it has none'}); add it with --objects NAME=RADIUS, or "
            "name it with --object-name"
        )
    checked: dict[tuple[str, str], Picks] = {}
    outside: dict[str, int] = {}
    for (run, name), picks in table.items():
        header = tomograms[run][1]
        picks = _in_angstrom(path, picks, header, config)
        inside = is_inside(picks.position_zyx, shape=header.shape, pixel_size=_size(header))
        outside[f"{name} in {run}"] = int((~inside).sum())
        checked[run, name] = replace(picks.select(inside), species=(name,) * int(inside.sum()))
    num_picks = sum(len(picks) for picks in table.values())
    told = refuse_many_outside(str(path), outside, num_picks)
    if told:
        on_event(Message(told, "warning"))
    return checked


def _in_angstrom(path: Path, picks: Picks, header: VolumeHeader, config: ImportConfig) -> Picks:
    if path.suffix.lower() != ".csv" or config.unit == "angstrom":
        return picks
    if config.unit == "voxel":
        return replace(picks, position_zyx=picks.position_zyx * _size(header))
    if looks_like_voxels(picks.position_zyx, shape=header.shape, pixel_size=_size(header)):
        raise MetadataError(
            f"{path}: all {len(picks)} positions would lie in a corner of the tomogram of "
            f"{picks.tomogram_id[0]}, as if they counted voxels; say --unit voxel or "
            "--unit angstrom"
        )
    return picks


def _object_name(name: str, config: ImportConfig) -> str:
    is_unnamed = name == NAMELESS or name.startswith("class-")
    return copick_name(config.object_name) if config.object_name and is_unnamed else name


def tomograms_of(project: Project | None) -> dict[str, tuple[Path, VolumeHeader]]:
    """A tomogram of each run that the project has already."""
    if project is None:
        return {}
    found = {}
    for run in project.run_names():
        for key in project.tomograms(run)[:1]:
            header = project.tomogram_header(run, key)
            found[run] = (
                project.path,
                replace(header, pixel_size=header.pixel_size or key.pixel_size),
            )
    return found


def _size(header: VolumeHeader) -> float:
    assert header.pixel_size is not None  # the importer has set it
    return header.pixel_size
