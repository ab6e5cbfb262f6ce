"""The report of a training: scores of held-out runs, thresholds, curves and pictures."""

from collections.abc import Mapping, Sequence

import numpy as np

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.metrics.detection import score_detections
from icelens.core.plots.detection import precision_recall_curves
from icelens.core.plots.picks import choose_slabs, marked_slabs
from icelens.jobs.run import Run
from icelens.tasks.pick.evaluate_pictures import marks_of
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.scoring import HeldOut, described, true_picks
from icelens.tasks.pick.settings import DEFAULT_THRESHOLD
from icelens.tasks.pick.splits import Split

_SLABS = 4


def report_training(
    run: Run,
    split: Split,
    judges: Sequence[LabelledTomogram],
    held_out: HeldOut,
    thresholds: Mapping[str, float],
    tests: Sequence[LabelledTomogram],
    tested: HeldOut | None,
    objects: Sequence[PickableObject],
) -> None:
    """Fill the report of a training run."""
    run.report.section("Runs")
    run.report.table(
        ["for", "runs"],
        [
            ["training", ", ".join(split.train)],
            ["validation (step and thresholds)", ", ".join(split.validation) or "none"],
            ["test (looked at once)", ", ".join(split.test) or "none"],
        ],
    )
    where = "validation runs" if split.validation else "training runs (too good to be true)"
    run.report.section(f"Scores on the {where}")
    run.report.text(
        f"Best score {held_out.score:.3f}: {described(held_out)}. Thresholds are those of the "
        "greatest F-beta; on other runs expect a little less."
    )
    show_scores(run, held_out, thresholds)
    curves = {each.name: each.curve for each in held_out.classes() if each.curve is not None}
    if curves:
        run.report.figure(
            precision_recall_curves(curves),
            name="precision_recall",
            caption="Precision over recall as the threshold falls, one to one.",
        )
    show_worst_run(run, judges, held_out, thresholds, objects, name="held_out")
    if tested is not None:
        run.report.section("Scores on the test runs, at those thresholds")
        kept = {name: kept_picks(picks, thresholds) for name, picks in tested.picks.items()}
        truth = {each.name: true_picks(each, objects) for each in tests}
        classes = [each for each in objects if any(each.name == c.name for c in tested.classes())]
        beta = tested.particles.beta if tested.particles else 4.0
        score = score_detections(truth, kept, classes, beta=beta)
        if score.f_beta is not None:
            run.report.text(f"Weighted F{beta:g} by the CZII rule: {score.f_beta:.3f}.")
        show_scores(run, HeldOut(score, tested.dice, kept), thresholds)
        show_worst_run(run, tests, tested, thresholds, objects, name="test")


def kept_picks(picks: Picks, thresholds: Mapping[str, float]) -> Picks:
    """Picks that reach the threshold of their object."""
    least = [thresholds.get(name, DEFAULT_THRESHOLD) for name in picks.species]
    return picks.select(picks.score >= np.array(least).reshape(-1))


def show_scores(run: Run, result: HeldOut, thresholds: Mapping[str, float]) -> None:
    """Add the table of classes: scores, thresholds and errors of positions."""
    run.report.table(
        ["object", "particles", "F-beta, best", "average precision", "threshold", "error RMS (Å)"],
        [
            [
                each.name,
                each.counts.num_truth,
                _shown(each.f_beta_at_best),
                _shown(each.average_precision),
                f"{thresholds.get(each.name, DEFAULT_THRESHOLD):.3f}",
                _shown(each.rms_error, digits=1),
            ]
            for each in result.classes()
        ],
    )
    if result.dice:
        run.report.table(
            ["continuous class", "Dice"], [[n, f"{v:.3f}"] for n, v in result.dice.items()]
        )


def _shown(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def show_worst_run(
    run: Run,
    tomograms: Sequence[LabelledTomogram],
    result: HeldOut,
    thresholds: Mapping[str, float],
    objects: Sequence[PickableObject],
    *,
    name: str,
) -> None:
    """The run with the lowest score, with what was found, missed and false."""
    if result.particles is None:
        return
    particles = result.particles
    values = {each.name: particles.f_beta_of_run(each.name) or 0.0 for each in tomograms}
    tomogram = min(tomograms, key=lambda each: values[each.name])
    scored = tuple(each for each in objects if any(each.name == c.name for c in result.classes()))
    distances = {each.name: each.distance for each in result.classes()}
    found = kept_picks(result.picks[tomogram.name], thresholds)
    marks = marks_of(true_picks(tomogram, objects), found, scored, distances)
    radius = float(np.median([each.known_radius() for each in scored]))
    thickness = max(1, round(radius / tomogram.pixel_size))
    slabs = choose_slabs(
        list(marks.values()),
        tomogram.shape[0],
        tomogram.pixel_size,
        thickness=thickness,
        count=_SLABS,
    )
    run.report.figure(
        marked_slabs(tomogram.views[0].astype(np.float32), tomogram.pixel_size, marks, slabs),
        name=f"picks_{name}",
        caption=f"{tomogram.name}: found (green), missed (dashed blue), false (orange cross). "
        f"Numbers: {', '.join(f'{each.label} {each.name}' for each in scored)}.",
    )
