"""Analyses write below their run, and nowhere if it is none."""

from typing import ClassVar

import pytest

from icelens.apps import cli
from icelens.jobs.config import ConfigError
from icelens.jobs.validation import make_config
from icelens.tasks.hetero.analysis_settings import _SIGN_OF_A_RUN, RunAnalysisConfig
from icelens.tasks.hetero.hetero_run import RUN_NAME


class Settings(RunAnalysisConfig):
    what: ClassVar[str] = "thing"


def test_output_is_below_the_run_unless_it_is_named(tmp_path):
    assert _SIGN_OF_A_RUN == RUN_NAME
    (tmp_path / RUN_NAME).touch()
    assert make_config(Settings, {"run": str(tmp_path)}).output == tmp_path / "analysis" / "thing"
    named = make_config(Settings, {"run": tmp_path, "output": tmp_path / "a"})
    assert named.output == tmp_path / "a"


def test_settings_of_an_earlier_run_are_read_again(tmp_path):
    (tmp_path / RUN_NAME).touch()
    first = make_config(Settings, {"run": tmp_path, "epoch": 3})
    assert make_config(Settings, first.model_dump(mode="json")) == first


@pytest.mark.parametrize(
    ("run", "output", "piece"),
    [
        ("run", "run", "the run itself"),
        ("other", "run", "another run"),
    ],
)
def test_analysis_is_not_written_over_the_run(run, output, piece, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / RUN_NAME).touch()
    values = {"run": tmp_path / run}
    values["output"] = tmp_path / output
    with pytest.raises(ConfigError, match=piece):
        make_config(Settings, values)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


@pytest.mark.parametrize(
    "words", ["volumes", "evaluate --particles p.star", "analyze", "landscape", "traverse"]
)
def test_no_job_writes_over_the_record_of_its_run(words, tmp_path, capsys):
    (tmp_path / RUN_NAME).touch()
    command = f"hetero {words} --run {tmp_path} --output {tmp_path}"
    assert cli.main(command.split()) == 2
    assert "the run itself" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [RUN_NAME]


@pytest.mark.parametrize(("run", "piece"), [("no", "no such folder"), (".", "no hetero.json")])
def test_folder_that_is_no_run_is_refused_before_anything_is_made(run, piece, tmp_path, capsys):
    assert cli.main(["hetero", "analyze", "--run", str(tmp_path / run)]) == 2
    heard = capsys.readouterr().err
    assert piece in heard
    assert len(heard.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())
