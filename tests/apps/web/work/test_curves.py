"""Resolutions are those of the core; Guinier plots find a B-factor that was put in."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.apps.web.work.curves import guinier, readings, star_curves
from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError
from icelens.core.io.volumes import write_volume
from icelens.core.metrics.fsc import ShellCorrelation, resolution_at


def test_readings_are_those_of_the_core():
    frequency = torch.linspace(0, 0.25, 40, dtype=torch.float64)
    correlation = torch.sigmoid((0.12 - frequency) * 60)
    curve = ShellCorrelation(frequency, correlation, torch.ones(40))
    fields = {"name": "half maps", "x": frequency.tolist(), "y": correlation.tolist()}
    found = {r["threshold"]: r for r in readings([fields]).data["readings"]}
    assert found[0.143]["resolution"] == pytest.approx(resolution_at(curve, 0.143))
    assert found[0.5]["resolution"] == pytest.approx(resolution_at(curve, 0.5))
    assert not found[0.5]["is_limit"]


def test_a_curve_that_never_falls_is_a_limit():
    fields = {"name": "a", "x": [0.0, 0.1, 0.2], "y": [1.0, 0.9, 0.8]}
    found = readings([fields]).data["readings"]
    assert [(r["resolution"], r["is_limit"]) for r in found] == [(5.0, True)] * 2


def test_gaps_are_passed_over_and_nothing_gives_nothing():
    some = {"name": "a", "x": [0.0, 0.1, None, 0.2], "y": [1.0, None, 0.3, 0.0]}
    none = {"name": "b", "x": [0.0, 0.1], "y": [None, None]}
    low = {"name": "c", "x": [0.0, 0.1], "y": [0.0, 0.0]}
    found = readings([some, none, low]).data["readings"]
    assert found[1]["resolution"] == pytest.approx(10.0)
    assert [r["resolution"] for r in found[2:]] == [None] * 4


def write_gaussian(path: Path, b_factor: float, pixel_size: float = 1.5, n: int = 48) -> None:
    """A map whose amplitudes fall as exp(-B k^2 / 4): a point, blurred."""
    k = [np.fft.fftfreq(n, pixel_size)] * 3
    squared = sum(axis**2 for axis in np.meshgrid(*k, indexing="ij"))
    density = np.fft.ifftn(np.exp(-b_factor * squared / 4)).real
    write_volume(path, Volume((density * 1e4).astype("float32"), pixel_size))


def test_the_b_factor_of_a_blurred_point_is_found(tmp_path):
    write_gaussian(tmp_path / "map.mrc", 100.0)
    data = guinier(str(tmp_path / "map.mrc"), 12.0, 4.0).data
    # shells are finitely thick, which bends the line by a per cent or so
    assert data["b_factor"] == pytest.approx(-100.0, rel=0.05)
    assert len(data["tables"][0]["series"]) == 2


def test_a_range_without_shells_says_so_and_still_draws(tmp_path):
    write_gaussian(tmp_path / "map.mrc", 100.0)
    data = guinier(str(tmp_path / "map.mrc"), 4.0, 12.0).data
    assert data["b_factor"] is None
    assert "No line" in data["tables"][0]["note"]
    values = [v for v in data["tables"][0]["series"][0]["y"] if v is not None]
    assert all(math.isfinite(value) for value in values)


def test_what_is_no_map_is_refused(tmp_path):
    (tmp_path / "map.mrc").write_bytes(b"no map at all")
    with pytest.raises(InputFileError, match=r"map\.mrc"):
        guinier(str(tmp_path / "map.mrc"), 10.0, None)


def test_curves_of_a_relion_star_file_are_found(tmp_path):
    path = tmp_path / "postprocess.star"
    path.write_text(
        "data_general\n\n_rlnFinalResolution 4.0\n\n"
        "data_fsc\n\nloop_\n_rlnSpectralIndex #1\n_rlnResolution #2\n"
        "_rlnFourierShellCorrelationCorrected #3\n0 0.0 1.0\n1 0.1 0.9\n2 0.2 0.1\n\n"
        "data_guinier\n\nloop_\n_rlnResolutionSquared #1\n_rlnLogAmplitudesOriginal #2\n"
        "0.01 3.0\n0.04 2.0\n\n"
    )
    tables = star_curves(str(path)).data["tables"]
    assert [table["kind"] for table in tables] == ["fsc", "guinier"]
    assert tables[0]["series"][0]["y"] == [1.0, 0.9, 0.1]


def test_a_star_file_without_curves_is_refused(tmp_path):
    path = tmp_path / "particles.star"
    path.write_text("data_\n\nloop_\n_rlnImageName #1\na\nb\n\n")
    with pytest.raises(InputFileError, match="holds no curve"):
        star_curves(str(path))
