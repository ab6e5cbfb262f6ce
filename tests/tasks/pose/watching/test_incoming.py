"""Files are taken when they are complete, each once, whatever they are called."""

import os
import time
from pathlib import Path

import pytest

from icelens.core.errors import InputFileError
from icelens.tasks.pose.watching import incoming as module
from icelens.tasks.pose.watching.incoming import Entry, Incoming


def looking(folder: Path, settle: float = 0.0, pattern: str = "*.star") -> Incoming:
    return Incoming(folder, pattern, settle=settle, without=folder / "live")


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def keys(incoming: Incoming) -> list[str]:
    return sorted(entry.key for entry in incoming.look())


def test_a_file_is_complete_when_it_did_not_change_for_long_enough(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    path = write(tmp_path / "a.star")
    incoming = looking(tmp_path, settle=10.0)
    assert keys(incoming) == []
    clock[0] = 9.0
    assert keys(incoming) == []
    write(path, "longer")
    assert keys(incoming) == []
    clock[0] = 18.0
    assert keys(incoming) == []
    clock[0] = 19.0
    assert keys(incoming) == ["a.star"]


def test_an_old_file_is_looked_at_twice_too_for_clocks_may_be_wrong(tmp_path):
    path = write(tmp_path / "a.star")
    os.utime(path, (0, 0))
    assert keys(looking(tmp_path, settle=10.0)) == []


def test_empty_and_hidden_files_wait(tmp_path):
    write(tmp_path / "a.star", "")
    write(tmp_path / ".b.star.x7f")
    write(tmp_path / ".c.star")
    write(tmp_path / ".hidden" / "d.star")
    assert keys(looking(tmp_path)) == []


def test_names_in_subfolders_are_told_apart(tmp_path):
    for name in ("a.star", "one/a.star", "two/a.star"):
        write(tmp_path / name)
    entries = looking(tmp_path).look()
    assert len({entry.name for entry in entries}) == 3


def test_the_pattern_chooses(tmp_path):
    write(tmp_path / "a.star")
    write(tmp_path / "b_particles.star")
    assert keys(looking(tmp_path, pattern="*_particles.star")) == ["b_particles.star"]


def test_our_own_results_do_not_come_in_again(tmp_path):
    write(tmp_path / "live" / "particles.star")
    write(tmp_path / "live" / "particles" / "a.star")
    write(tmp_path / "a.star")
    assert keys(looking(tmp_path)) == ["a.star"]


def test_links_to_one_file_are_one(tmp_path):
    outside = write(tmp_path / "raw" / "x.star")
    folder = tmp_path / "in"
    write(folder / "a.star")
    (folder / "b.star").symlink_to(folder / "a.star")
    (folder / "c.star").symlink_to(outside)
    (folder / "d.star").symlink_to(outside)
    (folder / "lost.star").symlink_to(tmp_path / "nowhere")
    assert keys(looking(folder)) == sorted([str(outside.resolve()), "a.star"])


def test_a_loop_of_linked_folders_ends(tmp_path):
    write(tmp_path / "sub" / "a.star")
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    assert keys(looking(tmp_path)) == ["sub/a.star"]


@pytest.mark.parametrize(
    "name", ["a b.star", "é ü 電子.star", "x" * 240 + ".star", "..star", "a'\"#$;\n.star", "-.star"]
)
def test_any_name_has_a_short_safe_one(tmp_path, name):
    short = Entry(name, tmp_path / name, (1, 1)).name
    assert len(short.encode()) < 120
    assert not short.startswith(".")
    (tmp_path / short).mkdir()


def test_letters_that_are_composed_differently_are_the_same_name(tmp_path):
    composed, apart = ("\u00e9.star", "e\u0301.star")
    names = {Entry(key, tmp_path, (1, 1)).name for key in (composed, apart)}
    assert len(names) == 1


def test_a_name_that_is_not_unicode_is_taken(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.star"))
    write(path)
    (entry,) = looking(tmp_path).look()
    assert entry.key == "\\xff.star"
    assert entry.path.read_text() == "x"


def test_oldest_come_first(tmp_path):
    for age, name in enumerate(["c.star", "a.star", "b.star"]):
        os.utime(write(tmp_path / name), (1000 - age, 1000 - age))
    assert [entry.key for entry in looking(tmp_path).look()] == ["b.star", "a.star", "c.star"]


def test_waiting_for_what_was_there_ends_when_it_is_complete_or_changes(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    path = write(tmp_path / "a.star")
    incoming = looking(tmp_path, settle=10.0)
    assert incoming.are_settling(), "nobody has looked yet"
    incoming.look()
    assert incoming.are_settling()
    clock[0] = 5.0
    write(path, "longer")
    write(tmp_path / "new.star")
    incoming.look()
    assert not incoming.are_settling(), "who writes without an end does not keep us"


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(InputFileError, match="no such folder"):
        looking(tmp_path / "absent")


def test_files_that_vanish_are_forgotten(tmp_path):
    path = write(tmp_path / "a.star")
    incoming = looking(tmp_path)
    assert keys(incoming) == ["a.star"]
    path.unlink()
    assert keys(incoming) == []
    assert time.monotonic() > 0


def test_the_folder_of_the_results_is_not_watched_itself(tmp_path):
    with pytest.raises(InputFileError, match="is also --output"):
        Incoming(tmp_path, "*.star", settle=0.0, without=tmp_path / "a" / "..")
