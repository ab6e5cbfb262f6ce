"""`icelens tools movie`: frames in order, to and fro, on one scale."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from icelens.apps import cli
from icelens.core.data.volume import Volume
from icelens.core.io.volumes import open_volume, write_volume

SIDE = 20


def write_ball(path: Path, x: float, *, side: int = SIDE, sign: float = 1.0) -> Path:
    axis = np.arange(side) - side // 2
    square = axis[:, None, None] ** 2 + axis[:, None] ** 2 + (axis - x) ** 2
    ball = sign * np.exp(-square / 18.0)
    write_volume(path, Volume(ball.astype(np.float32), 3.0))
    return path


def movie(maps: list[Path], output: Path, *words: str) -> int:
    command = ["tools", "movie", "--maps", *map(str, maps), "--output", str(output)]
    return cli.main([*command, "--size", "64", *words])


def pages(path: Path) -> list[np.ndarray]:
    with Image.open(path) as film:
        return [
            np.asarray(page.convert("RGB")).astype(int) for page in ImageSequence.Iterator(film)
        ]


def places(path: Path, width: int = 64) -> list[float]:
    """Where the surface lies in each frame's first view, from left to right."""
    shown = [(np.abs(page - page[0, 0]).max(axis=-1) > 30)[:width, :width] for page in pages(path)]
    return [float(np.nonzero(each)[1].mean()) for each in shown]


@pytest.fixture
def maps(tmp_path: Path) -> list[Path]:
    return [
        write_ball(tmp_path / f"Zustand {n}.mrc", x) for n, x in enumerate([-4.0, -1.0, 2.0, 5.0])
    ]


def test_film_goes_to_and_fro(tmp_path, maps):
    assert movie(maps, tmp_path / "film.gif", "--fps", "25") == 0
    found = places(tmp_path / "film.gif")
    assert len(found) == 6
    assert found[:4] == sorted(found[:4])
    assert found[3] - found[0] > 15
    assert found[4:] == pytest.approx([found[2], found[1]], abs=0.5)
    assert pages(tmp_path / "film.gif")[0].shape == (98, 3 * 64, 3)
    with Image.open(tmp_path / "film.gif") as film:
        assert film.info["duration"] == 40


@pytest.mark.parametrize(
    ("words", "count", "views"),
    [(["--no-ping-pong"], 4, 3), (["--views", "front"], 6, 1), (["--background", "dark"], 6, 3)],
)
def test_choices_show(tmp_path, maps, words, count, views):
    assert movie(maps, tmp_path / "film.gif", *words) == 0
    found = pages(tmp_path / "film.gif")
    assert len(found) == count
    assert found[0].shape[1] == 64 * views
    assert (found[0][0, 0].sum() < 200) == ("dark" in words)


def test_one_map_is_turned_round(tmp_path):
    path = write_ball(tmp_path / "a.mrc", 6.0)
    # a second ball, so that the camera does not look at the first alone
    other = open_volume(write_ball(tmp_path / "b.mrc", -6.0)).array
    array = np.array(open_volume(path).array) + 0.7 * np.array(other)
    write_volume(path, Volume(array.astype(np.float32), 3.0))
    assert movie([path], tmp_path / "film.gif", "--frames", "4", "--views", "front") == 0
    found = pages(tmp_path / "film.gif")
    assert len(found) == 4
    mirrored = found[2][:64, :64][:, ::-1]
    assert np.abs(mirrored[:, :, 0] - found[0][:64, :64, 0]).mean() < 12
    assert np.abs(found[1][:64] - found[0][:64]).mean() > 5


def test_dark_protein_is_inverted_on_request(tmp_path, capsys):
    dark = [write_ball(tmp_path / f"{n}.mrc", n, sign=-1.0) for n in range(2)]
    assert movie(dark, tmp_path / "film.gif") == 2
    assert "--invert" in capsys.readouterr().err
    assert movie(dark, tmp_path / "film.gif", "--invert", "--views", "front") == 0
    assert len(places(tmp_path / "film.gif")) == 2


def test_hostile_input_is_one_line_and_leaves_nothing(tmp_path, maps, capsys, monkeypatch):
    other = write_ball(tmp_path / "other.mrc", 0.0, side=18)
    bad = tmp_path / "nan.mrc"
    write_volume(bad, Volume(np.full((SIDE,) * 3, np.nan, np.float32), 3.0))
    film = tmp_path / "film.gif"
    monkeypatch.setenv("PATH", str(tmp_path))
    cases = [
        ([*maps, other], film, [], "as "),
        ([*maps, bad], film, [], "NaN"),
        ([*maps, tmp_path / "absent.mrc"], film, [], "no such file"),
        (maps, film, ["--level", "7"], "below the highest density"),
        (maps, film, ["--level", "-1"], "expected above 0"),
        (maps, tmp_path / "film.mp4", [], "write a .gif"),
        (maps, tmp_path / "film.avi", [], ".gif or .mp4"),
    ]
    before = sorted(tmp_path.iterdir())
    for given, output, words, piece in cases:
        assert movie(given, output, *words) == 2
        said = capsys.readouterr().err
        assert piece in said
        assert len(said.strip().splitlines()) == 1
        assert sorted(tmp_path.iterdir()) == before


def test_dry_run_says_what_it_costs(tmp_path, maps, capsys):
    assert movie(maps, tmp_path / "film.gif", "--dry-run") == 0
    assert "time" in capsys.readouterr().out
    assert not (tmp_path / "film.gif").exists()
