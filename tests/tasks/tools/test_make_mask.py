"""`icelens tools mask`: inside, edge and outside lie where the settings say."""

from pathlib import Path

import numpy as np
import pytest

from icelens.apps import cli
from icelens.core.data.volume import Volume
from icelens.core.io.volumes import open_volume, write_volume

SIDE, PIXEL = 40, 2.0


def distance(centre_zyx: tuple[float, ...] = (20.0, 20.0, 20.0)) -> np.ndarray:
    """From a point, in Å."""
    z, y, x = (np.arange(SIDE) - centre for centre in centre_zyx)
    return PIXEL * np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)


def write_balls(path: Path) -> None:
    """A ball of 12 Å in the middle, and a small one beside it, of density 1."""
    values = (distance() <= 12.0).astype(np.float32)
    values[distance((20.0, 20.0, 32.0)) <= 3.0] = 1.0
    write_volume(path, Volume(values, PIXEL, (1.0, 2.0, 3.0)))


def mask(folder: Path, *words: object) -> np.ndarray:
    command = ["tools", "mask", "--map", str(folder / "a.mrc")]
    assert cli.main([*command, "--output", str(folder / "mask.mrc"), *map(str, words)]) == 0
    volume = open_volume(folder / "mask.mrc")
    assert (volume.pixel_size, volume.origin_xyz) == (PIXEL, (1.0, 2.0, 3.0))
    return np.array(volume.array)


def test_mask_is_one_inside_and_falls_over_its_edge(tmp_path):
    write_balls(tmp_path / "a.mrc")
    values, radius = mask(tmp_path, "--largest", "--dilation", 8, "--edge", 10), distance()
    assert values[radius <= 12.0 + 7.0].min() == 1.0
    assert values[radius >= 12.0 + 18.0 + PIXEL].max() == 0.0
    middle = values[(radius > 24.5) & (radius < 25.5)]
    assert middle.mean() == pytest.approx(0.5, abs=0.15)
    hard = mask(tmp_path, "--largest", "--dilation", 0, "--edge", 0)
    assert np.array_equal(hard, (radius <= 12.0).astype(np.float32))


def test_without_the_switch_all_parts_count(tmp_path):
    write_balls(tmp_path / "a.mrc")
    both = mask(tmp_path, "--dilation", 0, "--edge", 0)
    assert both[20, 20, 32] == 1.0
    assert mask(tmp_path, "--dilation", 0, "--edge", 0, "--largest")[20, 20, 32] == 0.0


def test_level_is_half_of_the_almost_highest_density_unless_given(tmp_path, capsys):
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 1, (SIDE,) * 3).astype(np.float32)
    write_volume(tmp_path / "a.mrc", Volume(values, PIXEL, (1.0, 2.0, 3.0)))
    plain = mask(tmp_path, "--dilation", 0, "--edge", 0)
    level = 0.5 * np.quantile(values, 0.9999)
    assert np.array_equal(plain > 0, values > level)
    assert f"denser than {level:.5g} is inside" in capsys.readouterr().err
    given = mask(tmp_path, "--level", 0.8, "--dilation", 0, "--edge", 0)
    assert np.array_equal(given > 0, values > 0.8)


def test_sphere_is_a_sphere_and_no_cylinder(tmp_path):
    write_balls(tmp_path / "a.mrc")
    values, radius = mask(tmp_path, "--sphere", 40, "--edge", 0), distance()
    assert np.array_equal(values, (radius <= 20.0).astype(np.float32))
    assert values.sum() * PIXEL**3 == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.03)
    soft = mask(tmp_path, "--sphere", 40, "--edge", 10)
    assert soft[radius >= 30.0].max() == 0.0
    assert soft[20, 20, 32] == pytest.approx(soft[32, 20, 20], abs=1e-6)


def test_low_pass_closes_holes(tmp_path):
    values = (distance() <= 20.0).astype(np.float32)
    values[20, 20, 20] = 0.0
    write_volume(tmp_path / "a.mrc", Volume(values, PIXEL, (1.0, 2.0, 3.0)))
    words = ["--dilation", 0, "--edge", 0, "--level", 0.3]
    assert mask(tmp_path, *words)[20, 20, 20] == 0.0
    assert mask(tmp_path, *words, "--low-pass", 15)[20, 20, 20] == 1.0


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["--level", "5"], "lower the level"),
        (["--output", "a.mrc"], "over itself"),
        (["--map", "dark.mrc"], "expected protein to be bright"),
        (["--map", "nan.mrc"], "NaN"),
        (["--map", "flat.mrc"], "every voxel is 3"),
        (["--map", "flat.mrc", "--sphere", "-4"], "--sphere"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(words, piece, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_balls(tmp_path / "a.mrc")
    for name, value in (("nan", np.nan), ("flat", 3.0)):
        write_volume(Path(f"{name}.mrc"), Volume(np.full((8,) * 3, value, np.float32), PIXEL))
    dark = -(distance() <= 12.0).astype(np.float32)
    write_volume(Path("dark.mrc"), Volume(dark, PIXEL))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert cli.main(["tools", "mask", "--map", "a.mrc", "--output", "mask.mrc", *words]) == 2
    said = capsys.readouterr().err
    assert piece in said
    assert len(said.strip().splitlines()) == 1
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_mask_of_almost_everything_is_warned_of(tmp_path, capsys):
    write_balls(tmp_path / "a.mrc")
    mask(tmp_path, "--dilation", 80)
    assert "keeps 100% of the box; raise" in capsys.readouterr().err
