"""`icelens tools fsc`: what it writes and says, and what it refuses."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.apps import cli
from icelens.core.data.volume import Volume
from icelens.core.events import Event, Message
from icelens.core.io.volumes import write_volume
from icelens.core.metrics.fsc import fourier_shell_correlation
from icelens.jobs.run import run_job
from icelens.tasks.tools.jobs import FscConfig, fsc

SHAPE = (20, 32, 28)


@pytest.fixture
def maps(tmp_path: Path) -> tuple[Path, Path]:
    """Two noisy copies of one signal."""
    random = np.random.default_rng(0)
    signal = random.normal(size=SHAPE)
    paths = tmp_path / "a.mrc", tmp_path / "b.mrc"
    for path in paths:
        noisy = (signal + random.normal(size=SHAPE)).astype(np.float32)
        write_volume(path, Volume(noisy, 10.0))
    return paths


def compare(folder: Path, maps: tuple[Path, Path], **settings: object) -> list[Event]:
    events: list[Event] = []
    values = {"map_1": maps[0], "map_2": maps[1], "output": folder / "fsc", **settings}
    run_job(fsc, FscConfig.model_validate(values), on_event=events.append)
    return events


def table(folder: Path) -> dict[str, np.ndarray]:
    with (folder / "fsc" / "fsc.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def test_table_holds_the_curve_by_resolution(tmp_path, maps):
    events = compare(tmp_path, maps)
    columns = table(tmp_path)
    assert list(columns) == ["shell", "spatial_frequency", "resolution", "all", "all_count"]
    a, b = (torch.from_numpy(np.array(volume_of(path), np.float32)) for path in maps)
    expected = fourier_shell_correlation(a, b, pixel_size=10.0)
    np.testing.assert_allclose(columns["all"], expected.correlation, rtol=1e-5)
    np.testing.assert_allclose(columns["resolution"][[1, 16]], [320.0, 20.0])
    (text,) = (event.text for event in events if isinstance(event, Message))
    assert "Å at 0.5 and" in text
    assert "from 200 to 30 Å" in text
    assert {"fsc.png", "report.html", "run.json"} <= {p.name for p in (tmp_path / "fsc").iterdir()}


def volume_of(path: Path) -> np.ndarray:
    from icelens.core.io.volumes import open_volume

    return open_volume(path).array


def test_tilt_range_splits_the_samples_of_every_shell(tmp_path, maps):
    compare(tmp_path, maps, tilt_range=(-60.0, 60.0))
    columns = table(tmp_path)
    total = columns["measured_count"] + columns["missing_count"]
    np.testing.assert_allclose(total, columns["all_count"], rtol=1e-5)
    assert (columns["missing_count"][4:] > 0).all()


def test_mask_adds_the_corrected_curve(tmp_path, maps):
    mask = np.zeros(SHAPE, np.float32)
    mask[4:16, 6:26, 6:22] = 1.0
    write_volume(tmp_path / "mask.mrc", Volume(mask, 10.0))
    compare(tmp_path, maps, mask=tmp_path / "mask.mrc")
    columns = table(tmp_path)
    assert {"all", "corrected"} <= set(columns)
    assert "chen2013" in (tmp_path / "fsc" / "report.html").read_text()


def test_opposite_contrast_is_told(tmp_path, maps):
    inverted = tmp_path / "inverted.mrc"
    write_volume(inverted, Volume(-volume_of(maps[0]), 10.0))
    events = compare(tmp_path, (maps[0], inverted))
    warnings = [e.text for e in events if isinstance(e, Message) and e.level == "warning"]
    assert any("contrast" in text for text in warnings)


def test_fine_sampling_without_shells_between_the_bounds_still_has_a_resolution(tmp_path, maps):
    fine = tmp_path / "fine.mrc"
    write_volume(fine, Volume(volume_of(maps[0]), 0.8))
    events = compare(tmp_path, (fine, fine))
    (text,) = (event.text for event in events if isinstance(event, Message))
    assert text == "Maps agree to 1.6 Å at 0.5 and 1.6 Å at 0.143"


def broken_input(folder: Path, kind: str) -> tuple[Path, str]:
    """A second map that cannot be compared, and a piece of the message that must come."""
    values = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    path = folder / f"{kind}.mrc"
    if kind == "missing":
        return path, "no such file"
    if kind == "empty":
        path.write_bytes(b"")
        return path, "empty"
    if kind == "text":
        path.write_text("not a map " * 300)
        return path, str(path)
    if kind == "nan":
        values[3, 4, 5] = np.nan
    if kind == "constant":
        values[:] = 2.0
    if kind == "shape":
        values = values[:-1]
    write_volume(path, Volume(values, 12.0 if kind == "pixel" else 10.0))
    pieces = {
        "nan": "NaN or infinite at voxel (z, y, x) = (3, 4, 5)",
        "constant": "every voxel is 2",
        "shape": "(z, y, x) = (19, 32, 28), expected (20, 32, 28)",
        "pixel": "12 Å/px, expected 10 Å/px",
    }
    return path, pieces[kind]


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "nan", "constant", "shape", "pixel"])
def test_maps_that_cannot_be_compared_end_in_one_line_and_status_2(kind, tmp_path, maps, capsys):
    path, piece = broken_input(tmp_path, kind)
    output = tmp_path / "fsc"
    words = ["tools", "fsc", "--map-1", str(maps[0]), "--map-2", str(path)]
    assert cli.main([*words, "--output", str(output)]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert piece in lines[0]
    assert not (output / "fsc.csv").exists()


@pytest.mark.parametrize(
    ("mask", "piece"),
    [
        (np.zeros(SHAPE), "keeps nothing"),
        (np.full(SHAPE, 7.0), "expected a mask from 0"),
        (np.full(SHAPE, np.nan), "expected a mask from 0"),
        (np.ones((4, 4, 4)), "make it on the map's grid"),
    ],
)
def test_impossible_masks_are_refused(mask, piece, tmp_path, maps, capsys):
    path = tmp_path / "mask.mrc"
    write_volume(path, Volume(mask.astype(np.float32), 10.0))
    words = ["tools", "fsc", "--map-1", str(maps[0]), "--map-2", str(maps[1])]
    assert cli.main([*words, "--mask", str(path), "--output", str(tmp_path / "fsc")]) == 2
    assert piece in capsys.readouterr().err


@pytest.mark.parametrize("tilts", ["60,-60", "-90,90", "-100,60", "5,5"])
def test_impossible_tilt_ranges_are_refused(tilts, tmp_path, maps, capsys):
    words = ["tools", "fsc", "--map-1", str(maps[0]), "--map-2", str(maps[1])]
    assert cli.main([*words, "--tilt-range", tilts, "--output", str(tmp_path / "fsc")]) == 2
    assert "--tilt-range is" in capsys.readouterr().err


def test_pixel_size_that_no_header_knows_must_be_given(tmp_path, capsys):
    path = tmp_path / "a.mrc"
    values = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    write_volume(path, Volume(values, 1.0))  # 1 is what programs write that were never told
    words = ["tools", "fsc", "--map-1", str(path), "--map-2", str(path)]
    words += ["--output", str(tmp_path / "fsc")]
    assert cli.main(words) == 2
    assert "--pixel-size" in capsys.readouterr().err
    assert cli.main([*words, "--pixel-size", "10"]) == 0
