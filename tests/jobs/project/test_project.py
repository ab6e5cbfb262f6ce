"""Tests of jobs/project/project.py and migrations.py."""

import sqlite3
import threading
from pathlib import Path

import pytest

from icelens.core.errors import InputFileError
from icelens.jobs.project import migrations
from icelens.jobs.project.migrations import MIGRATIONS, ProjectVersionError
from icelens.jobs.project.project import (
    NoProjectError,
    Project,
    create_project,
    file_system,
    find_project,
    open_project,
)
from icelens.jobs.project.queue import Queue


def test_a_folder_that_is_none_says_how_to_make_it_one(tmp_path: Path) -> None:
    with pytest.raises(NoProjectError, match="icelens jobs init"):
        open_project(tmp_path)
    assert find_project(tmp_path) is None


def test_a_project_is_found_from_below_and_through_links(project: Project, tmp_path: Path) -> None:
    below = project.folder / "jobs" / "x"
    below.mkdir(parents=True)
    (tmp_path / "link").symlink_to(below)
    assert find_project(below) == project
    assert find_project(tmp_path / "link") == project


def test_paths_in_the_project_are_kept_relative(project: Project, tmp_path: Path) -> None:
    assert project.relative(project.folder / "a" / ".." / "b.mrc") == "b.mrc"
    assert project.relative(Path("b.mrc")) == "b.mrc"
    assert project.relative(tmp_path / "data.mrc") == str(tmp_path / "data.mrc")
    (tmp_path / "link").symlink_to(project.folder)
    assert project.relative(tmp_path / "link" / "b.mrc") == "b.mrc"


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"x" * 100])
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "icelens.db").write_bytes(content)
    with pytest.raises(InputFileError, match=r"icelens\.db: cannot be used"):
        open_project(tmp_path)
    assert find_project(tmp_path) is None
    assert (tmp_path / "icelens.db").read_bytes() == content


def test_a_project_of_a_newer_icelens_is_left_alone(project: Project) -> None:
    with project.connection() as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(ProjectVersionError, match="update icelens"):
        open_project(project.folder)


def test_an_older_project_gets_the_tables_of_today_and_keeps_its_jobs(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = queue.submit("simulate.tomograms", {})
    added = "ALTER TABLE jobs ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey';"
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, added))
    again = open_project(queue.project.folder)
    with again.connection() as connection:
        assert connection.execute("SELECT colour FROM jobs").fetchone()["colour"] == "grey"
    assert Queue(again).get(entry.number) == entry


def test_a_migration_that_fails_changes_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = "ALTER TABLE jobs ADD COLUMN a TEXT; ALTER TABLE nothing ADD COLUMN b TEXT;"
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, broken))
    with pytest.raises(InputFileError):
        open_project(project.folder)
    with project.connection() as connection:
        columns = [row["name"] for row in connection.execute("PRAGMA table_info(jobs)")]
        assert "a" not in columns


def test_many_threads_make_and_fill_one_project(tmp_path: Path) -> None:
    numbers: list[int] = []

    def work() -> None:
        queue = Queue(create_project(tmp_path / "shared"))
        numbers.extend(queue.submit("simulate.tomograms", {}).number for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 13))


def test_a_change_that_fails_is_taken_back_whole(project: Project) -> None:
    def half() -> None:
        with project.connection(is_write=True) as connection:
            connection.execute("INSERT INTO facts VALUES ('half', '1')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    with project.connection() as connection:
        assert connection.execute("SELECT * FROM facts WHERE name = 'half'").fetchone() is None


def test_the_journal_is_one_that_readers_do_not_wait_for(project: Project) -> None:
    if file_system(project.folder) in ("", "nfs"):
        pytest.skip("the kind of file system is not known")
    with project.connection() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_full_disk_is_told_in_one_line(project: Project) -> None:
    with (
        pytest.raises(InputFileError, match="see that the disk has room"),
        project.connection(),
    ):
        raise sqlite3.OperationalError("database or disk is full")
