"""Trust without truth: an oracle is believed, an empty wedge is not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from toy_tomograms import COMPUTE, NO_CTF, Recalls, blobs

from icelens.core.data.tomograms import TomogramRow
from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.events import ignore
from icelens.core.io.volumes import open_volume
from icelens.core.metrics.fsc import mean_correlation
from icelens.core.optics.missing_wedge import TiltScheme, measured_mask
from icelens.tasks.restore.assess import (
    BAND,
    HiddenWedge,
    assess_hidden_wedge,
    central_block,
    check_block,
    hidden_tilts,
    hide,
    write_disagreement,
)
from icelens.tasks.restore.inputs import Reading
from icelens.tasks.restore.physics import CtfHandling
from icelens.tasks.restore.predict import TilePlan
from icelens.tasks.restore.restorer import Restorer

SHAPE = (32, 32, 32)
ROW = TomogramRow(1, 10.0)


def ask(network: nn.Module, boxes: list[torch.Tensor]) -> HiddenWedge:
    restorer = Restorer(
        network,
        "even-odd",
        "auto",
        CtfHandling(**NO_CTF),
        use_tilt_files=False,
        apply_wedge=True,
        reading=Reading("dark", "error"),
        compute=COMPUTE,
        plan=TilePlan(32, 0, 0),  # the box is one tile, so that a network can recall an answer
    )
    return assess_hidden_wedge(restorer, ROW, [box.numpy() for box in boxes], (30.0, 60.0), ignore)


def halves(noise: float) -> list[torch.Tensor]:
    measured = measured_mask(SHAPE, TiltScheme(-60.0, 60.0))
    return [
        torch.fft.irfftn(
            torch.fft.rfftn(blobs(SHAPE) + noise * torch.randn(SHAPE)) * measured, s=SHAPE
        )
        for _ in range(2)
    ]


def test_oracle_comes_near_the_limit_that_the_data_set() -> None:
    answer = ask(Recalls(blobs(SHAPE)), halves(2.0))
    assert answer.data is not None
    assert answer.data_total is not None
    # corr(s, s + b) is the square root of corr(s + a, s + b) for a and b of equal power
    limit = replace(answer.data, correlation=answer.data.correlation.clamp(min=0).sqrt())
    assert answer.predicted_total == pytest.approx(mean_correlation(limit, *BAND), abs=0.12)
    assert 0.05 < answer.data_total < 0.9


def test_identity_knows_nothing_of_hidden_tilts() -> None:
    answer = ask(nn.Identity(), halves(0.5))
    assert abs(answer.predicted_total) < 0.05
    assert abs(answer.zero_fill_total) < 0.05
    assert answer.data_total is not None
    assert answer.data_total > 0.5


def test_network_sees_nothing_of_what_was_hidden() -> None:
    network = Recalls()
    ask(network, halves(0.5))
    kept = measured_mask(SHAPE, TiltScheme(-60.0, 30.0))
    spectrum = torch.fft.rfftn(network.seen[0][0, 0]).abs()
    assert float(spectrum[kept == 0].max()) < 1e-3 * float(spectrum.max())


def test_single_map_has_no_data_limit() -> None:
    assert ask(Recalls(blobs(SHAPE)), halves(0.5)[:1]).data_total is None


def test_hiding_removes_the_region_alone() -> None:
    box = torch.randn(8, 10, 12)
    region = (torch.rand(8, 10, 7) > 0.5).float()
    region[:, :, [0, -1]] = 0.0  # columns that hold both of a Friedel pair
    found = torch.fft.rfftn(torch.from_numpy(hide(box.numpy(), region)))
    torch.testing.assert_close(
        found, torch.fft.rfftn(box) * (1 - region), atol=1e-4, rtol=0
    )  # float32


def test_disagreement_of_equal_halves_is_zero(tmp_path: Path) -> None:
    volume = Volume(blobs((20, 18, 16)).numpy(), 10.0)
    path = write_disagreement(tmp_path / "d.mrc", volume, volume, relative_to=1.0)
    assert float(np.abs(open_volume(path).array).max()) == 0.0


def test_disagreement_is_the_spread_of_either_error_without_slab_borders(tmp_path: Path) -> None:
    first, second = (Volume(torch.randn(48, 40, 40).numpy(), 10.0) for _ in range(2))
    whole = open_volume(write_disagreement(tmp_path / "d.mrc", first, second, relative_to=2.0))
    assert float(np.mean(np.square(whole.array))) == pytest.approx(0.25, rel=0.05)
    turned = [Volume(v.array[::-1, :, :].copy(), 10.0) for v in (first, second)]
    again = open_volume(write_disagreement(tmp_path / "e.mrc", *turned, relative_to=2.0))
    # other slabs, the same values: only rounding differs
    np.testing.assert_allclose(np.asarray(again.array)[::-1], whole.array, atol=1e-5)


def test_no_more_is_hidden_than_is_left() -> None:
    assert hidden_tilts(TiltScheme(-60.0, 60.0), 30.0) == (30.0, 60.0)
    with pytest.raises(MetadataError, match="smaller --hidden-wedge"):
        hidden_tilts(TiltScheme(-20.0, 20.0), 30.0)


def test_block_is_central_and_bounded() -> None:
    block = central_block((10, 100, 60), 9000)
    assert block == (slice(0, 10), slice(35, 65), slice(15, 45))
    assert central_block((10, 20, 30), 10**6) == (slice(0, 10), slice(0, 20), slice(0, 30))
    with pytest.raises(GeometryError, match="too thin"):
        check_block((12, 100, 100), ROW)
