"""Write target segmentations: picks as spheres over continuous segmentations."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from icelens.core.data.pickable import LARGEST_LABEL, Source
from icelens.core.data.volume import Volume
from icelens.core.errors import IcelensError, MetadataError
from icelens.core.events import Message, Progress, Saved
from icelens.core.geometry.inside import refuse_many_outside
from icelens.core.io.copick.project import (
    PicksKey,
    Project,
    SegmentationKey,
    TomogramKey,
    open_project,
)
from icelens.jobs.run import Run
from icelens.tasks.pick.project_jobs import TargetsConfig
from icelens.tasks.pick.settings import named_sources, source_of
from icelens.tasks.pick.target_labels import Labels, Wanted, positions_of, target_labels


def write_targets(config: TargetsConfig, run: Run) -> Path:
    """Write a segmentation for each run that has something to paint; return the folder.

    Raises:
        MetadataError: If nothing is asked for or found, an object is unknown or has no radius, or
            more than 1 % of the picks are outside.
        GeometryError: If a segmentation does not fit its tomogram.
    """
    project = open_project(config.project)
    wanted = wanted_of(config, project)
    runs = _runs_with_any(config, project, wanted, run)
    told = refuse_many_outside(str(config.project), *_outside(project, runs, wanted))
    if told:
        run.on_event(Message(told, "warning"))
    name, user_id, session_id = config.target
    rows: list[tuple[object, ...]] = []
    for number, (each, key) in enumerate(runs.items(), start=1):
        labels, pixel_size = target_labels(project, each, key, wanted, config.radius_scale)
        target = SegmentationKey(
            key.pixel_size, name, Source(user_id, session_id), is_multilabel=True
        )
        path = project.write_segmentation(each, target, Volume(labels, pixel_size))
        run.on_event(Saved(path, "segmentation"))
        run.on_event(Progress("paint targets", number, len(runs), "run"))
        if not rows:
            try:
                _show(run, project, each, key, labels)
            except IcelensError as error:
                # a tomogram that cannot be read is no reason to lose the targets
                run.on_event(Message(f"run {each} is not drawn: {error}", "warning"))
        counts = np.bincount(labels.ravel(), minlength=LARGEST_LABEL + 1)
        rows.append((each, *(int(counts[other.label]) for other in project.objects)))
    run.report.section("Voxels of each object")
    run.report.table(("run", *(other.name for other in project.objects)), rows)
    run.on_event(Message(f"Wrote {name} for {', '.join(runs)} of {project.name}"))
    return run.folder


def wanted_of(config: TargetsConfig, project: Project) -> Wanted:
    """What the settings ask for, every object known and of a radius.

    Raises:
        MetadataError: If something is unknown, or nothing is asked for.
    """
    picks = [
        (project.find(name), source) for name, source in named_sources(config.picks, flag="--picks")
    ]
    if config.truth is not None:
        source = source_of(config.truth)
        present = {key for each in project.run_names() for key in project.picks(each)}
        picks += [
            (each, source) for each in project.particles() if PicksKey(each.name, source) in present
        ]
    segmentations = named_sources(config.segmentations, flag="--segmentations")
    if not picks and not segmentations:
        found = f"{project.path}: no picks of {source_of(config.truth)}" if config.truth else ""
        raise MetadataError(
            f"{found or 'nothing to paint'}; give --picks, --truth or --segmentations"
        )
    for each, _ in picks:
        project.radius_of(each)
    too_large = [each.name for each in project.objects if each.label > LARGEST_LABEL]
    if too_large:
        raise MetadataError(
            f"{project.path}: label of {', '.join(too_large)} is above {LARGEST_LABEL}, which a "
            "segmentation cannot hold; number the objects anew"
        )
    return Wanted(tuple(picks), tuple(segmentations))


def _runs_with_any(
    config: TargetsConfig, project: Project, wanted: Wanted, run: Run
) -> dict[str, TomogramKey]:
    """Runs that have any of what is wanted, with their tomograms.

    A run without is left out, since an empty target would teach that nothing is there.

    Raises:
        MetadataError: If none has, or one that was named has not.
    """
    chosen: dict[str, TomogramKey] = {}
    left_out = []
    for each in project.select_runs(config.runs):
        present = set(project.picks(each))
        names = {(key.name, key.source) for key in project.segmentations(each)}
        has_any = any(PicksKey(other.name, source) in present for other, source in wanted.picks)
        if has_any or any(pair in names for pair in wanted.segmentations):
            chosen[each] = project.choose_tomogram(each, config.voxel_size, config.tomogram_type)
        elif config.runs:
            raise MetadataError(f"{project.path}: run {each} has nothing of {_asked(wanted)}")
        else:
            left_out.append(each)
    if not chosen:
        raise MetadataError(
            f"{project.path}: no run has anything of {_asked(wanted)}; `icelens pick browse` lists "
            "what there is"
        )
    for each in left_out:
        run.on_event(Message(f"run {each} has nothing to paint and is left out", "warning"))
    return chosen


def _outside(
    project: Project, runs: Mapping[str, TomogramKey], wanted: Wanted
) -> tuple[dict[str, int], int]:
    """Picks outside their tomograms by object and run, and the number of all."""
    outside: dict[str, int] = {}
    num_picks = 0
    for run, key in runs.items():
        for each, places, inside in positions_of(project, run, key, wanted):
            outside[f"{each.name} in {run}"] = int((~inside).sum())
            num_picks += len(places)
    return outside, num_picks


def _asked(wanted: Wanted) -> str:
    named = [f"{each.name},{source}" for each, source in wanted.picks]
    return " or ".join([*named, *(f"{name},{source}" for name, source in wanted.segmentations)])


def _show(run: Run, project: Project, name: str, key: TomogramKey, labels: Labels) -> None:
    """A picture of the first run."""
    from icelens.core.plots.outlines import outlined_slices

    density = project.open_tomogram(name, key).array
    run.report.section("Targets")
    run.report.figure(
        outlined_slices(density, labels),
        name="targets",
        caption=f"Run {name}: outline of the targets over {key}, central slices.",
    )
