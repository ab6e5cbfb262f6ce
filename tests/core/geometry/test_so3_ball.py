import math

import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.geometry.rotations import random_rotations, rotation_distance
from icelens.core.geometry.so3_ball import rotation_from_vector, so3_ball


def test_exponential_map_is_the_matrix_exponential() -> None:
    vectors = torch.randn(20, 3, dtype=torch.float64)
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).view(-1, 3, 3)
    assert torch.allclose(rotation_from_vector(vectors), torch.linalg.matrix_exp(cross), atol=1e-12)


def test_exponential_map_is_smooth_at_zero() -> None:
    tiny = torch.tensor([[0.0, 0.0, 0.0], [1e-20, 0.0, 0.0]])
    assert torch.allclose(rotation_from_vector(tiny), torch.eye(3), atol=1e-12)


@pytest.mark.parametrize(("angular_range", "angular_step"), [(6.0, 2.0), (4.0, 1.4), (10.0, 3.0)])
def test_points_lie_in_the_ball_the_identity_first(
    angular_range: float, angular_step: float
) -> None:
    ball = so3_ball(angular_range, angular_step)
    length = torch.rad2deg(ball.norm(dim=1))
    assert float(length[0]) == 0.0
    assert float(length.max()) <= angular_range * 1.0001
    assert bool((length.diff() >= -1e-5).all())
    turned = rotation_from_vector(ball)
    apart = rotation_distance(turned[:, None], turned) + 1e3 * torch.eye(len(ball))
    assert float(apart.min()) == pytest.approx(angular_step, rel=0.01)


def test_no_rotation_of_the_ball_is_far_from_a_point() -> None:
    ball = rotation_from_vector(so3_ball(8.0, 2.0))
    generator = torch.Generator().manual_seed(0)
    inside = torch.randn(500, 3, generator=generator)
    inside *= (
        math.radians(6.0)
        * torch.rand(500, 1, generator=generator)
        / inside.norm(dim=1, keepdim=True)
    )
    nearest = rotation_distance(rotation_from_vector(inside)[:, None], ball).amin(dim=1)
    assert float(nearest.max()) < 0.66 * 2.0


def test_ball_has_no_pole() -> None:
    start = random_rotations(5, torch.Generator().manual_seed(1))
    ball = rotation_from_vector(so3_ball(4.0, 2.0))
    angle = rotation_distance((ball @ start[:, None]), start[:, None])
    assert torch.allclose(angle, angle[:1].expand_as(angle), atol=1e-3)


def test_range_of_zero_is_the_identity_alone() -> None:
    assert torch.equal(so3_ball(0.0, 2.0), torch.zeros(1, 3))


@pytest.mark.parametrize(
    ("angular_range", "angular_step"), [(-1.0, 2.0), (181.0, 2.0), (6.0, 0.0), (6.0, float("nan"))]
)
def test_impossible_balls_are_refused(angular_range: float, angular_step: float) -> None:
    with pytest.raises(GeometryError, match="expected a range from 0 to 180"):
        so3_ball(angular_range, angular_step)


def test_endless_search_is_refused() -> None:
    with pytest.raises(GeometryError, match="choose a larger step"):
        so3_ball(180.0, 1.0)
