"""`icelens tools sharpen`: flattens what it was asked to and writes what it did."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.apps import cli
from icelens.core.data.volume import Volume
from icelens.core.fourier.filters import apply_filter, b_factor_envelope
from icelens.core.fourier.frequencies import frequency_radius
from icelens.core.fourier.sharpening import radial_amplitude
from icelens.core.io.volumes import open_volume, write_volume

SHAPE = (24, 32, 30)


@pytest.fixture
def blurred(tmp_path: Path) -> Path:
    values = torch.randn(SHAPE)
    envelope = b_factor_envelope(frequency_radius(SHAPE, pixel_size=5.0), 500.0)
    path = tmp_path / "blurred.mrc"
    write_volume(path, Volume(apply_filter(values, envelope).numpy() + 3.0, 5.0, (1.0, 2.0, 3.0)))
    return path


def test_map_comes_out_flat_with_mean_sampling_and_origin_kept(blurred, tmp_path):
    output = tmp_path / "sharpened"
    words = ["tools", "sharpen", "--map", str(blurred), "--output", str(output)]
    assert cli.main([*words, "--low-resolution", "40"]) == 0
    volume = open_volume(output / "sharpened.mrc")
    assert (volume.pixel_size, volume.origin_xyz) == (5.0, (1.0, 2.0, 3.0))
    before = open_volume(blurred).array.mean()
    assert volume.array.mean() == pytest.approx(before, abs=1e-5)
    amplitude = radial_amplitude(torch.from_numpy(np.array(volume.array)))[5:]
    assert float(amplitude.std() / amplitude.mean()) < 0.03
    with (output / "weights.csv").open() as file:
        weights = [float(row["weight"]) for row in csv.DictReader(file)]
    assert weights[:5] == [1.0] * 5  # shell 4 is 40 Å
    # exp(B / 4 (k^2 - k0^2)) from 40 to 10 Å, up to the noise of the first shells
    assert weights[-1] == pytest.approx(3.2, rel=0.15)


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["--low-resolution", "4"], "Nyquist"),
        (["--high-resolution", "60"], "--high-resolution is 60"),
        (["--mask", "{blurred}"], "expected a mask"),
        (["--pixel-size", "7"], "--pixel-size-from"),
    ],
)
def test_settings_that_do_not_fit_the_map_are_refused(words, piece, blurred, tmp_path, capsys):
    words = [word.format(blurred=blurred) for word in words]
    command = ["tools", "sharpen", "--map", str(blurred), "--output", str(tmp_path / "out")]
    assert cli.main([*command, *words]) == 2
    assert piece in capsys.readouterr().err
    assert not (tmp_path / "out" / "sharpened.mrc").exists()


def test_dry_run_says_what_memory_it_takes(blurred, tmp_path, capsys):
    words = ["tools", "sharpen", "--map", str(blurred), "--dry-run"]
    assert cli.main([*words, "--output", str(tmp_path / "out")]) == 0
    assert "memory" in capsys.readouterr().out.lower()
