"""Pictures of scored picks: each run with what was found, missed and false."""

from collections.abc import Mapping

import numpy as np

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Floats, Picks
from icelens.core.errors import IcelensError
from icelens.core.events import Message, Progress
from icelens.core.io.copick.project import Project, TomogramKey
from icelens.core.metrics.detection import DetectionScore, of_species
from icelens.core.metrics.matching import match_points
from icelens.core.plots.picks import Fate, Marks, choose_slabs, marked_slabs
from icelens.jobs.run import Run
from icelens.tasks.pick.evaluate_input import Evaluated
from icelens.tasks.pick.evaluate_jobs import EvaluateConfig
from icelens.tasks.pick.evaluate_words import as_text

SLABS = 4
"""Slabs drawn of each run."""


def report_pictures(
    config: EvaluateConfig, run: Run, project: Project, inputs: Evaluated, score: DetectionScore
) -> None:
    """Draw the runs with the lowest scores, as many as `config.pictures`."""
    chosen = [name for name in by_score(score) if name in inputs.tomograms][: config.pictures]
    for name in sorted(set(score.runs) - set(inputs.tomograms)):
        run.on_event(Message(f"run {name} has no tomogram to draw", "warning"))
    if not chosen:
        return
    run.report.section("Pictures")
    shown = f"{len(chosen)} of {len(score.runs)} runs, the lowest scores first. "
    key = ", ".join(f"{item.label} {item.name}" for item in inputs.objects)
    run.report.text(f"{shown}Numbers stand for objects: {key}.")
    for number, name in enumerate(chosen, start=1):
        try:
            _draw_run(run, project, inputs, score, name, inputs.tomograms[name])
        except IcelensError as error:
            # A tomogram that cannot be read is no reason to lose the scores.
            run.on_event(Message(f"run {name} is not drawn: {error}", "warning"))
        run.on_event(Progress("draw", number, len(chosen), "run"))


def _draw_run(
    run: Run,
    project: Project,
    inputs: Evaluated,
    score: DetectionScore,
    name: str,
    key: TomogramKey,
) -> None:
    volume = project.open_tomogram(name, key)
    distances = {each.name: each.distance for each in score.classes}
    marks = marks_of(inputs.truth[name], inputs.found[name], inputs.objects, distances)
    radius = float(np.median([item.known_radius() for item in inputs.objects]))
    slabs = choose_slabs(
        list(marks.values()),
        volume.shape[0],
        volume.pixel_size,
        thickness=max(1, round(radius / volume.pixel_size)),
        count=SLABS,
    )
    figure = marked_slabs(volume.array, volume.pixel_size, marks, slabs)
    value = as_text(score.f_beta_of_run(name))
    run.report.figure(
        figure,
        name=f"run_{name}",
        caption=f"{name} ({key.tomogram_type}), weighted F{score.beta:g} {value}: mean of the "
        "slices, circles of the objects' radius where half of it reaches them. Full green: found; "
        "dashed blue: missed; orange with a cross: false.",
    )


def marks_of(
    truth: Picks, found: Picks, objects: tuple[PickableObject, ...], distances: Mapping[str, float]
) -> dict[Fate, Marks]:
    """What became of every particle and pick of one run, one to one, as spheres to draw."""
    spheres: dict[Fate, list[tuple[PickableObject, Floats]]]
    spheres = {"found": [], "missed": [], "false": []}
    for item in objects:
        particles = of_species(truth, item.name).position_zyx
        picks = of_species(found, item.name).position_zyx
        matching = match_points(particles, picks, distances[item.name])
        spheres["found"].append((item, picks[matching.found]))
        spheres["missed"].append((item, np.delete(particles, matching.truth, axis=0)))
        spheres["false"].append((item, np.delete(picks, matching.found, axis=0)))
    return {fate: _as_marks(parts) for fate, parts in spheres.items()}


def _as_marks(parts: list[tuple[PickableObject, Floats]]) -> Marks:
    return Marks(
        np.concatenate([np.empty((0, 3)), *(points for _, points in parts)]),
        np.concatenate(
            [np.empty(0), *(np.full(len(points), item.known_radius()) for item, points in parts)]
        ),
        tuple(str(item.label) for item, points in parts for _ in points),
    )


def by_score(score: DetectionScore) -> list[str]:
    """Runs, the lowest score first, those without any last."""
    values = {name: score.f_beta_of_run(name) for name in score.runs}
    return sorted(
        values, key=lambda name: (float("inf") if (v := values[name]) is None else v, name)
    )
