"""`icelens tools postprocess`: half maps in, resolution, B-factor and a sharper map out."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.apps import cli
from icelens.core.data.volume import Volume
from icelens.core.events import Event, Message
from icelens.core.fourier.filters import apply_filter, b_factor_envelope
from icelens.core.fourier.frequencies import frequency_radius
from icelens.core.io.volumes import open_volume, write_volume
from icelens.core.metrics.fsc import fourier_shell_correlation
from icelens.core.volumes.masks import sphere_mask
from icelens.jobs.run import run_job
from icelens.tasks.tools.postprocess_jobs import PostprocessConfig, postprocess

N, PIXEL_SIZE, B_FACTOR = 48, 1.7, 100.0
SHAPE = (N, N, N)
WRITTEN = {"sharpened.mrc", "mask.mrc", "fsc.csv", "guinier.csv", "postprocess.json"}


def particle() -> torch.Tensor:
    """Atoms at random places of a ball, some of them heavier: density above 0, flat amplitude."""
    ball = sphere_mask(SHAPE, pixel_size=PIXEL_SIZE, radius=22.0, edge=0.0)
    atoms = (torch.rand(SHAPE, generator=torch.Generator().manual_seed(3)) < 0.2).float()
    return ball * atoms


def blurred() -> torch.Tensor:
    envelope = b_factor_envelope(frequency_radius(SHAPE, pixel_size=PIXEL_SIZE), B_FACTOR)
    return apply_filter(particle(), envelope)


@pytest.fixture
def halves(tmp_path: Path) -> tuple[Path, Path]:
    generator = torch.Generator().manual_seed(5)
    paths = tmp_path / "a.mrc", tmp_path / "b.mrc"
    for path in paths:
        noisy = blurred() + 0.1 * torch.randn(SHAPE, generator=generator)
        write_volume(path, Volume(noisy.numpy(), PIXEL_SIZE, (1.0, 2.0, 3.0)))
    return paths


def process(
    folder: Path, halves: tuple[Path, Path], **settings: object
) -> tuple[dict[str, float], list[Event]]:
    events: list[Event] = []
    values = {"half_1": halves[0], "half_2": halves[1], "output": folder / "post", **settings}
    run_job(postprocess, PostprocessConfig.model_validate(values), on_event=events.append)
    return json.loads((folder / "post" / "postprocess.json").read_text()), events


def texts(events: list[Event], level: str) -> list[str]:
    return [event.text for event in events if isinstance(event, Message) and event.level == level]


def table(path: Path) -> dict[str, np.ndarray]:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def test_b_factor_and_truth_come_back(tmp_path, halves):
    figures, events = process(tmp_path, halves)
    folder = tmp_path / "post"
    assert {*WRITTEN, "fsc.png", "guinier.png", "report.html"} <= {
        path.name for path in folder.iterdir()
    }
    assert texts(events, "warning") == []
    (text,) = texts(events, "info")
    assert text.startswith(f"Resolution {figures['resolution']:.2f} Å at 0.143")
    # random places of atoms scatter about the line
    assert figures["b_factor"] == pytest.approx(-B_FACTOR, rel=0.2)
    assert figures["resolution"] < figures["resolution_unmasked"]
    sharpened = open_volume(folder / "sharpened.mrc")
    assert (sharpened.pixel_size, sharpened.origin_xyz) == (pytest.approx(PIXEL_SIZE), (1, 2, 3))
    values = torch.from_numpy(np.array(sharpened.array))
    mask = torch.from_numpy(np.array(open_volume(folder / "mask.mrc").array))
    truth = fourier_shell_correlation(values, particle(), pixel_size=PIXEL_SIZE, mask=mask)
    known = truth.spatial_frequency < 1.0 / figures["resolution"] - 0.01
    assert float(truth.correlation[known].min()) > 0.5


def test_tables_hold_the_curves_of_every_shell(tmp_path, halves):
    figures, _ = process(tmp_path, halves)
    fsc = table(tmp_path / "post" / "fsc.csv")
    assert list(fsc) == [
        "shell", "spatial_frequency", "resolution", "unmasked", "masked", "randomised", "corrected",
    ]  # fmt: skip
    assert len(fsc["shell"]) == N // 2 + 1
    at = np.searchsorted(-fsc["corrected"] > -0.143, 1)
    assert 1 / fsc["spatial_frequency"][at] < figures["resolution"]
    assert figures["resolution"] <= 1 / fsc["spatial_frequency"][at - 1]
    assert (fsc["unmasked"][5:15] <= fsc["masked"][5:15] + 0.02).all()
    guinier = table(tmp_path / "post" / "guinier.csv")
    fitted = guinier["is_fitted"] > 0
    slope = np.polyfit(guinier["inverse_square_resolution"][fitted], guinier["ln_line"][fitted], 1)[
        0
    ]
    assert 4 * slope == pytest.approx(figures["b_factor"], rel=1e-2)
    resolution = fsc["resolution"][fitted]
    assert figures["resolution"] <= resolution.min() < resolution.max() <= 10.0


def test_given_b_factor_mask_and_low_pass_are_taken(tmp_path, halves):
    mask = tmp_path / "m.mrc"
    write_volume(
        mask, Volume(sphere_mask(SHAPE, pixel_size=PIXEL_SIZE, radius=26.0).numpy(), PIXEL_SIZE)
    )
    figures, _ = process(tmp_path, halves, mask=mask, b_factor=0.0, low_pass=8.0)
    assert (figures["b_factor"], figures["is_b_factor_given"]) == (0.0, True)
    assert not (tmp_path / "post" / "mask.mrc").exists()
    power = torch.fft.rfftn(torch.from_numpy(np.array(open_volume(
        tmp_path / "post" / "sharpened.mrc").array))).abs()  # fmt: skip
    radius = frequency_radius(SHAPE, pixel_size=PIXEL_SIZE)
    assert float(power[radius > 1 / 7].max()) < 1e-3 * float(power[radius < 1 / 9].mean())


def test_sphere_is_taken_as_mask_on_request(tmp_path, halves):
    process(tmp_path, halves, auto_mask="sphere")
    mask = open_volume(tmp_path / "post" / "mask.mrc").array
    assert mask[N // 2, N // 2, 8] == 1.0
    assert mask[N // 2, N // 2, 0] == 0.0
    assert mask[4, 4, 4] == 0.0


def test_map_too_coarse_for_a_guinier_plot_is_weighed_but_not_sharpened(tmp_path, halves):
    figures, events = process(tmp_path, halves, low_pass=9.0)
    assert figures["b_factor"] == 0.0
    assert any("not sharpened: only" in text for text in texts(events, "warning"))


def test_local_resolution_is_written_and_told(tmp_path, halves):
    generator = torch.Generator().manual_seed(8)
    noise = torch.full((N,), 0.05)
    noise[: N // 2] = 0.2
    paths = tmp_path / "c.mrc", tmp_path / "d.mrc"
    for path in paths:
        values = blurred() + noise * torch.randn(SHAPE, generator=generator)
        write_volume(path, Volume(values.numpy(), PIXEL_SIZE))
    _, events = process(tmp_path, paths, local_resolution=True, local_window=41.0)
    resolution = open_volume(tmp_path / "post" / "local_resolution.mrc").array
    left, right = resolution[20:28, 20:28, 14:18], resolution[20:28, 20:28, 30:34]
    assert np.median(left) > 1.15 * np.median(right)
    assert (tmp_path / "post" / "locally_filtered.mrc").exists()
    assert any(text.startswith("Local resolution at 0.5:") for text in texts(events, "info"))
    assert "cardone2013" in (tmp_path / "post" / "report.html").read_text()


def broken(folder: Path, kind: str, halves: tuple[Path, Path]) -> tuple[list[str], str]:
    """Words that make the command wrong in one way, and a piece of the message that must come."""
    values = np.array(open_volume(halves[1]).array)
    path = folder / f"{kind}.mrc"
    words = ["--half-2", str(path)]
    if kind == "nan":
        values[3, 4, 5] = np.nan
    if kind == "noise":
        values = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    if kind == "identical":
        values = np.array(open_volume(halves[0]).array)
    if kind == "inverted":
        values = -values
    if kind == "box":
        values = values[:-2, :-2, :-2]
    if kind in {"mask_shape", "mask_empty", "mask_nan"}:
        shape = (8, 8, 8) if kind == "mask_shape" else SHAPE
        values = np.full(shape, np.nan if kind == "mask_nan" else 0.0, np.float32)
        words = ["--half-2", str(halves[1]), "--mask", str(path)]
    if kind != "missing":
        write_volume(path, Volume(values, 2.5 if kind == "pixel" else PIXEL_SIZE))
    pieces = {
        "missing": "no such file",
        "nan": "NaN or infinite at voxel (z, y, x) = (3, 4, 5)",
        "noise": "expected two half maps of one particle",
        "identical": "correlation 1 in every shell",
        "inverted": "contrast of one inverted",
        "box": "(z, y, x) = (46, 46, 46), expected (48, 48, 48)",
        "pixel": "2.5 Å/px, expected 1.7 Å/px",
        "mask_shape": "make it on the map's grid",
        "mask_empty": "keeps nothing",
        "mask_nan": "expected a mask from 0",
    }
    return words, pieces[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "missing", "nan", "noise", "identical", "inverted", "box", "pixel", "mask_shape",
        "mask_empty", "mask_nan",
    ],
)  # fmt: skip
def test_hostile_input_ends_in_one_line_and_nothing_written(kind, tmp_path, halves, capsys):
    words, piece = broken(tmp_path, kind, halves)
    command = ["tools", "postprocess", "--half-1", str(halves[0]), *words]
    command += ["--output", str(tmp_path / "post")]
    assert cli.main(command) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert piece in line
    assert not WRITTEN & {path.name for path in (tmp_path / "post").iterdir()}


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["--b-factor", "-4000"], "--b-factor nearer 0"),
        (["--mask-threshold", "1e6"], "lower the mask's threshold"),
        (["--local-resolution", "true", "--local-window", "900"], "a window of"),
        (["--low-pass", "-3"], "--low-pass"),
    ],
)
def test_settings_that_do_not_fit_are_refused(words, piece, tmp_path, halves, capsys):
    command = ["tools", "postprocess", "--half-1", str(halves[0]), "--half-2", str(halves[1])]
    assert cli.main([*command, *words, "--output", str(tmp_path / "post")]) == 2
    assert piece in capsys.readouterr().err
    assert not (tmp_path / "post" / "sharpened.mrc").exists()


def test_full_map_in_place_of_a_half_is_suspected(tmp_path, halves):
    mean = sum(np.array(open_volume(path).array) for path in halves) / 2
    write_volume(tmp_path / "full.mrc", Volume(mean, PIXEL_SIZE))
    _, events = process(tmp_path, (halves[0], tmp_path / "full.mrc"))
    assert any("near 0.71" in text for text in texts(events, "warning"))


def test_output_over_an_input_is_refused(tmp_path, halves):
    (tmp_path / "post").mkdir()
    own = halves[0].rename(tmp_path / "post" / "sharpened.mrc")
    before = own.read_bytes()
    with pytest.raises(Exception, match="written over itself"):
        process(tmp_path, (own, halves[1]))
    assert own.read_bytes() == before


def test_dry_run_says_memory_and_time(halves, tmp_path, capsys):
    words = ["tools", "postprocess", "--half-1", str(halves[0]), "--half-2", str(halves[1])]
    assert cli.main([*words, "--output", str(tmp_path / "post"), "--dry-run"]) == 0
    assert "memory" in capsys.readouterr().out.lower()
