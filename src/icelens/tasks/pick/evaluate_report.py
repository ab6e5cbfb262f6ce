"""The report of scored picks: table, runs, false picks, curves, errors; pictures are beside."""

import numpy as np

from icelens.core.io.copick.project import Project
from icelens.core.metrics.confusion import NOTHING, false_picks_on
from icelens.core.metrics.detection import DetectionScore
from icelens.core.plots.detection import error_histograms, precision_recall_curves
from icelens.jobs.run import Run
from icelens.tasks.pick.evaluate_input import Evaluated
from icelens.tasks.pick.evaluate_jobs import EvaluateConfig
from icelens.tasks.pick.evaluate_pictures import by_score, report_pictures
from icelens.tasks.pick.evaluate_words import hints, or_none, score_table, summary

MOST_ROWS = 50
"""Runs listed in the report's table; scores.csv has all."""


def report(
    config: EvaluateConfig, run: Run, project: Project, inputs: Evaluated, score: DetectionScore
) -> None:
    """Fill the report of a run."""
    run.report.section("Scores")
    run.report.text(f"Picks of {','.join(config.picks)} against {','.join(config.truth)}: "
                    f"{summary(score)}.")  # fmt: skip
    run.report.table(*score_table(score))
    for hint in hints(score, inputs):
        run.report.text(f"Beware: {hint}" + ("" if hint.endswith("?") else "."))
    _report_runs(run, inputs, score)
    _report_false_picks(run, inputs, score)
    _report_curves(run, score)
    _report_errors(run, score)
    if config.pictures:
        report_pictures(config, run, project, inputs, score)


def _report_runs(run: Run, inputs: Evaluated, score: DetectionScore) -> None:
    """Scores by run, and the runs that lack something."""
    if len(score.runs) > 1:
        run.report.section("Runs")
        names = [each.name for each in score.classes]
        run.report.table(
            ["run", f"weighted F{score.beta:g}", *names],
            [
                [name, or_none(score.f_beta_of_run(name))]
                + [or_none(each.by_run[name].f_beta(score.beta)) for each in score.classes]
                for name in by_score(score)[:MOST_ROWS]
            ],
        )
        if len(score.runs) > MOST_ROWS:
            run.report.text(f"The lowest {MOST_ROWS} of {len(score.runs)}; scores.csv has all.")
    for runs, text in (
        (inputs.runs_without_truth, "Without truth, left out"),
        ([name for name in inputs.runs_without_picks if name not in score.runs],
         "Without picks, left out"),
        ([name for name in inputs.runs_without_picks if name in score.runs],
         "Without picks, all particles missed"),
    ):  # fmt: skip
        if runs:
            run.report.text(f"{text}: {', '.join(runs)}.")


def _report_false_picks(run: Run, inputs: Evaluated, score: DetectionScore) -> None:
    distances = {each.name: each.distance for each in score.classes}
    lying = false_picks_on(inputs.truth, inputs.found, distances)
    if not lying:
        return
    run.report.section("Where false picks lie")
    columns = [name for name in (*distances, NOTHING) if any(on == name for _, on in lying)]
    run.report.table(
        ["picked as", *(f"on {name}" for name in columns)],
        [
            [name, *(lying[name, column] for column in columns)]
            for name in distances
            if any(picked == name for picked, _ in lying)
        ],
    )
    run.report.text("A false pick on a particle of its own class is a duplicate.")


def _report_curves(run: Run, score: DetectionScore) -> None:
    curves = {each.name: each.curve for each in score.classes if each.curve is not None}
    if not curves:
        return
    run.report.section("Precision and recall")
    run.report.figure(
        precision_recall_curves(curves),
        name="precision_recall",
        caption="Precision over recall as the threshold on the score falls, one to one; the dot "
        "keeps all picks. AP is the area under the steps.",
    )
    if all(len(curve.threshold) < 2 for curve in curves.values()):
        run.report.text("All picks of a class have one score, which makes of each curve a point.")
        return
    run.report.text(
        "Thresholds that would serve these runs best; for others, take them from held-out runs."
    )
    run.report.table(
        ["object", "threshold", f"F{score.beta:g} there", f"F{score.beta:g} of all picks"],
        [
            [each.name, *map(or_none, (each.best_threshold, each.f_beta_at_best, each.f_beta))]
            for each in score.classes if each.curve is not None
        ],
    )  # fmt: skip


def _report_errors(run: Run, score: DetectionScore) -> None:
    paired = [each for each in score.classes if each.counts.num_truth]
    if not paired:
        return
    run.report.section("Errors of position")
    run.report.table(
        ["object", "pairs", "RMS (Å)", "mean shift z", "y", "x", "distance allowed (Å)"],
        [
            [each.name, len(each.error_zyx),
             *map(or_none, (each.rms_error, *(each.offset_zyx or (None,) * 3))), each.distance]
            for each in paired
        ],
    )  # fmt: skip
    run.report.figure(
        error_histograms(
            {each.name: np.linalg.norm(each.error_zyx, axis=1) for each in paired},
            {each.name: each.distance for each in paired},
        ),
        name="errors",
        caption="Distance of each true pick from its particle, up to what counts as true.",
    )
