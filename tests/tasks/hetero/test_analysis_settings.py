"""Analyses write below their run, and nowhere if it is none."""

from typing import ClassVar

import pytest

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


@pytest.mark.parametrize("run", ["nowhere", "."])
def test_nothing_is_made_where_there_is_no_run(run, tmp_path):
    assert make_config(Settings, {"run": tmp_path / run}).output is None
    assert not list(tmp_path.iterdir())


def test_the_run_itself_is_no_place_for_an_analysis(tmp_path):
    (tmp_path / RUN_NAME).touch()
    with pytest.raises(ConfigError, match="the run itself"):
        make_config(Settings, {"run": tmp_path, "output": tmp_path})
