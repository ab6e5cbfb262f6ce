"""A folder serves one run at a time."""

from pathlib import Path

import pytest

from icelens.core.errors import InputFileError, RunLockedError
from icelens.jobs.lock import locked_folder


def test_second_holder_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    # flock belongs to the open file, so a second opening conflicts even in one process.
    with (
        locked_folder(folder),
        pytest.raises(RunLockedError, match="is running a job"),
        locked_folder(folder),
    ):
        pytest.fail("the folder was given twice")
    with locked_folder(folder):
        assert folder.is_dir()


def test_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputFileError, match=r"file/run: cannot be used"),
        locked_folder(tmp_path / "file" / "run"),
    ):
        pytest.fail("a file is no folder")
