"""The report shows table, runs, false picks, curves, errors and pictures."""

from pathlib import Path

from evaluated_project import FOUND, TRUTH, new_project, scored_project, write

from icelens.jobs.run import run_job
from icelens.tasks.pick.evaluate_jobs import EvaluateConfig, evaluate


def report(folder: Path, **settings: object) -> str:
    values = {"project": folder / "project.json", "output": folder / "out", **settings}
    run_job(evaluate, EvaluateConfig.model_validate(values))
    return (folder / "out" / "report.html").read_text()


def test_report_has_its_parts_in_order(tmp_path):
    scored_project(tmp_path)
    page = report(tmp_path)
    titles = ["Scores", "Runs", "Where false picks lie", "Precision and recall",
              "Errors of position", "Pictures"]  # fmt: skip
    places = [page.index(f"<h2>{title}</h2>") for title in titles]
    assert places == sorted(places)
    assert page.count("<img") == 4
    assert "Numbers stand for objects: 1 ribosome, 2 ferritin." in page


def test_runs_that_lack_something_are_in_the_report(tmp_path):
    project = scored_project(tmp_path)
    write(project, "TS_3", "ribosome", TRUTH, [(1, 2, 3)])
    write(project, "TS_4", "ribosome", FOUND, [(1, 2, 3)])
    page = report(tmp_path, pictures=0)
    assert "Without truth, left out: TS_4." in page
    assert "Without picks, left out: TS_3." in page
    page = report(tmp_path, pictures=0, runs=("TS_1", "TS_3"))
    assert "Without picks, all particles missed: TS_3." in page


def test_picks_without_scores_have_a_point_and_no_threshold(tmp_path):
    project = new_project(tmp_path)
    write(project, "a", "ribosome", TRUTH, [(1, 2, 3)])
    write(project, "a", "ribosome", FOUND, [(1, 2, 3)])
    page = report(tmp_path)
    assert "All picks of a class have one score" in page
    assert "threshold</th>" not in page


def test_nothing_to_score_is_a_report_too(tmp_path):
    project = new_project(tmp_path)
    write(project, "a", "ribosome", TRUTH, [])
    write(project, "a", "ribosome", FOUND, [(1, 2, 3)])
    page = report(tmp_path)
    assert "nothing to score" in page
    assert "Precision and recall" not in page
