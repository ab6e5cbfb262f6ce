"""`icelens tools wedge` and `noise-volume`: files that hold what the tilts measured."""

import math
from pathlib import Path

import numpy as np
import pytest

from icelens.apps import cli
from icelens.core.io.volumes import open_volume


def command(job: str, folder: Path, *words: str) -> int:
    return cli.main(["tools", job, "--box-size", "32", "--output", str(folder), *words])


def test_weight_is_the_wedge_in_the_middle_and_spreads_a_point(tmp_path):
    assert command("wedge", tmp_path, "--tilt-range", "-60,60") == 0
    weight = open_volume(tmp_path / "weight.mrc")
    assert weight.pixel_size == 10.0
    values = np.array(weight.array)
    assert values[16, 16, 16] == 1
    assert values[24, 16, 16] == 0, "the beam axis is not measured"
    assert values[16, 24, 16] == values[16, 16, 24] == 1
    assert values.mean() == pytest.approx(1 - math.tan(math.radians(30)) / 2, abs=0.02)
    spread = np.array(open_volume(tmp_path / "point_spread.mrc").array)
    assert np.unravel_index(spread.argmax(), spread.shape) == (16, 16, 16)
    np.testing.assert_allclose(np.abs(np.fft.fftshift(np.fft.fftn(spread))), values, atol=1e-4)


def test_tilt_file_decides_and_its_angles_can_be_seen(tmp_path):
    tilts = tmp_path / "a.tlt"
    tilts.write_text("0\n30\n")
    words = ["--tilt-file", str(tilts), "--write", "weight"]
    assert command("wedge", tmp_path / "out", *words) == 0
    values = np.array(open_volume(tmp_path / "out" / "weight.mrc").array)
    z = 16 + round(12 * math.tan(math.radians(30)))
    assert values[16, 16, 28] == 1
    assert values[z, 16, 28] > 0.7  # within a voxel of the plane at 30 degrees
    assert values[16 - (z - 16), 16, 28] == 0, "the sign of the tilt is kept"
    assert not (tmp_path / "out" / "point_spread.mrc").exists()


def test_noise_has_unit_spread_fills_the_wedge_and_repeats_by_seed(tmp_path):
    words = ["--filter", "ramp", "--tilt-range", "-50,50"]
    assert command("noise-volume", tmp_path / "a", *words, "--count", "2") == 0
    assert command("noise-volume", tmp_path / "b", *words, "--seed", "1") == 0
    first, second = (np.array(open_volume(tmp_path / "a" / f"noise_{i}.mrc").array) for i in (1, 2))
    again = np.array(open_volume(tmp_path / "b" / "noise.mrc").array)
    np.testing.assert_array_equal(again, second)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.05
    assert first.mean() == pytest.approx(0.0, abs=1e-6)
    assert first.std() == pytest.approx(1.0, abs=0.03)
    power = np.abs(np.fft.fftshift(np.fft.fftn(first))) ** 2
    amplitude = np.array(open_volume(tmp_path / "a" / "amplitude.mrc").array)
    assert power[amplitude == 0].sum() < 1e-6 * power.sum()


@pytest.mark.parametrize("job", ["wedge", "noise-volume"])
@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["--tilt-range", "60,-60"], "--tilt-range is 60,-60"),
        (["--tilt-file", "absent.tlt"], "absent.tlt"),
        (["--tilt-file", "empty.tlt"], "empty.tlt"),
    ],
)
def test_impossible_tilts_are_refused(job, words, piece, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.tlt").touch()
    assert command(job, tmp_path / "out", *words) == 2
    assert piece in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*.mrc"))
