"""Maps keep their centre, their grey values and their shape on another grid."""

import pytest
import torch

from icelens.core.errors import MetadataError
from icelens.core.volumes.to_box import to_box


def gaussian(side: int, pixel_size: float, centre_xyz=(5.0, -8.0, 11.0), width=9.0):
    axis = (torch.arange(side) - side // 2) * pixel_size
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    a, b, c = centre_xyz
    return torch.exp(-((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) / (2.0 * width**2))


@pytest.mark.parametrize(
    ("side", "pixel_size", "box_size", "new_pixel_size"),
    [(48, 3.0, 40, 4.1), (41, 3.0, 64, 2.2), (48, 3.0, 33, 3.0), (40, 3.0, 72, 3.0)],
)
def test_density_is_found_where_it_was_in_angstrom(side, pixel_size, box_size, new_pixel_size):
    found = to_box(
        gaussian(side, pixel_size),
        pixel_size=pixel_size,
        box_size=box_size,
        new_pixel_size=new_pixel_size,
    )
    # the Gaussian has fallen to 1e-4 at the nearest border
    assert torch.allclose(found, gaussian(box_size, new_pixel_size), atol=2e-3)


def test_same_grid_is_left_alone_and_padding_is_zero():
    volume = torch.randn(10, 10, 10)
    assert to_box(volume, pixel_size=2.0, box_size=10, new_pixel_size=2.0) is volume
    wide = to_box(volume, pixel_size=2.0, box_size=16, new_pixel_size=2.0)
    assert torch.allclose(wide[3:13, 3:13, 3:13], volume, atol=1e-5)
    assert float(wide[0].abs().max()) == 0.0


def test_box_of_three_different_sides_becomes_cubic():
    wide = to_box(torch.ones(6, 8, 10), pixel_size=2.0, box_size=12, new_pixel_size=2.0)
    assert wide.shape == (12, 12, 12)
    assert float(wide.sum()) == pytest.approx(480.0, rel=1e-5)


def test_impossible_sampling_is_refused():
    with pytest.raises(MetadataError, match="must be positive"):
        to_box(torch.ones(4, 4, 4), pixel_size=0.0, box_size=4, new_pixel_size=1.0)
