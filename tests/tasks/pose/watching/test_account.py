"""Accounts: versions become valid at once, and who was given up adds nothing."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from icelens.core.errors import InputFileError
from icelens.tasks.pose.watching import account as module
from icelens.tasks.pose.watching.account import (
    Contents,
    close_account,
    is_dead,
    read_account,
    read_accounts,
)
from icelens.tasks.pose.watching.own_account import open_account

FORK = multiprocessing.get_context("fork")


def opened(folder: Path, worker: str = "w"):
    return open_account(folder, worker, beat_seconds=100.0)


def said(*names: str) -> Contents:
    return Contents({name: {"file": name} for name in names})


def included(folder: Path) -> list[list[str]]:
    return [list(each.contents.included) for each in read_accounts(folder).values()]


def test_what_is_committed_is_read_by_others(tmp_path):
    with opened(tmp_path) as own:
        assert included(tmp_path) == [[]]
        assert own.commit(said("a"))
        assert own.commit(said("a", "b"))
        assert included(tmp_path) == [["a", "b"]]
        assert not read_accounts(tmp_path)["w"].is_closed
    assert read_accounts(tmp_path)["w"].is_closed


def test_names_and_sums_are_of_one_version(tmp_path):
    with opened(tmp_path) as own:
        own.next_sums(1).write_text("first")
        own.commit(said("a"))
        own.next_sums(1).write_text("second")  # not committed
        account = read_account(own.folder)
        assert account.sums(1).read_text() == "first"
        assert list(account.contents.included) == ["a"]


def test_a_process_that_was_given_up_adds_nothing(tmp_path):
    with opened(tmp_path) as own:
        own.commit(said("a"))
        assert close_account(read_account(own.folder))
        assert not own.commit(said("a", "b"))
        assert included(tmp_path) == [["a"]]
        assert not own.commit(said("a", "b")), "nor later"


def test_a_process_that_commits_first_cannot_be_given_up_for_what_it_did_before(tmp_path):
    with opened(tmp_path) as own:
        old = read_account(own.folder)
        assert own.commit(said("a"))
        assert not close_account(old)
        assert own.commit(said("a", "b"))


def test_a_closed_account_is_gone_on_with_and_its_former_process_stays_out(tmp_path):
    first = opened(tmp_path, "first")
    first.commit(said("a"))
    close_account(read_account(first.folder))
    first._lock.close()  # as if on another machine, whose locks are not seen here
    with opened(tmp_path, "second") as second:
        assert second.name == "first"
        assert list(second.contents.included) == ["a"]
        first.next_sums(1).write_text("from the grave")
        assert not first.commit(said("a", "x"))
        second.next_sums(1).write_text("alive")
        assert second.commit(said("a", "b"))
        assert included(tmp_path) == [["a", "b"]]
        assert read_account(second.folder).sums(1).read_text() == "alive"


def test_an_account_has_one_process_at_a_time(tmp_path):
    with opened(tmp_path) as own:
        own.commit(said("a"))
    with opened(tmp_path) as first, opened(tmp_path) as second:
        assert first.folder != second.folder
        assert sorted(included(tmp_path)) == [[], ["a"]]


def test_old_versions_are_removed_but_for_one_that_may_be_read(tmp_path):
    with opened(tmp_path) as own:
        for number in range(5):
            own.next_sums(1).write_text(str(number))
            own.commit(said(*map(str, range(number))))
        assert len(list(own.folder.glob("*.json"))) == 3, "two versions and the owner"
        assert len(list(own.folder.glob("*half_1*"))) == 2


def wait_forever(folder: Path, ready: "multiprocessing.Event") -> None:
    opened(folder).commit(said("a"))
    ready.set()
    time.sleep(60)


def test_a_killed_process_of_this_machine_is_known_to_be_dead_at_once(tmp_path):
    ready = FORK.Event()
    process = FORK.Process(target=wait_forever, args=(tmp_path, ready))
    process.start()
    assert ready.wait(30)
    account = read_accounts(tmp_path)["w"]
    assert not is_dead(account, 0.0, 300.0)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert is_dead(account, 0.0, 300.0)


def test_a_process_of_another_machine_is_dead_when_it_was_silent(tmp_path, monkeypatch):
    with opened(tmp_path) as own:
        account = read_account(own.folder)
        now = own.now()
        monkeypatch.setattr(module, "kernel", lambda: "another")
        assert not is_dead(account, now + 299.0, 300.0)
        assert is_dead(account, now + 301.0, 300.0)


def test_a_living_process_touches_its_marker(tmp_path):
    with open_account(tmp_path, "w", beat_seconds=0.01) as own:
        marker = read_account(own.folder).marker
        os.utime(marker, (0.0, 0.0))
        deadline = time.monotonic() + 10.0
        while marker.stat().st_mtime == 0.0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert marker.stat().st_mtime > 0.0


def test_a_damaged_account_is_one_line_that_says_what_to_do(tmp_path):
    with opened(tmp_path) as own:
        own.commit(said("a"))
        next(own.folder.glob("0*.json")).write_text("{")
        with pytest.raises(InputFileError, match=r"move .* away") as caught:
            read_account(own.folder)
    assert "\n" not in str(caught.value)


def test_a_folder_without_accounts_has_none(tmp_path):
    assert read_accounts(tmp_path / "absent") == {}
    (tmp_path / "w").mkdir()
    assert read_accounts(tmp_path) == {}, "a process that is just beginning"
