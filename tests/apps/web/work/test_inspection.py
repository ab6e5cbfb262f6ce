"""Tests of apps/web/work/inspection.py."""

from pathlib import Path

import numpy as np
import pytest
from apps.web.work.tomogram_project import make_list

from icelens.apps.web.work.inspection import about, edit_tomograms, particles, tomograms
from icelens.core.data.volume import Volume
from icelens.core.errors import IcelensError
from icelens.core.io.tomogram_star import read_tomograms
from icelens.core.io.volumes import write_volume

PARTICLES = """
data_optics

loop_
_rlnOpticsGroup
_rlnOpticsGroupName
_rlnImagePixelSize
_rlnImageSize
_rlnVoltage
_rlnSphericalAberration
_rlnAmplitudeContrast
1 first 3.0 32 300 2.7 0.1

data_particles

loop_
_rlnImageName
_rlnOpticsGroup
_rlnDefocusU
_rlnDefocusV
_rlnDefocusAngle
_rlnRandomSubset
1@a.mrcs 1 10000 10000 0 1
2@a.mrcs 1 20000 20000 0 2
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_header_of_a_volume_is_told(tmp_path: Path) -> None:
    write_volume(tmp_path / "a.mrc", Volume(np.zeros((4, 6, 8), np.float32), 10.0))
    data = about(str(tmp_path), str(tmp_path / "a.mrc")).data
    assert data["lines"][:3] == ["4 × 6 × 8 voxels (z, y, x)", "10 Å per pixel", "4 × 6 × 8 nm"]
    assert data["pixel_size"] == pytest.approx(10.0)
    assert data["has_picture"]


def test_lists_and_other_files_are_described_in_lines(tmp_path: Path) -> None:
    data = about(str(tmp_path), str(make_list(tmp_path))).data
    assert any("rlnIndex 1" in line for line in data["lines"])
    (tmp_path / "x.txt").write_text("anything")
    assert about(str(tmp_path), str(tmp_path / "x.txt")).data["lines"] == []


def test_what_is_wrong_with_a_table_is_told_in_one_line(tmp_path: Path) -> None:
    star = make_list(tmp_path, pixel_size=12.0)
    assert "header says" in about(str(tmp_path), str(star)).data["problem"]
    star.write_text("no star")
    assert about(str(tmp_path), str(star)).data["problem"]


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 1024])
def test_a_damaged_volume_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mrc").write_bytes(content)
    with pytest.raises(IcelensError) as caught:
        about(str(tmp_path), str(tmp_path / "a.mrc"))
    assert "\n" not in str(caught.value)
    with pytest.raises(IcelensError, match="does not exist"):
        about(str(tmp_path), str(tmp_path / "none.mrc"))


def test_cells_are_changed_and_the_table_comes_back(tmp_path: Path) -> None:
    star = make_list(tmp_path)
    where = (str(tmp_path), str(star))
    roots = [str(tmp_path)]
    data = edit_tomograms(*where, "defocus", {"2": 20_000.0}, roots).data
    assert [row["cells"]["defocus"] for row in data["rows"]] == [35_000.0, 20_000.0]
    (tmp_path / "m.mrc").touch()
    edit_tomograms(*where, "mask", {"1": "m.mrc"}, roots)
    assert [row.mask for row in read_tomograms(star)] == [Path("m.mrc"), None]
    edit_tomograms(*where, "mask", {"1": None}, roots)
    assert next(iter(read_tomograms(star))).mask is None


def test_an_impossible_value_changes_nothing(tmp_path: Path) -> None:
    star = make_list(tmp_path)
    before = star.read_bytes()
    for column, values in (("tilt_min", {"1": 80.0}), ("defocus", {"9": 1.0})):
        with pytest.raises(IcelensError):
            edit_tomograms(str(tmp_path), str(star), column, values, [str(tmp_path)])
    assert star.read_bytes() == before


def test_a_list_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.star").write_text(PARTICLES)
    for name in ("p.star", "none.star"):
        with pytest.raises(IcelensError):
            tomograms(str(tmp_path), str(tmp_path / name), [str(tmp_path)])


def test_particles_are_counted_by_optics_group(tmp_path: Path) -> None:
    (tmp_path / "p.star").write_text(PARTICLES)
    data = particles(str(tmp_path), str(tmp_path / "p.star")).data
    assert data["images"] == 2
    assert data["halves"] == [1, 1]
    assert data["groups"] == [
        {
            "name": "first", "images": 2, "box": 32, "pixel_size": 3.0, "voltage": 300.0,
            "defocus": [10_000.0, 20_000.0],
        }
    ]  # fmt: skip
    assert not data["has_poses"]
    assert any("a.mrcs" in text for text in data["problems"])
