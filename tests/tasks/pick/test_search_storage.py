"""Journals and databases open, are mended, or end in one line."""

import os
import sqlite3
from pathlib import Path

import optuna
import pytest

from icelens.core.errors import InputFileError
from icelens.tasks.pick.search_storage import (
    explained_storage,
    open_storage,
    quiet_optuna,
    shown,
)
from icelens.tasks.pick.search_workers import begin_again


def study_in(storage: str) -> optuna.Study:
    with quiet_optuna():
        return optuna.create_study(
            storage=open_storage(storage, begin_again),
            study_name="s",
            load_if_exists=True,
            direction="maximize",
        )


def test_a_journal_is_made_and_found_again(tmp_path: Path) -> None:
    path = str(tmp_path / "deep" / "trials.log")
    study = study_in(path)
    study.tell(study.ask(), 0.5)
    assert [trial.value for trial in study_in(path).trials] == [0.5]


def test_a_last_line_cut_by_a_kill_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "trials.log"
    study = study_in(str(path))
    study.tell(study.ask(), 0.5)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code":4,"work')
    mended = study_in(str(path))
    mended.tell(mended.ask(), 0.75)
    assert [trial.value for trial in study_in(str(path)).trials] == [0.5, 0.75]
    assert path.read_bytes().startswith(whole)


def test_a_journal_cut_within_its_first_line_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "trials.log"
    path.write_bytes(b'{"op_code":0,"wor')
    assert study_in(str(path)).trials == []


@pytest.mark.parametrize(
    "content", [b"{\n}", b"SQLite format 3\0", b"[1]\n", b'{"a": 1}\n', b"\xff\xfe\n", b"3\n"]
)
def test_other_files_are_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "project.json"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"project.json: not the journal of a search"):
        open_storage(str(path), begin_again)
    assert path.read_bytes() == content


def test_a_damaged_journal_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "trials.log"
    study = study_in(str(path))
    study.tell(study.ask(), 0.5)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"garbage\n" + lines[-1])
    with pytest.raises(InputFileError, match="not the journal of a search, or damaged"):
        study_in(str(path))


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="is a folder"):
        open_storage(str(tmp_path), begin_again)


def test_a_place_below_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputFileError, match="cannot be used as the journal"):
        open_storage(str(tmp_path / "file" / "trials.log"), begin_again)


def test_sqlite_works(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'trials.db'}"
    study = study_in(url)
    study.tell(study.ask(), 0.5)
    assert len(study_in(url).trials) == 1


def test_a_locked_database_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "trials.db"
    url = f"sqlite:///{path}?timeout=0.01"
    study = study_in(url)
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with (
            pytest.raises(InputFileError, match="locked by another program") as caught,
            quiet_optuna(),
            explained_storage(url),
        ):
            study.ask()
        assert "\n" not in str(caught.value)
        with pytest.raises(InputFileError, match="locked by another program"):
            open_storage(url, begin_again)
    finally:
        other.close()


def test_a_missing_driver_is_named() -> None:
    with pytest.raises(InputFileError, match="driver oracledb is not installed"):
        open_storage("oracle+oracledb://user:secret@host/name", begin_again)


@pytest.mark.parametrize("url", ["nonsense://x", "postgresql://", "://"])
def test_an_odd_url_is_one_line(url: str) -> None:
    with pytest.raises(InputFileError) as caught:
        open_storage(url, begin_again)
    assert "\n" not in str(caught.value)


def test_a_database_that_is_none_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "trials.db"
    path.write_text("not a database, but long enough to be taken for one by its size" * 20)
    with pytest.raises(InputFileError, match="file is not a database"):
        open_storage(f"sqlite:///{path}", begin_again)


def test_passwords_are_not_shown() -> None:
    assert shown("postgresql://me:secret@host:5/name") == "postgresql://me@host:5/name"
    assert shown("postgresql://me@host/name") == "postgresql://me@host/name"
    assert shown("sqlite:///a.db") == "sqlite:///a.db"
    assert shown("folder/trials.log") == "folder/trials.log"


@pytest.mark.skipif("ICELENS_TEST_POSTGRES" not in os.environ, reason="names no database")
def test_postgresql_is_shared_by_two_connections() -> None:
    import uuid

    url = os.environ["ICELENS_TEST_POSTGRES"]
    name = f"test-{uuid.uuid4()}"
    with quiet_optuna():
        first, second = (
            optuna.create_study(
                storage=open_storage(url, begin_again), study_name=name, load_if_exists=True
            )
            for _ in range(2)
        )
        try:
            first.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
            second.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
            first.enqueue_trial({"x": 0.25})
            second.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
            values = [trial.value for trial in first.trials]
        finally:
            optuna.delete_study(study_name=name, storage=url)
    assert len(values) == 4
    assert values[3] == 0.25
