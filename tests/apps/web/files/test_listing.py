"""Tests of apps/web/files/listing.py."""

import os
from pathlib import Path

import pytest

from icelens.apps.web.files import listing
from icelens.apps.web.files.listing import list_folder, starting_points
from icelens.apps.web.roots import Roots
from icelens.core.errors import InputFileError


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    (tmp_path / "project" / "Sub folder").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    return Roots.of(tmp_path / "project", tmp_path / "other")


def test_folders_come_first_and_hidden_files_not_at_all(roots: Roots) -> None:
    folder = roots.folders[0]
    for name in ("b.star", "A.mrc", ".hidden", "ü.cs"):
        (folder / name).write_text("12345")
    (folder / "vol.zarr").mkdir()
    found = list_folder(roots, folder)
    assert [each.name for each in found.entries] == [
        "Sub folder", "A.mrc", "b.star", "vol.zarr", "ü.cs",
    ]  # fmt: skip
    assert found.entries[1].size == 5
    assert not found.entries[3].is_folder
    assert found.folder == "."
    assert found.entries[2].path == "b.star"


def test_only_fitting_files_are_listed(roots: Roots) -> None:
    folder = roots.folders[0]
    (folder / "b.star").touch()
    (folder / "b.txt").touch()
    names = [each.name for each in list_folder(roots, folder, (".star",)).entries]
    assert names == ["Sub folder", "b.star"]


def test_links_say_where_they_lead_and_those_outside_are_marked(
    roots: Roots, tmp_path: Path
) -> None:
    folder = roots.folders[0]
    (tmp_path / "other" / "x.mrc").touch()
    (tmp_path / "secret.mrc").touch()
    (folder / "in").symlink_to(tmp_path / "other" / "x.mrc")
    (folder / "out").symlink_to(tmp_path / "secret.mrc")
    (folder / "out folder").symlink_to("/etc")
    (folder / "nowhere").symlink_to("missing")
    (folder / "ring").symlink_to("ring")
    found = {each.name: each for each in list_folder(roots, folder).entries}
    assert found["in"].target.endswith("other/x.mrc")
    assert found["out"].is_outside
    assert found["out"].target == "outside"
    assert found["out folder"].is_outside
    assert not found["out folder"].is_folder
    assert not found["nowhere"].is_outside


def test_long_folders_are_cut_with_a_note(roots: Roots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_ENTRIES", 2)
    for name in "abcd":
        (roots.folders[0] / f"{name}.star").touch()
    found = list_folder(roots, roots.folders[0])
    assert len(found.entries) == 2
    assert found.note.startswith("3 more")


def test_names_that_are_no_text_are_left_out(roots: Roots) -> None:
    Path(os.fsdecode(os.fsencode(roots.folders[0]) + b"/bad\xff.mrc")).touch()
    (roots.folders[0] / "line\nbreak.mrc").touch()
    assert [each.name for each in list_folder(roots, roots.folders[0]).entries] == ["Sub folder"]


def test_the_way_up_ends_at_the_root(roots: Roots) -> None:
    below = roots.folders[0] / "Sub folder"
    assert list_folder(roots, below).parents == (("project", "."), ("Sub folder", "Sub folder"))
    assert starting_points(roots) == [("project", "."), ("other", str(roots.folders[1]))]


def test_what_is_no_folder_is_told(roots: Roots) -> None:
    with pytest.raises(InputFileError, match="cannot be listed"):
        list_folder(roots, roots.folders[0] / "missing")
