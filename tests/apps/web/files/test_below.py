"""Tests of apps/web/files/below.py."""

from pathlib import Path

from icelens.apps.web.files.below import files_below


def names(folder: Path, *, depth: int = 2, most: int = 100) -> list[str]:
    found = files_below(folder, depth=depth, most=most)
    return [Path(each.path).relative_to(folder).as_posix() for each in found]


def test_files_of_the_folder_itself_come_first_then_by_name(tmp_path: Path) -> None:
    for name in ("b/y.png", "z.png", "a/x.png", "c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert names(tmp_path) == ["c.png", "z.png", "a/x.png", "b/y.png"]


def test_neither_links_nor_hidden_folders_nor_deep_ones_are_entered(tmp_path: Path) -> None:
    for name in ("a/b/c/deep.png", ".hidden/x.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "link.png").symlink_to(tmp_path / "a/b/c/deep.png")
    assert names(tmp_path) == []
    assert names(tmp_path, depth=3) == ["a/b/c/deep.png"]


def test_no_more_than_asked_for_are_looked_at(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.png").touch()
    assert len(names(tmp_path, most=4)) == 4


def test_a_folder_that_is_gone_has_no_files(tmp_path: Path) -> None:
    assert names(tmp_path / "gone") == []
