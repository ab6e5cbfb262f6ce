import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.metrics.fsc_auc import CEILING, fsc_auc, mean_fsc_auc
from icelens.core.volumes.masks import sphere_mask


def noise(seed: int, side: int = 24) -> torch.Tensor:
    return torch.randn(side, side, side, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("side", [24, 25])
def test_equal_maps_reach_the_ceiling(side: int) -> None:
    mask = sphere_mask((side,) * 3, pixel_size=1.0, radius=7.0, edge=3.0)
    assert fsc_auc(noise(1, side), 3.0 * noise(1, side) + 5.0) == pytest.approx(CEILING, abs=1e-6)
    assert fsc_auc(noise(1, side), noise(1, side), mask) == pytest.approx(CEILING, abs=1e-6)


def test_noise_has_no_more_than_the_shell_that_is_one_by_convention() -> None:
    half_a_shell = 0.5 / 24
    # the first shells have few samples, each correlation errs by their root
    assert fsc_auc(noise(1), noise(2)) == pytest.approx(half_a_shell, abs=0.02)


def test_low_pass_leaves_the_part_up_to_its_edge() -> None:
    spectrum = torch.fft.rfftn(noise(3))
    full = torch.fft.fftfreq(24) ** 2
    radius = (full[:, None, None] + full[:, None] + torch.fft.rfftfreq(24) ** 2).sqrt()
    low = torch.fft.irfftn(spectrum * (radius < 0.25), s=(24, 24, 24))
    assert fsc_auc(low, noise(3)) == pytest.approx(0.25, abs=1.0 / 24)


def test_mean_is_over_pairs_and_batches_alike() -> None:
    maps = torch.stack([noise(4), noise(5)])
    truth = torch.stack([noise(4), noise(6)])
    apart = [fsc_auc(one, other) for one, other in zip(maps, truth, strict=True)]
    assert mean_fsc_auc(maps, truth) == pytest.approx(sum(apart) / 2)
    assert fsc_auc(maps, truth) == pytest.approx(sum(apart) / 2)


def test_a_map_without_its_truth_is_refused() -> None:
    with pytest.raises(GeometryError, match="no maps"):
        mean_fsc_auc([], [])
    with pytest.raises(ValueError, match="shorter"):
        mean_fsc_auc([noise(1)], [])
