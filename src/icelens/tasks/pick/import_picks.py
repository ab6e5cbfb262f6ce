"""Take picks of another program's file into a project."""

from functools import cache

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.errors import MetadataError
from icelens.core.events import Message, Saved
from icelens.core.geometry.inside import refuse_many_outside
from icelens.core.io.copick.project import PicksKey, Project, open_project
from icelens.core.io.pick_files import read_picks
from icelens.jobs.run import Run
from icelens.tasks.pick.exchange_jobs import ImportPicksConfig
from icelens.tasks.pick.picked import Frame, frame_of
from icelens.tasks.pick.settings import source_of


def import_file(config: ImportPicksConfig, run: Run) -> str:
    """Write the file's picks into the project, one list for each run and object.

    Raises:
        MetadataError: If a tomogram or object of the file is not in the project, or more than 1 %
            of the picks lie outside.
    """
    project = open_project(config.project)
    by_run = _by_run(project, config, run)
    lists = [
        (name, kind, part.select([species == word for species in part.species]))
        for name, part in by_run.items()
        for word in sorted(set(part.species))
        for kind in (_object(project, config, word),)
    ]
    for name, kind, picks in lists:
        renamed = Picks(
            picks.position_zyx,
            picks.rotation,
            (kind.name,) * len(picks),
            picks.score,
            (name,) * len(picks),
        )
        key = PicksKey(kind.name, source_of(config.picks))
        run.on_event(Saved(project.write_picks(name, key, renamed), "picks"))
    count = sum(len(picks) for *_, picks in lists)
    return f"imported {count} picks of {len(by_run)} runs from {config.picks_file}"


def _by_run(project: Project, config: ImportPicksConfig, run: Run) -> dict[str, Picks]:
    """The picks inside each run's tomogram."""

    @cache  # one file may list hundreds of runs on a few different grids
    def read(frame: Frame) -> Picks:
        return read_picks(config.picks_file, pixel_size=frame.pixel_size, shape=frame.shape)

    def frame(name: str) -> Frame:
        return frame_of(project, name, config.voxel_size, config.tomogram_type)

    names = project.select_runs(config.runs)
    listed = set(read(frame(names[0])).tomogram_id)
    strangers = sorted(listed - set(project.run_names()))
    is_of_one = bool(strangers) and len(listed) == 1 and len(config.runs) == 1
    if strangers and not is_of_one:
        raise MetadataError(
            f"{config.picks_file}: tomogram {strangers[0]!r} is no run of {config.project}; rename "
            "it, or name the one run of the file with --runs"
        )
    kept, outside = {}, 0
    for name in names if is_of_one else sorted(listed.intersection(names)):
        grid = frame(name)
        picks = read(grid) if is_of_one else read(grid).of_tomogram(name)
        inside = grid.holds(picks)
        lost = int((~inside).sum())
        refuse_many_outside(str(config.picks_file), {f"{name}, {grid}": lost}, len(picks))
        outside += lost
        kept[name] = picks.select(inside)
    if not kept:
        raise MetadataError(
            f"{config.picks_file}: no picks of {', '.join(names)}; choose other --runs"
        )
    if outside:
        text = f"{config.picks_file}: {outside} picks outside their tomogram are left out"
        run.on_event(Message(text, "warning"))
    return kept


def _object(project: Project, config: ImportPicksConfig, word: str) -> PickableObject:
    """The object of a word in the file: told by the user, its name, or its label."""
    if config.object is not None:
        return project.find(config.object)
    for each in project.objects:
        if word in (each.name, str(each.label)):
            return each
    known = ", ".join(f"{each.name} ({each.label})" for each in project.objects)
    raise MetadataError(
        f"{config.picks_file}: {word or 'a pick without name'} is no object of {config.project}, "
        f"which has {known}; name it with --object"
    )
