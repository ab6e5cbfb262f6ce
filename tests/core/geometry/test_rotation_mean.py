"""The mean of rotations is between them and a rotation."""

import torch

from icelens.core.geometry.rotation_mean import mean_rotation, nearest_rotation
from icelens.core.geometry.rotations import (
    random_rotations,
    relion_angles_to_matrix,
    rotation_distance,
)


def test_mean_of_two_is_halfway():
    base = random_rotations(5, torch.Generator().manual_seed(0), dtype=torch.float64)
    turn = relion_angles_to_matrix(torch.tensor([10.0, 30.0, 5.0], dtype=torch.float64))
    pair = torch.stack([base, turn @ base], dim=1)
    mean = mean_rotation(pair)
    assert torch.allclose(rotation_distance(mean, base), rotation_distance(mean, turn @ base))
    assert torch.allclose(2 * rotation_distance(mean, base), rotation_distance(base, turn @ base))


def test_weights_count():
    base = random_rotations(2, torch.Generator().manual_seed(1), dtype=torch.float64)
    mean = mean_rotation(base, torch.tensor([1.0, 0.0], dtype=torch.float64))
    assert float(rotation_distance(mean, base[0])) < 1e-6


def test_nearest_rotation_is_never_a_mirror():
    matrix = torch.randn(50, 3, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    nearest = nearest_rotation(matrix)
    eye = torch.eye(3, dtype=torch.float64)
    assert torch.allclose(nearest @ nearest.mT, eye.expand(50, 3, 3), atol=1e-10)
    assert torch.allclose(torch.linalg.det(nearest), torch.ones(50, dtype=torch.float64))
