"""Make picks of what a network predicted, run by run, and show what was found."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.events import Message, Progress, Saved
from icelens.core.io.copick.project import PicksKey, open_project
from icelens.core.plots.histograms import stacked_histograms
from icelens.jobs.run import Run
from icelens.tasks.pick.description import read_checkpoint
from icelens.tasks.pick.localize_input import find_maps
from icelens.tasks.pick.localize_jobs import LocalizeConfig
from icelens.tasks.pick.localize_picker import Floats, Found, Picker


def localize_runs(config: LocalizeConfig, run: Run) -> list[Path]:
    """Pick every chosen run, write its picks at once, and report counts and scores.

    Raises:
        IcelensError: If a run was not predicted, or what to pick is not known; before anything is
            written, unless it shows only when a later run is read.
    """
    project = open_project(config.project)
    model = None if config.model is None else read_checkpoint(config.model)
    maps = [
        find_maps(
            project,
            name,
            config.segmentation,
            voxel_size=config.voxel_size,
            tomogram_type=config.tomogram_type,
            needs_labels=config.method != "peaks",
        )
        for name in project.select_runs(config.runs)
    ]
    picker = Picker(config, project, model, run.on_event)
    source = Source(config.user, config.session)
    paths, found_in = [], {}
    for done, each in enumerate(maps, start=1):
        found = picker.pick(each)
        for name, particles in found.items():
            picks = Picks(
                particles.positions,
                species=(name,) * len(particles.scores),
                score=particles.scores,
                tomogram_id=(each.run,) * len(particles.scores),
            )
            paths.append(project.write_picks(each.run, PicksKey(name, source), picks))
            run.on_event(Saved(paths[-1], "picks"))
        told = ", ".join(f"{len(one.scores)} {name}" for name, one in found.items())
        run.on_event(Message(f"{each.run}: {told}"))
        run.on_event(Progress("runs", done, len(maps), "run"))
        found_in[each.run] = found
    _report(run, picker, found_in)
    return paths


def _report(run: Run, picker: Picker, found_in: dict[str, dict[str, Found]]) -> None:
    """Counts of each object in each run, and how the scores are distributed."""
    names = [each.name for each in picker.objects]
    run.report.section("Picks")
    rows: list[Sequence[object]] = [
        (name, *(len(found[each].scores) for each in names)) for name, found in found_in.items()
    ]
    scores: dict[str, Floats] = {
        each: np.concatenate([found[each].scores for found in found_in.values()]) for each in names
    }
    rows.append(("all", *(len(values) for values in scores.values())))
    run.report.table(("run", *names), rows)
    absent = [each for each in names if not len(scores[each])]
    if absent:
        sentence = f"nothing was found of {', '.join(absent)}; its picks are written as empty"
        run.on_event(Message(sentence, "warning"))
        run.report.text(sentence)
    thresholds = {name: (value,) for name, value in picker.thresholds.items()}
    if thresholds:
        words = ", ".join(f"{name} {value:.3g}" for name, (value,) in thresholds.items())
        run.report.text(f"Least probability of a peak: {words}.")
    run.report.figure(
        stacked_histograms(scores, label="score", limits=(0.0, 1.0), marks=thresholds),
        name="scores",
        caption="Scores of the picks of each object, all runs together; the line is the threshold.",
    )
