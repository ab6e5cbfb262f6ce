"""Opened things are kept while their files stay as they are."""

from pathlib import Path

from icelens.apps.web.work.kept import Kept, stamp_of


def test_a_thing_is_made_once_and_again_when_its_file_changes_or_goes(tmp_path: Path) -> None:
    path, kept, made = tmp_path / "a", Kept[int](2), []

    def make() -> int:
        made.append(1)
        return len(made)

    assert kept.get("a", [path], make) == kept.get("a", [path], make) == 1
    path.write_text("now")
    assert kept.get("a", [path], make) == 2
    path.write_text("longer")
    assert kept.get("a", [path], make) == 3
    path.unlink()
    assert kept.get("a", [path], make) == 4
    assert stamp_of([path]) == (None,)


def test_the_one_not_asked_for_longest_goes_first() -> None:
    kept = Kept[str](2)
    for key in ("a", "b", "a", "c"):
        kept.get(key, [], lambda key=key: key)
    assert kept.get("a", [], lambda: "anew") == "a"
    assert kept.get("b", [], lambda: "anew") == "anew"
    kept.forget()
    assert kept.get("a", [], lambda: "anew") == "anew"
