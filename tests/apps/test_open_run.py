"""`icelens.open_run` finds out what kind of run a folder holds."""

import subprocess
import sys

import pytest
from hetero_runs import two_states, write_run

import icelens
from icelens.core.errors import InputFileError
from icelens.jobs.opened_run import OpenedRun
from icelens.jobs.run import run_job
from icelens.tasks.hetero.opened_hetero_run import OpenedHeteroRun
from icelens.tasks.tools.wedge_jobs import WedgeConfig, wedge


def test_run_of_hetero_opens_as_one(tmp_path):
    folder = write_run(tmp_path / "run", two_states())
    assert isinstance(icelens.open_run(str(folder)), OpenedHeteroRun)


def test_run_of_another_task_gives_settings_and_tables(tmp_path):
    run_job(wedge, WedgeConfig(tilt_range=(-60.0, 60.0), box_size=16, output=tmp_path / "wedge"))
    run = icelens.open_run(tmp_path / "wedge")
    assert type(run) is OpenedRun
    assert (run.job, run.settings["box_size"]) == ("tools.wedge", 16)


def test_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputFileError, match="is no run"):
        icelens.open_run(tmp_path)


def test_the_package_itself_loads_nothing():
    words = "import sys, icelens; print({'torch', 'pandas', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
