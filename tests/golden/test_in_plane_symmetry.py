"""What turning in the image plane means: `Rz(a) @ R` is the same view turned from x towards y."""

import math

import pytest
import torch
from turned_images import quarter_turned

from icelens.core.fourier.slices import project_volume
from icelens.core.geometry.rotations import random_rotations, relion_angles_to_matrix

QUARTER = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""Rz(90): x goes to y, active."""


def _blobs(box_size: int) -> torch.Tensor:
    """Beads at random places, within reach of every turn."""
    generator = torch.Generator().manual_seed(0)
    beads = (torch.rand(14, 3, generator=generator) - 0.5) * 0.6 * box_size
    axis = torch.arange(box_size) - box_size // 2
    grid = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).float()
    return torch.exp(-((grid[..., None, :] - beads) ** 2).sum(-1) / (2 * 1.5**2)).sum(-1)


def _correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])


@pytest.mark.parametrize("box_size", [24, 25])
def test_a_turn_about_z_on_the_left_turns_the_image_from_x_towards_y(box_size: int) -> None:
    volume = _blobs(box_size)
    rotation = random_rotations(1, torch.Generator().manual_seed(1))[0]
    image = project_volume(volume, rotation)
    turned = quarter_turned(image)
    assert (
        _correlation(project_volume(volume, QUARTER @ rotation), turned) > 0.9995
    )  # rim of the box
    # nothing else does: not the other sign, not the reference's z or the image's other axes
    assert _correlation(project_volume(volume, QUARTER.T @ rotation), turned) < 0.7
    assert _correlation(project_volume(volume, rotation @ QUARTER), turned) < 0.7
    about_y = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    assert _correlation(project_volume(volume, about_y @ rotation), turned) < 0.7


def test_relions_psi_turns_the_image_the_other_way() -> None:
    angles = torch.tensor([40.0, 70.0, 25.0])
    more = relion_angles_to_matrix(angles + torch.tensor([0.0, 0.0, 90.0]))
    assert torch.allclose(more, QUARTER.T @ relion_angles_to_matrix(angles), atol=1e-6)


def test_quarter_turns_keep_the_centre_and_move_x_to_y() -> None:
    for box_size in (8, 9):
        image = torch.zeros(box_size, box_size)
        centre = box_size // 2
        image[centre, centre], image[centre, centre + 2] = 1.0, 2.0
        turned = quarter_turned(image)
        assert float(turned[centre, centre]) == 1.0
        assert float(turned[centre + 2, centre]) == 2.0
        assert math.isclose(float(turned.sum()), 3.0)
