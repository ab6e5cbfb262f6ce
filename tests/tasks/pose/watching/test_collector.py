"""Sums of all accounts: kept where they are final, read again where somebody goes on."""

from pathlib import Path

import pytest

from icelens.core.errors import InputFileError
from icelens.core.events import Message
from icelens.core.fourier.insertion import SliceSums
from icelens.core.io.locks import exclusive_lock
from icelens.tasks.pose.sums_file import write_sums
from icelens.tasks.pose.watching import collector as module
from icelens.tasks.pose.watching.account import Contents, read_accounts
from icelens.tasks.pose.watching.collector import Collector
from icelens.tasks.pose.watching.layout import Layout
from icelens.tasks.pose.watching.own_account import OwnAccount, open_account


def add(own: OwnAccount, value: float, half: int = 1) -> None:
    sums = SliceSums(8)
    sums.values += value
    write_sums(own.next_sums(half), sums)
    own.commit(Contents({f"{value}": {"file": "x"}}))


def opened(folder: Path, worker: str) -> OwnAccount:
    return open_account(Layout(folder).accounts, worker, beat_seconds=100.0)


def collector(folder: Path, heard=None, worker: str = "a") -> Collector:
    listen = (lambda event: None) if heard is None else heard.append
    return Collector(
        folder, worker, symmetry="C1", interval=0.01, has_zscores=False, on_event=listen
    )


def total(each: Collector, folder: Path, half: int = 1) -> float | None:
    sums = each._sum(read_accounts(Layout(folder).accounts), half)
    return None if sums is None else float(sums.values[0, 0, 0, 0])


def test_sums_follow_accounts_that_are_closed_and_gone_on_with(tmp_path, monkeypatch):
    reader = collector(tmp_path)
    assert total(reader, tmp_path) is None
    with opened(tmp_path, "a") as first:
        add(first, 1.0)
        with opened(tmp_path, "b") as second:
            add(second, 10.0)
            assert total(reader, tmp_path) == 11.0
        assert total(reader, tmp_path) == 11.0
        assert total(reader, tmp_path) == 11.0, "the kept sums stay as they are"
        reads = []
        original = module.read_sums
        monkeypatch.setattr(module, "read_sums", lambda path: reads.append(path) or original(path))
        assert total(reader, tmp_path) == 11.0
        assert [path.parent.name for path in reads] == ["a"], "closed ones are not read again"
        with opened(tmp_path, "c") as third:
            assert third.name == "b"
            add(third, 30.0)
            assert total(reader, tmp_path) == 31.0
        add(first, 5.0)
        assert total(reader, tmp_path) == 35.0
    assert total(reader, tmp_path, half=2) is None


def prepared(folder: Path) -> None:
    (folder / "geometry").mkdir()
    (folder / "geometry" / "geometry.json").write_text('{"box_size": 8, "pixel_size": 1.0}')
    with opened(folder, "a") as own:
        add(own, 1.0)


def test_nobody_collects_what_another_is_collecting(tmp_path):
    prepared(tmp_path)
    with exclusive_lock(tmp_path / "collected.json"):
        assert collector(tmp_path).collect() is None


def test_the_process_that_collected_last_does_so_again(tmp_path, monkeypatch):
    prepared(tmp_path)
    calls = []
    monkeypatch.setattr(Collector, "_collect", lambda self: calls.append(self._worker))
    note = tmp_path / "collected.json"
    note.write_text('{"worker": "a"}')
    now = note.stat().st_mtime
    collector(tmp_path, worker="b").collect(now=now)
    collector(tmp_path, worker="a").collect(now=now)
    collector(tmp_path, worker="b").collect(now=now + 1.0)
    collector(tmp_path, worker="c").collect(now=now, is_last=True)
    assert calls == ["a", "b", "c"]


def test_a_map_that_cannot_be_made_does_not_end_the_watch(tmp_path, monkeypatch):
    prepared(tmp_path)

    def fail(path):
        raise InputFileError(f"{path}: damaged")

    monkeypatch.setattr(module, "read_sums", fail)
    heard = []
    assert collector(tmp_path, heard).collect() is None
    assert [event.level for event in heard if isinstance(event, Message)] == ["warning"]
    assert not (tmp_path / "collected.json").exists(), "the next attempt begins anew"


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_damaged_note_is_as_none(tmp_path, text):
    (tmp_path / "collected.json").write_text(text)
    assert module._note(tmp_path / "collected.json") == {}
