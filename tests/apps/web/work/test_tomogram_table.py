"""Tests of apps/web/work/tomogram_table.py."""

from pathlib import Path
from typing import Any

import pytest
from apps.web.work.tomogram_project import make_list

from icelens.apps.web.work.tomogram_table import Look, table_of
from icelens.core.io.tomogram_star import read_tomograms, update_tomograms


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _table(star: Path, **other: Any) -> dict[str, Any]:
    folder = star.parent
    return table_of(read_tomograms(star), Look(folder, other.get("roots", (folder,))))


def test_a_sound_list_has_no_problems(tmp_path: Path) -> None:
    table = _table(make_list(tmp_path))
    assert table["count"] == 2
    first = table["rows"][0]
    assert first["name"] == "TS_01"
    assert first["cells"]["pixel_size"] == 10.0
    assert first["cells"]["num_subtomograms"] is None
    assert first["shape"] == [4, 6, 8]
    assert first["picture"] == "TS_01.mrc"
    assert first["problems"] == []


def test_contradictions_have_their_fix_beside_them(tmp_path: Path) -> None:
    star = make_list(tmp_path, pixel_size=12.0, defocus=3.5)
    problems = {each["field"]: each["fix"] for each in _table(star)["rows"][0]["problems"]}
    assert problems["pixel_size"]["value"] == pytest.approx(10.0)
    assert problems["defocus"]["value"] == pytest.approx(35_000.0)


def test_files_that_are_missing_are_told(tmp_path: Path) -> None:
    star = make_list(tmp_path)
    update_tomograms(star, "mask", {1: Path("none.mrc")})
    (tmp_path / "TS_02.mrc").unlink()
    rows = _table(star)["rows"]
    assert rows[0]["problems"][0]["fix"] == {
        "fix": "Leave the mask out", "column": "mask", "value": None,
    }  # fmt: skip
    assert "does not exist" in rows[1]["problems"][0]["text"]


def test_a_damaged_volume_is_told_and_the_others_are_shown(tmp_path: Path) -> None:
    star = make_list(tmp_path)
    (tmp_path / "TS_01.mrc").write_bytes(b"no volume")
    rows = _table(star)["rows"]
    assert len(rows[0]["problems"]) == 1
    assert rows[0]["shape"] is None
    assert rows[1]["problems"] == []


def test_volumes_outside_the_roots_are_not_looked_at(tmp_path: Path) -> None:
    star = make_list(tmp_path)
    row = _table(star, roots=(tmp_path / "elsewhere",))["rows"][0]
    assert row["shape"] is None
    assert "outside" in row["problems"][0]["text"]
