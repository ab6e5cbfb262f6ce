"""Masks have their size in Å, their centre on voxel n // 2, and find the density."""

import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.volumes.masks import density_mask, otsu_threshold, soft_edge, sphere_mask

N = 40


def blob(radius: float, pixel_size: float, *, noise: float = 0.1) -> torch.Tensor:
    """A ball of density 1, 6 voxels off the centre along x, in noise."""
    z, y, x = torch.meshgrid(*[torch.arange(N) - N // 2] * 3, indexing="ij")
    distance = pixel_size * (z**2 + y**2 + (x - 6) ** 2).float().sqrt()
    return (distance <= radius).float() + noise * torch.randn(N, N, N)


@pytest.mark.parametrize("side", [20, 21])
def test_sphere_has_its_centre_and_radius_in_angstrom(side):
    mask = sphere_mask((side,) * 3, pixel_size=2.5, radius=15.0, edge=5.0)
    middle = side // 2
    line = mask[middle, middle]
    assert line[middle + 6] == 1.0  # 15 Å
    assert line[middle + 7] == pytest.approx(0.5)  # half the edge further
    assert line[middle + 8] == pytest.approx(0.0, abs=1e-6)
    for axis in range(3):
        other = (0 if axis else 1, 2 if axis != 2 else 1)
        assert torch.allclose(mask, mask.transpose(*other), atol=1e-6)


def test_circle_is_the_central_slice_of_the_sphere_on_any_shape():
    sphere = sphere_mask((16, 20, 24), pixel_size=3.0, radius=12.0)
    circle = sphere_mask((20, 24), pixel_size=3.0, radius=12.0)
    assert torch.equal(sphere[8], circle)


def test_edge_is_a_raised_cosine_or_a_step():
    distance = torch.tensor([-3.0, 0.0, 1.0, 2.0, 4.0, 9.0])
    expected = torch.tensor([1.0, 1.0, 0.853553, 0.5, 0.0, 0.0])
    assert torch.allclose(soft_edge(distance, 4.0), expected, atol=1e-6)
    assert soft_edge(distance, 0.0).tolist() == [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("pixel_size", [1.7, 3.0])
def test_density_is_found_and_widened_in_angstrom(pixel_size):
    radius = 8 * pixel_size
    volume = blob(radius, pixel_size)
    volume[0, 0, 0] = 1e3  # a hot voxel in a corner misleads neither threshold nor mask
    mask = density_mask(
        volume, pixel_size=pixel_size, dilation=2 * pixel_size, edge=4 * pixel_size,
        smoothing=3 * pixel_size,
    )  # fmt: skip
    line = mask[N // 2, N // 2, N // 2 + 6 :]
    assert (line[:10] == 1.0).all()
    # half height 8 + 2 + 2 voxels from the centre; the low-pass moves the border by one at most
    assert abs(float(line.sum()) - 0.5 - 12) <= 1.0
    assert mask[0].max() == 0.0
    assert 0.0 <= mask.min() <= mask.max() <= 1.0


def test_specks_are_dropped_but_a_second_large_part_stays():
    volume = torch.zeros(N, N, N)
    volume[8:16, 10:20, 10:20] = 1.0
    volume[24:30, 10:20, 10:20] = 1.0
    volume[34, 20, 30] = 1.0
    mask = density_mask(volume, pixel_size=1.0, dilation=0.0, edge=0.0, smoothing=0.0)
    assert mask[10, 15, 15] == mask[26, 15, 15] == 1.0
    assert mask[34, 20, 30] == 0.0


def test_otsu_splits_two_classes_between_them_and_takes_constants():
    values = torch.cat([torch.randn(5000), 8.0 + torch.randn(500)])
    assert 2.0 < otsu_threshold(values) < 6.0
    assert otsu_threshold(torch.ones(10)) == 1.0


def test_given_threshold_is_that_of_the_density():
    volume = blob(8.0, 1.0, noise=0.0) + 0.5 * blob(12.0, 1.0, noise=0.0)
    settings = {"pixel_size": 1.0, "dilation": 0.0, "edge": 0.0, "smoothing": 2.0}
    small = density_mask(volume, threshold=1.0, **settings)
    large = density_mask(volume, threshold=0.25, **settings)
    assert float(large.sum() / small.sum()) == pytest.approx((12 / 8) ** 3, rel=0.15)


def test_impossible_masks_are_refused():
    volume = blob(8.0, 1.0)
    with pytest.raises(GeometryError, match="no density is above 5"):
        density_mask(volume, pixel_size=1.0, threshold=5.0)
    with pytest.raises(GeometryError, match="0 or more"):
        density_mask(volume, pixel_size=1.0, dilation=-1.0)
    for radius in (-1.0, float("nan"), float("inf")):
        with pytest.raises(GeometryError, match="0 or more"):
            sphere_mask((8, 8, 8), pixel_size=1.0, radius=radius)
