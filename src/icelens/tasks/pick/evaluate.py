"""Score the picks of a project: gather truth and picks, count, write the scores, report."""

import json
from collections.abc import Iterator
from pathlib import Path

from icelens.core.events import Message, OnEvent, Saved
from icelens.core.io.atomic import atomic_path
from icelens.core.io.copick.project import open_project
from icelens.core.io.csv_table import write_csv
from icelens.core.metrics.confusion import false_picks_on
from icelens.core.metrics.detection import ClassScore, DetectionScore, score_detections
from icelens.core.metrics.detection_counts import Counts
from icelens.jobs.run import Run
from icelens.tasks.pick.evaluate_input import Evaluated, gather
from icelens.tasks.pick.evaluate_jobs import EvaluateConfig
from icelens.tasks.pick.evaluate_report import report
from icelens.tasks.pick.evaluate_words import aligned, hints, score_table, summary

POOLED = "all"
"""Name in `scores.csv` of all runs together."""


def evaluate_picks(config: EvaluateConfig, run: Run) -> Path:
    """Score, write and report; return the path of `scores.json`."""
    project = open_project(config.project)
    inputs = gather(config, project, run.on_event)
    score = score_detections(
        inputs.truth,
        inputs.found,
        inputs.objects,
        distance_scale=config.distance_scale,
        beta=config.beta,
        rule=config.rule,
    )
    say(score, inputs, run.on_event)
    path = write_scores(run.folder, config, score, inputs)
    for name, kind in (("scores.json", "scores"), ("scores.csv", "table"), ("curves.csv", "table")):
        run.on_event(Saved(run.folder / name, kind))
    report(config, run, project, inputs, score)
    return path


def say(score: DetectionScore, inputs: Evaluated, on_event: OnEvent) -> None:
    """The table of scores and what it means, line by line."""
    header, rows = score_table(score)
    for line in aligned(header, rows):
        on_event(Message(line))
    on_event(Message(summary(score)))
    for hint in hints(score, inputs):
        on_event(Message(hint, "warning"))


def write_scores(
    folder: Path, config: EvaluateConfig, score: DetectionScore, inputs: Evaluated
) -> Path:
    """Write `scores.json`, `scores.csv` and `curves.csv`; return the first."""
    write_csv(folder / "scores.csv", _COLUMNS, score_rows(score))
    write_csv(
        folder / "curves.csv",
        ("object", "threshold", "precision", "recall"),
        (
            (each.name, *point)
            for each in score.classes
            if each.curve is not None
            for point in zip(
                each.curve.threshold.tolist(),
                each.curve.precision.tolist(),
                each.curve.recall.tolist(),
                strict=True,
            )
        ),
    )
    distances = {each.name: each.distance for each in score.classes}
    lying = false_picks_on(inputs.truth, inputs.found, distances)
    content = {
        "truth": ",".join(config.truth),
        "picks": ",".join(config.picks),
        "rule": score.rule,
        "beta": score.beta,
        "distance_scale": score.distance_scale,
        "f_beta": score.f_beta,
        "mean_average_precision": score.mean_average_precision,
        "objects": {each.name: as_record(each) for each in score.classes},
        "runs": {name: {"f_beta": score.f_beta_of_run(name)} for name in score.runs},
        "runs_without_truth": list(inputs.runs_without_truth),
        "runs_without_picks": list(inputs.runs_without_picks),
        "false_picks": [
            {"picked": picked, "on": other, "count": count}
            for (picked, other), count in sorted(lying.items())
        ],
    }
    path = folder / "scores.json"
    with atomic_path(path) as temporary:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def as_record(score: ClassScore) -> dict[str, object]:
    """All about one class, for `scores.json`; null where there is nothing to score."""
    return {
        "weight": score.weight,
        "distance": score.distance,
        **_count_record(score.counts, score.beta),
        "average_precision": score.average_precision,
        "rms_error": score.rms_error,
        "offset_zyx": score.offset_zyx,
        "best_threshold": score.best_threshold,
        "runs": {run: _count_record(each, score.beta) for run, each in score.by_run.items()},
    }


_COUNT_COLUMNS = (
    "particles", "picks", "true", "false", "duplicates", "missed", "precision", "recall", "f_beta",
)  # fmt: skip
_COLUMNS = (
    "run", "object", "weight", *_COUNT_COLUMNS, "average_precision", "rms_error",
    "offset_z", "offset_y", "offset_x", "best_threshold",
)  # fmt: skip


def score_rows(score: DetectionScore) -> Iterator[list[object]]:
    """Rows of `scores.csv`: each class in all runs together, then in each run."""
    for each in score.classes:
        yield [
            POOLED,
            each.name,
            each.weight,
            *_count_record(each.counts, each.beta).values(),
            each.average_precision,
            each.rms_error,
            *(each.offset_zyx or (None,) * 3),
            each.best_threshold,
        ]
    for run in score.runs:
        for each in score.classes:
            yield [
                run,
                each.name,
                each.weight,
                *_count_record(each.by_run[run], each.beta).values(),
                *[None] * 6,
            ]


def _count_record(counts: Counts, beta: float) -> dict[str, object]:
    values = (
        counts.num_truth, counts.num_found, counts.true, counts.false, counts.duplicates,
        counts.missed, counts.precision, counts.recall, counts.f_beta(beta),
    )  # fmt: skip
    return dict(zip(_COUNT_COLUMNS, values, strict=True))
