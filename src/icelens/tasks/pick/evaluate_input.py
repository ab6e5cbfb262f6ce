"""What is scored: truth and picks of the runs that have them, read from a project."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.picks import Picks
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent, Progress
from icelens.core.geometry.inside import is_inside, refuse_many_outside, refuse_voxels
from icelens.core.io.copick.project import PicksKey, Project, TomogramKey
from icelens.core.metrics.matching import check_scores
from icelens.tasks.pick.evaluate_jobs import EvaluateConfig
from icelens.tasks.pick.settings import source_of

Keys = Mapping[str, Sequence[PicksKey]]


@dataclass(frozen=True)
class Evaluated:
    """True picks and picks by run, the classes to score, and what is drawn of each run."""

    truth: Mapping[str, Picks]
    found: Mapping[str, Picks]
    objects: tuple[PickableObject, ...]
    tomograms: Mapping[str, TomogramKey]
    runs_without_truth: tuple[str, ...]
    """They have no true picks and are left out."""
    runs_without_picks: tuple[str, ...]
    """They have no picks: left out, or all their particles missed if they were asked for."""


def gather(config: EvaluateConfig, project: Project, on_event: OnEvent) -> Evaluated:
    """Read what is to be scored, and say which runs and objects lack something.

    Raises:
        MetadataError: If a run, object, source or tomogram is not there, an object is no particle
            or has no radius, more than 1 % of the true picks lie outside their tomogram, or
            nothing can be scored.
    """
    truth_source, found_source = source_of(config.truth), source_of(config.picks)
    if truth_source == found_source:
        raise MetadataError(
            f"{project.path}: --truth and --picks are both {truth_source}; give the picks to score "
            "and those to score them by"
        )
    names = chosen_names(project, config.objects)
    runs = project.select_runs(config.runs)
    keys = {run: [key for key in project.picks(run) if key.name in names] for run in runs}
    with_truth = _runs_of(truth_source, keys, project, "--truth")
    with_picks = _runs_of(found_source, keys, project, "--picks")
    without_truth = tuple(run for run in runs if run not in with_truth)
    without_picks = tuple(run for run in with_truth if run not in with_picks)
    scored = with_truth if config.runs else [run for run in with_truth if run in with_picks]
    if not scored:
        raise MetadataError(
            f"{project.path}: no run has both, {truth_source} is in {_some(with_truth)} and "
            f"{found_source} in {_some(with_picks)}; name a run with --runs to count all as missed"
        )
    _name_runs(without_truth, without_picks, scored, truth_source, found_source, on_event)
    objects = chosen_objects(project, config.objects, keys, scored, (truth_source, found_source))
    _name_objects(objects, keys, scored, truth_source, on_event)
    tomograms = drawn_tomograms(config, project, scored)
    truth, found = {}, {}
    for number, run in enumerate(scored, start=1):
        truth[run] = _read(project, run, keys[run], truth_source)
        found[run] = _read(project, run, keys[run], found_source)
        on_event(Progress("read", number, len(scored), "run"))
    check_inside(project, tomograms, truth, truth_source)
    for run, key in tomograms.items():
        where = f"{project.path}: run {run}, {found_source}"
        shape = project.tomogram_shape(run, key)
        refuse_voxels(where, found[run].position_zyx, shape=shape, pixel_size=key.pixel_size)
    return Evaluated(truth, found, objects, tomograms, without_truth, without_picks)


def chosen_names(project: Project, asked: Sequence[str]) -> set[str]:
    """Names of the objects that may be scored.

    Raises:
        MetadataError: If one is unknown or no particle, or the project has no particles.
    """
    for name in asked:
        if not project.find(name).is_particle:
            raise MetadataError(
                f"{project.path}: object {name} is no particle and has no picks to score; leave it "
                "out of --objects"
            )
    names = set(asked) or {each.name for each in project.particles()}
    if not names:
        raise MetadataError(
            f"{project.path}: no object is a particle; list those to score in its pickable_objects"
        )
    return names


def chosen_objects(
    project: Project,
    asked: Sequence[str],
    keys: Keys,
    runs: Sequence[str],
    sources: Collection[Source],
) -> tuple[PickableObject, ...]:
    """The classes to score, by label: those asked for, or those with a file from either source."""
    seen = {key.name for run in runs for key in keys[run] if key.source in sources}
    wanted = set(asked) or seen
    chosen = tuple(each for each in project.particles() if each.name in wanted)
    for each in chosen:
        project.radius_of(each)
    return chosen


def drawn_tomograms(
    config: EvaluateConfig, project: Project, runs: Sequence[str]
) -> dict[str, TomogramKey]:
    """The tomogram that stands for each run, of those runs that have one.

    What is asked for must be there. Otherwise any will do, as it is only drawn: a denoised one
    where there is one, for it shows most, of the coarsest sampling.
    """
    if config.voxel_size is not None or config.tomogram_type is not None:
        return {
            run: project.choose_tomogram(run, config.voxel_size, config.tomogram_type)
            for run in runs
        }
    chosen = {}
    for run in runs:
        known = project.tomograms(run)
        if known:
            chosen[run] = max(
                known, key=lambda key: ("denois" in key.tomogram_type, key.pixel_size)
            )
    return chosen


def check_inside(
    project: Project,
    tomograms: Mapping[str, TomogramKey],
    truth: Mapping[str, Picks],
    source: Source,
) -> None:
    """Refuse a truth that does not belong to its tomograms.

    Raises:
        MetadataError: If more than 1 % of its picks lie outside.
    """
    outside = {}
    for run, key in tomograms.items():
        places = truth[run].position_zyx
        shape = project.tomogram_shape(run, key)
        where = f"{project.path}: run {run}, {source}"
        refuse_voxels(where, places, shape=shape, pixel_size=key.pixel_size)
        astray = places[~is_inside(places, shape=shape, pixel_size=key.pixel_size)]
        if len(astray):
            z, y, x = astray[0].tolist()
            where = f"{source} in {run}, such as at (z, y, x) = ({z:.0f}, {y:.0f}, {x:.0f}) Å"
            outside[where] = len(astray)
    refuse_many_outside(str(project.path), outside, sum(len(truth[run]) for run in tomograms))


def _runs_of(source: Source, keys: Keys, project: Project, flag: str) -> list[str]:
    """The runs with picks of a source.

    Raises:
        MetadataError: If there is none, naming the sources there are.
    """
    runs = [run for run, known in keys.items() if any(key.source == source for key in known)]
    if not runs:
        others = sorted({str(key.source) for known in keys.values() for key in known})
        there = f"there are picks of {' and '.join(others)}" if others else "there are no picks"
        raise MetadataError(
            f"{project.path}: {flag} is {source}, which has no picks of these objects in "
            f"{_some(list(keys))}; {there}"
        )
    return runs


def _read(project: Project, run: str, keys: Sequence[PicksKey], source: Source) -> Picks:
    """All picks of a source in one run.

    Raises:
        MetadataError: If a score is not finite, naming run and object.
    """
    parts = []
    for key in (key for key in keys if key.source == source):
        parts.append(project.read_picks(run, key))
        try:
            check_scores(parts[-1].score)
        except MetadataError as error:
            raise MetadataError(f"{project.path}: run {run}, {key}: {error}") from error
    return Picks(
        np.concatenate([np.empty((0, 3)), *(part.position_zyx for part in parts)]),
        species=tuple(name for part in parts for name in part.species),
        score=np.concatenate([np.empty(0), *(part.score for part in parts)]),
    )


def _name_runs(
    without_truth: Sequence[str],
    without_picks: Sequence[str],
    scored: Collection[str],
    truth: Source,
    found: Source,
    on_event: OnEvent,
) -> None:
    left_out = [run for run in without_picks if run not in scored]
    missed = [run for run in without_picks if run in scored]
    remedy = "name them with --runs to count all their particles as missed"
    for runs, text in (
        (without_truth, f"no truth of {truth} in {_some(without_truth)}: left out"),
        (left_out, f"no picks of {found} in {_some(left_out)}: left out; {remedy}"),
        (missed, f"no picks of {found} in {_some(missed)}: all particles there count as missed"),
    ):
        if runs:
            on_event(Message(text, "warning"))


def _name_objects(
    objects: Sequence[PickableObject],
    keys: Keys,
    runs: Sequence[str],
    truth: Source,
    on_event: OnEvent,
) -> None:
    """Say where an object has no file of truth although others have: it counts as absent there."""
    for each in objects:
        wanted = PicksKey(each.name, truth)
        lacking = [run for run in runs if wanted not in keys[run]]
        if lacking:
            text = (
                f"no truth of {each.name},{truth} in {_some(lacking)}: picks there count as false"
            )
            on_event(Message(text, "warning"))


def _some(runs: Sequence[str]) -> str:
    """Names of runs as one reads them."""
    more = f" and {len(runs) - 10} more" if len(runs) > 10 else ""
    return f"{'run' if len(runs) == 1 else 'runs'} {', '.join(runs[:10]) or 'none'}{more}"
