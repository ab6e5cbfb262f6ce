"""Tilts of tomogram sets: projections from matrices and angles, in one file or several."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.errors import IcelensError
from icelens.core.io.relion_tilts import read_tilts

GLOBAL = (
    "data_global\nloop_\n_rlnTomoName\n_rlnTomoTiltSeriesPixelSize\n_rlnVoltage\n{extra}"
    "TS 1.5 300 {values}\n\n"
)


def write(path: Path, tilts: str, extra: str = "", values: str = "") -> Path:
    path.write_text(GLOBAL.format(extra=extra, values=values).replace("TS", "TS_1") + tilts)
    return path


def test_warps_sets_hold_rotations(shared_data: Path) -> None:
    tilts = read_tilts(next((shared_data / "subtomo_real").glob("*_tomograms.star")))
    one = tilts["Unt_083.tomostar"]
    assert (len(tilts), len(one), one.hand, one.pixel_size) == (4, 37, -1.0, 1.667)
    np.testing.assert_allclose(np.linalg.det(one.projection), 1.0, atol=1e-5)
    np.testing.assert_allclose(one.projection[0, 0], [0.10915412, -0.99366254, 0.026835253])
    assert (one.scale[1], one.dose[1], one.defocus_u[0]) == (0.707, 89.462, 33350.7)
    assert one.size_xyz.tolist() == [4400, 6000, 1400]
    assert one.microscope["rlnAmplitudeContrast"] == 0.07


def test_relion_5_sets_are_read_from_the_files_they_name(shared_data: Path) -> None:
    tilts = read_tilts(shared_data / "metadata_star" / "relion5_tomo" / "tilt_series.star")
    one = next(iter(tilts.values()))
    np.testing.assert_allclose(np.linalg.det(one.projection), 1.0)
    # RELION's scale is the cosine of the nominal tilt, the projection that of the refined one
    np.testing.assert_allclose(np.abs(one.projection[:, 2, 2]), one.scale, atol=0.05)


def test_angles_turn_about_x_then_y_then_z(tmp_path: Path) -> None:
    tilts = "data_TS_1\nloop_\n_rlnTomoXTilt\n_rlnTomoYTilt\n_rlnTomoZRot\n{}\n"
    seen = {
        angles: read_tilts(write(tmp_path / "t.star", tilts.format(angles)))["TS_1"].projection[0]
        for angles in ("90 0 0", "0 90 0", "0 0 90", "90 90 0")
    }
    np.testing.assert_allclose(seen["90 0 0"] @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(seen["0 90 0"] @ [0, 0, 1], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(seen["0 0 90"] @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(seen["90 90 0"] @ [0, 1, 0], [1, 0, 0], atol=1e-12)


def test_the_scale_is_the_cosine_of_the_tilt_where_none_is_given(tmp_path: Path) -> None:
    tilts = "data_TS_1\nloop_\n_rlnTomoXTilt\n_rlnTomoYTilt\n_rlnTomoZRot\n0 60 12\n"
    one = read_tilts(write(tmp_path / "t.star", tilts))["TS_1"]
    np.testing.assert_allclose(one.scale, [0.5])
    assert (one.dose.tolist(), one.hand) == ([0.0], -1.0)


@pytest.mark.parametrize(
    ("tilts", "extra", "values", "words"),
    [
        ("data_TS_2\nloop_\n_rlnTomoYTilt\n0\n", "", "", "no block data_TS_1 and no rln"),
        ("data_TS_1\nloop_\n_rlnTomoYTilt\n0\n", "", "", "neither rlnTomoProjX nor rlnTomoYTilt"),
        ("", "_rlnTomoTiltSeriesStarFile\n", "gone.star", "gone.star of TS_1 does not exist"),
        (
            "data_TS_1\nloop_\n_rlnTomoProjX\n_rlnTomoProjY\n_rlnTomoProjZ\n[1,0] [0,1] [0,0]\n",
            "",
            "",
            "expected 4 numbers in each",
        ),
        (
            "data_TS_1\nloop_\n_rlnTomoXTilt\n_rlnTomoYTilt\n_rlnTomoZRot\n0 0 0\n",
            "_rlnTomoHand\n",
            "left",
            "data_global holds text",
        ),
    ],
)
def test_sets_that_lack_something_are_refused(tmp_path, tilts, extra, values, words) -> None:
    with pytest.raises(IcelensError, match=words) as caught:
        read_tilts(write(tmp_path / "t.star", tilts, extra, values))
    assert "\n" not in str(caught.value)


def test_a_file_without_tomograms_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.star").write_text("data_x\nloop_\n_rlnTomoName\nTS_1\n")
    with pytest.raises(IcelensError, match="no block data_global"):
        read_tilts(tmp_path / "t.star")
