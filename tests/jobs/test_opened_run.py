"""The folder of any job gives its record, metrics, tables and pictures."""

import numpy as np
import pytest
from toy_job import ToyConfig, toy

from icelens.core.errors import InputFileError
from icelens.core.io.csv_table import write_csv
from icelens.jobs.opened_run import open_recorded_run
from icelens.jobs.run import run_job


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "toy"
    star = tmp_path / "a.star"
    star.write_text("")
    run_job(toy, ToyConfig(star=star, output=folder))
    return folder


def test_record_and_settings_are_there(folder):
    run = open_recorded_run(folder)
    assert (run.job, run.state, run.settings["box_size"]) == ("restore.toy", "done", 96)
    assert run.report.is_file()


def test_metrics_have_a_line_for_each_step_and_are_drawn(folder):
    run = open_recorded_run(folder)
    assert run.metrics()["loss"].tolist() == pytest.approx([1.0, 1 / 2, 1 / 3])
    (axes,) = run.curve().axes
    assert axes.get_ylabel() == "loss"


def test_curve_of_what_was_not_measured_is_refused(folder):
    with pytest.raises(InputFileError, match=r"no accuracy; this run measured step, loss"):
        open_recorded_run(folder).curve("accuracy")


def test_tables_are_read_wherever_they_lie(folder):
    (folder / "below").mkdir()
    write_csv(folder / "below" / "numbers.csv", ["a", "b"], [[1, 2.5], [3, 4.5]])
    (folder / "p.star").write_text(
        "data_optics\n\nloop_\n_rlnA\n1\n\ndata_p\n\nloop_\n_rlnB\n1\n2\n"
    )
    run = open_recorded_run(folder)
    assert run.tables() == ("below/numbers.csv", "p.star")
    np.testing.assert_allclose(run.table("below/numbers.csv")["b"], [2.5, 4.5])
    assert run.table("p.star")["rlnB"].tolist() == [1, 2]


@pytest.mark.parametrize("name", ["none.csv", "../a.star"])
def test_table_that_is_not_of_the_run_is_refused(folder, name):
    with pytest.raises(InputFileError, match="no such table; this run has no tables"):
        open_recorded_run(folder).table(name)


def test_damaged_table_is_refused_in_one_line(folder):
    (folder / "empty.csv").write_text("")
    with pytest.raises(InputFileError, match=r"empty.csv: cannot be read as a table"):
        open_recorded_run(folder).table("empty.csv")


def test_run_without_metrics_has_an_empty_table(folder):
    (folder / "metrics.jsonl").unlink()
    run = open_recorded_run(folder)
    assert len(run.metrics()) == 0
    with pytest.raises(InputFileError, match="this run measured nothing"):
        run.curve()


def test_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputFileError, match=r"is no run \(no run.json in it\)"):
        open_recorded_run(tmp_path)
    with pytest.raises(InputFileError, match=r"is no run \(no such folder\)"):
        open_recorded_run(tmp_path / "nowhere")
