"""Volumes of weights: centred, with the wedge where nothing was measured and the CTF's sign."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.errors import MetadataError
from icelens.core.io.tomogram_star import write_tomograms
from icelens.core.optics.missing_wedge import TiltScheme
from icelens.tasks.pick.exchange_jobs import ExtractConfig
from icelens.tasks.pick.subtomogram_weights import (
    rows_of_runs,
    scheme_and_defocus,
    weight_volume,
)

N = 16
CONFIG = ExtractConfig(project=Path("p.json"), picks=("a", "1"), box_size=N)
SCHEME = TiltScheme(-60.0, 60.0)


def test_wedge_lies_about_the_beam_and_the_centre_is_measured() -> None:
    weights = weight_volume(N, 10.0, SCHEME, 0.0, CONFIG)
    middle = N // 2
    assert weights.shape == (N, N, N)
    assert weights[middle, middle, middle] == 1.0
    assert weights[middle + 4, middle, middle] == 0.0  # along the beam
    assert weights[middle, middle, middle + 4] == 1.0
    assert weights[middle, middle + 4, middle] == 1.0
    # Friedel mates agree
    inner = weights[1:, 1:, 1:]
    np.testing.assert_array_equal(inner, inner[::-1, ::-1, ::-1])


def test_a_turned_box_has_a_turned_wedge() -> None:
    # a turn about y that lays the beam onto x
    quarter = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    weights = weight_volume(N, 10.0, SCHEME, 0.0, CONFIG, rotation=quarter)
    middle = N // 2
    assert weights[middle + 4, middle, middle] == 1.0
    assert weights[middle, middle, middle + 4] == 0.0


def test_ctf_has_relions_sign_and_no_wedge_of_its_own() -> None:
    weights = weight_volume(N, 10.0, None, 30000.0, CONFIG)
    middle = N // 2
    assert weights[middle, middle, middle] == pytest.approx(0.1)
    assert weights.min() < -0.5
    flipped = CONFIG.model_copy(update={"is_phase_flipped": True})
    np.testing.assert_allclose(
        weight_volume(N, 10.0, None, 30000.0, flipped), np.abs(weights), atol=1e-6
    )


def write_list(path: Path, *names: str, **fields: object) -> Path:
    rows = [
        TomogramRow(**{"index": i, "pixel_size": 10.0, "full": Path(name), **fields})
        for i, name in enumerate(names, start=1)
    ]
    write_tomograms(path, TomogramList.from_rows(rows))
    return path


def test_rows_are_found_by_their_volumes_names(tmp_path: Path) -> None:
    star = write_list(tmp_path / "t.star", "a/TS_1.mrc", "a/TS_1_b.mrc", "TS_2_EVN.mrc")
    found = rows_of_runs(star, ["TS_1", "TS_2", "TS_1_b"])
    assert {run: row.index for run, row in found.items()} == {"TS_1": 1, "TS_2": 3, "TS_1_b": 2}
    with pytest.raises(MetadataError, match="no row fits run TS_3"):
        rows_of_runs(star, ["TS_3"])
    star = write_list(tmp_path / "t.star", "TS_1_a.mrc", "TS_1_b.mrc")
    with pytest.raises(MetadataError, match=r"rows \[1, 2\] fit run TS_1"):
        rows_of_runs(star, ["TS_1"])


def test_single_tilts_and_settings_go_over_the_list(tmp_path: Path) -> None:
    tilts = tmp_path / "TS_1.tlt"
    tilts.write_text("-40\n0\n40\n")
    star = write_list(tmp_path / "t.star", "TS_1.mrc", tilt_file=tilts, defocus=25000.0)
    config = CONFIG.model_copy(update={"tomograms_star": star})
    scheme, defocus = scheme_and_defocus(config, ["TS_1"])["TS_1"]
    assert scheme is not None
    assert (scheme.angles, defocus) == ((-40.0, 0.0, 40.0), 25000.0)
    told = config.model_copy(update={"tilt_range": (-50.0, 50.0), "defocus": 0.0})
    scheme, defocus = scheme_and_defocus(told, ["TS_1"])["TS_1"]
    assert scheme == TiltScheme(-50.0, 50.0)
    assert defocus == 0.0
