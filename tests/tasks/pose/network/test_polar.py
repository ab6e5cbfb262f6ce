import math

import pytest
import torch
import torch.nn.functional as F
from turned_images import quarter_turned

from icelens.tasks.pose.network.polar import PolarSampler, RingConvolution


def _places(num_radii: int, num_angles: int, reach: float) -> tuple[torch.Tensor, torch.Tensor]:
    radius = (torch.arange(num_radii)[:, None] + 0.5) * reach / num_radii
    angle = torch.arange(num_angles) * 2 * math.pi / num_angles
    return radius * torch.cos(angle), radius * torch.sin(angle)


@pytest.mark.parametrize("stride", [1, 2, 4, 5])
@pytest.mark.parametrize("box_size", [32, 48])
def test_rings_lie_about_the_centre_pixel_at_every_stride(box_size: int, stride: int) -> None:
    # linear interpolation and averages are exact for ramps
    y, x = torch.meshgrid(torch.arange(box_size + 8.0), torch.arange(box_size + 8.0), indexing="ij")
    ramps = torch.stack([x, y])[None] - box_size // 2
    side = -(-box_size // stride) * stride
    maps = F.avg_pool2d(ramps[..., :side, :side], stride)
    rings = PolarSampler(box_size, 4, 12, reach=0.3 * box_size, stride=stride)(maps)
    expected = torch.stack(_places(4, 12, 0.3 * box_size))
    assert torch.allclose(rings[0], expected, atol=1e-3)


@pytest.mark.parametrize("box_size", [16, 17])
def test_turning_the_image_shifts_rings_along_the_angle(box_size: int) -> None:
    image = torch.randn(1, 2, box_size, box_size)
    start = quarter_turned(image, 0)
    sampler = PolarSampler(box_size, 6, 24, reach=0.4 * box_size)
    expected = sampler(start).roll(24 // 4, dims=-1)
    turned = sampler(quarter_turned(image))
    inner = slice(None) if box_size % 2 else slice(0, 5)  # zeros of the margin reach ring 5
    assert torch.allclose(turned[:, :, inner], expected[:, :, inner], atol=1e-5)


def test_beyond_the_map_there_is_nothing() -> None:
    rings = PolarSampler(16, 4, 8, reach=40.0)(torch.ones(1, 1, 16, 16))
    assert not rings[0, 0, -1].any()
    assert torch.allclose(rings[0, 0, 0], torch.ones(8))


def test_places_keep_their_precision_under_autocast() -> None:
    image = torch.randn(1, 1, 64, 64)
    sampler = PolarSampler(64, 8, 16, reach=30.0)
    expected = sampler(image)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.allclose(sampler(image.bfloat16()).float(), expected, atol=0.03)


def test_tables_are_not_saved() -> None:
    assert not PolarSampler(16, 4, 8, reach=8.0).state_dict()


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_convolutions_turn_with_the_rings(kernel: int) -> None:
    convolution = RingConvolution(3, 4, kernel)
    rings = torch.randn(2, 3, 5, 12)
    turned = convolution(rings.roll(5, dims=-1))
    assert turned.shape == (2, 4, 5, 12)
    assert torch.allclose(turned, convolution(rings).roll(5, dims=-1), atol=1e-5)


@pytest.mark.parametrize("pooled", [(1, 2), (2, 2), (2, 1)])
def test_means_within_a_convolution_are_those_after_it(pooled: tuple[int, int]) -> None:
    plain, merged = RingConvolution(3, 4, 3), RingConvolution(3, 4, 3, pooled=pooled)
    merged.load_state_dict(plain.state_dict())
    rings = torch.randn(2, 3, 8, 12)
    assert torch.allclose(merged(rings), F.avg_pool2d(plain(rings), pooled), atol=1e-5)
