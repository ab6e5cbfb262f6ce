"""Scores are written as they were counted."""

import csv
import json
from pathlib import Path

import pytest
from evaluated_project import FOUND, TRUTH, new_project, scored_project, write

from icelens.core.events import Event, Message, Saved
from icelens.jobs.run import Run, run_job
from icelens.tasks.pick.evaluate import evaluate_picks
from icelens.tasks.pick.evaluate_jobs import EvaluateConfig, evaluate


def scores(folder: Path, **settings: object) -> tuple[dict, list[dict[str, str]], str]:
    """The content of scores.json, the rows of scores.csv, and what was said."""
    events: list[Event] = []
    values = {"project": folder / "project.json", "output": folder / "out", "pictures": 0}
    path = run_job(
        evaluate, EvaluateConfig.model_validate(values | settings), on_event=events.append
    )
    with (path.parent / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    text = "\n".join(event.text for event in events if isinstance(event, Message))
    return json.loads(path.read_text()), rows, text


def test_scores_are_pooled_and_by_run(tmp_path):
    scored_project(tmp_path)
    content, rows, _ = scores(tmp_path)
    ribosome = content["objects"]["ribosome"]
    expected = {
        "particles": 4, "picks": 5, "true": 3, "false": 2, "duplicates": 1, "missed": 1,
        "precision": 0.6, "recall": 0.75,
    }  # fmt: skip
    assert {key: ribosome[key] for key in expected} == expected
    f4 = {"ribosome": 17 * 0.6 * 0.75 / (16 * 0.6 + 0.75), "ferritin": 17 * 0.5 / 16.5}
    assert content["f_beta"] == pytest.approx((f4["ribosome"] + 2 * f4["ferritin"]) / 3)
    assert ribosome["runs"]["TS_1"]["true"] == 2
    assert ribosome["rms_error"] == pytest.approx((25 / 3) ** 0.5)
    assert ribosome["average_precision"] == pytest.approx(0.75)
    assert [(row["run"], row["object"], row["true"]) for row in rows] == [
        ("all", "ribosome", "3"), ("all", "ferritin", "1"),
        ("TS_1", "ribosome", "2"), ("TS_1", "ferritin", "1"),
        ("TS_2", "ribosome", "1"), ("TS_2", "ferritin", "0"),
    ]  # fmt: skip


def test_false_picks_are_told_by_what_they_lie_on(tmp_path):
    scored_project(tmp_path)
    content, _, _ = scores(tmp_path)
    assert content["false_picks"] == [
        {"picked": "ribosome", "on": "ferritin", "count": 1},
        {"picked": "ribosome", "on": "ribosome", "count": 1},
    ]


def test_curve_of_each_class_is_written(tmp_path):
    scored_project(tmp_path)
    scores(tmp_path)
    with (tmp_path / "out" / "curves.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["object"] == "ribosome"]
    assert [float(row["threshold"]) for row in rows] == [0.9, 0.8, 0.6, 0.4, 0.3]
    assert [float(row["recall"]) for row in rows] == [0.25, 0.5, 0.75, 0.75, 0.75]


def test_class_absent_from_the_truth_is_null_with_its_false_picks(tmp_path):
    project = scored_project(tmp_path)
    for run in ("TS_1", "TS_2"):
        write(project, run, "ferritin", TRUTH, [])
    content, rows, text = scores(tmp_path)
    ferritin = content["objects"]["ferritin"]
    assert (ferritin["false"], ferritin["f_beta"], ferritin["precision"]) == (1, None, None)
    assert content["f_beta"] == content["objects"]["ribosome"]["f_beta"]
    assert next(row for row in rows if row["object"] == "ferritin")["f_beta"] == ""
    assert "no particle of ferritin (1 false picks) in the truth: left out of the mean" in text


def test_rule_and_distance_are_the_ones_asked_for(tmp_path):
    project = new_project(tmp_path)
    write(project, "a", "ribosome", TRUTH, [(50, 50, 50), (50, 50, 100)])
    write(project, "a", "ribosome", FOUND, [(50, 50, 75)])
    content, _, text = scores(tmp_path)
    assert content["objects"]["ribosome"]["true"] == 2
    assert "one pick found two particles" in text
    content, _, _ = scores(tmp_path, rule="one-to-one")
    assert content["objects"]["ribosome"]["true"] == 1
    content, _, _ = scores(tmp_path, distance_scale=0.25)
    assert content["objects"]["ribosome"]["true"] == 0


def test_nothing_to_score_is_said_and_written(tmp_path):
    project = new_project(tmp_path)
    write(project, "a", "ribosome", TRUTH, [])
    write(project, "a", "ribosome", FOUND, [])
    content, _, text = scores(tmp_path, pictures=3)
    assert content["f_beta"] is None
    assert "nothing to score" in text


def test_function_returns_the_scores_and_says_each_file(tmp_path):
    scored_project(tmp_path)
    saved = []
    run = Run(tmp_path, lambda event: saved.append(event) if isinstance(event, Saved) else None)
    config = EvaluateConfig(project=tmp_path / "project.json", pictures=0)
    assert evaluate_picks(config, run) == tmp_path / "scores.json"
    assert [event.path.name for event in saved] == ["scores.json", "scores.csv", "curves.csv"]


def test_evaluating_again_gives_the_same_file(tmp_path):
    scored_project(tmp_path)
    scores(tmp_path)
    first = (tmp_path / "out" / "scores.json").read_bytes()
    scores(tmp_path)
    assert (tmp_path / "out" / "scores.json").read_bytes() == first
