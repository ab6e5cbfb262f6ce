"""Modes of known distributions: where they are, how much they hold, how wide they are."""

import math
from functools import cache

import numpy as np
import pytest
import torch

from icelens.core.geometry.rotations import random_rotations, rotation_distance
from icelens.core.geometry.so3_functions import invariant_projection, wigner_at
from icelens.core.geometry.so3_grid import grid_step
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.tasks.pose.distribution import FINEST_ORDER, DistributionReader, Modes

DEGREE = 6
RADIUS = 12.0


def truths(count: int, seed: int = 0) -> torch.Tensor:
    return random_rotations(count, torch.Generator().manual_seed(seed))


def bumps(rotation: torch.Tensor, sigma: float) -> torch.Tensor:
    """`exp(F)` is the matrix Fisher distribution about each rotation.

    `F = k tr(R0^T R) = k (1 + 2 cos angle)`, the character of degree 1; about a normal distribution
    of `sigma` degrees in each axis.
    """
    strength = 0.5 / math.radians(sigma) ** 2
    coefficients = torch.zeros_like(wigner_at(rotation, DEGREE))
    coefficients[:, :, 1] = strength * wigner_at(rotation, DEGREE).conj()[:, :, 1]
    return coefficients


def sharp_bumps(rotation: torch.Tensor, symmetry: str) -> torch.Tensor:
    """Peaks as narrow as the band limit allows, one for each equivalent."""
    degree = 2.0 * torch.arange(DEGREE + 1) + 1.0
    peak = degree[:, None] * wigner_at(rotation, DEGREE).conj()
    projection = invariant_projection(symmetry_operators(symmetry), DEGREE)
    return torch.einsum("mnlb,lkn->mklb", peak, projection)


def expected(sigma: float) -> tuple[float, float]:
    """Probability and root mean square angle within 12 degrees."""
    angle = np.linspace(0.0, math.pi, 200_001)
    strength = 1.0 / math.radians(sigma) ** 2
    density = np.exp(strength * (np.cos(angle) - 1.0)) * (1.0 - np.cos(angle))
    inside = angle <= math.radians(RADIUS)
    width = np.sqrt((density * angle**2)[inside].sum() / density[inside].sum())
    return density[inside].sum() / density.sum(), math.degrees(width)


def off(modes: Modes, rotation: torch.Tensor, symmetry: str = "C1") -> torch.Tensor:
    """Degrees from the best mode to the truth, up to symmetry."""
    equivalents = modes.rotation[:, :1] @ symmetry_operators(symmetry)
    return rotation_distance(equivalents, rotation[:, None]).amin(dim=1)


def read(coefficients: torch.Tensor, top_k: int = 1, symmetry: str = "C1") -> Modes:
    return reader_of(symmetry)(coefficients, top_k)


@cache
def reader_of(symmetry: str) -> DistributionReader:
    return DistributionReader(DEGREE, symmetry_operators(symmetry))


@pytest.fixture(scope="module")
def mixed() -> torch.Tensor:
    """Distributions with several modes each."""
    shape = (DEGREE + 1, 2 * DEGREE + 1, DEGREE + 1, 6)
    generator = torch.Generator().manual_seed(5)
    return torch.randn(shape, dtype=torch.complex64, generator=generator)


@pytest.mark.parametrize("symmetry", ["C1", "C3", "D2", "D4", "T", "O"])
def test_a_narrow_peak_is_found_anywhere(symmetry: str) -> None:
    rotation = truths(120)
    modes = read(sharp_bumps(rotation, symmetry), symmetry=symmetry)
    # half the diagonal of a cell of the finest order
    assert float(off(modes, rotation, symmetry).max()) < 1.5


@pytest.mark.parametrize("tilt", [0.0, 0.3, 179.9])
def test_the_poles_of_the_grid_are_no_worse(tilt: float) -> None:
    turn = torch.deg2rad(torch.arange(0.0, 360.0, 9.0))
    tilt_rad = torch.deg2rad(torch.full_like(turn, tilt))
    zero, one = torch.zeros_like(turn), torch.ones_like(turn)
    about_z = torch.stack(
        [turn.cos(), turn.sin(), zero, -turn.sin(), turn.cos(), zero, zero, zero, one], dim=1
    ).view(-1, 3, 3)
    about_y = torch.stack(
        [tilt_rad.cos(), zero, -tilt_rad.sin(), zero, one, zero, tilt_rad.sin(), zero,
         tilt_rad.cos()], dim=1,
    ).view(-1, 3, 3)  # fmt: skip
    rotation = about_z @ about_y
    # four cells meet there, with their corners
    assert float(off(read(sharp_bumps(rotation, "C1")), rotation).max()) < grid_step(FINEST_ORDER)


@pytest.mark.parametrize("sigma", [3.0, 5.0, 9.0])
def test_probability_and_width_are_those_of_the_distribution(sigma: float) -> None:
    rotation = truths(100)
    modes = read(bumps(rotation, sigma))
    probability, width = expected(sigma)
    # the best cell lies up to 1.5 degrees from the peak; borders of the mode cut cells
    assert float(modes.probability.mean()) == pytest.approx(probability, rel=0.1)
    assert float(modes.width.mean()) == pytest.approx(width, rel=0.1)
    assert float((modes.probability - probability).abs().max()) < 0.25 * probability


def test_nothing_known_is_nothing_said() -> None:
    flat = torch.zeros((DEGREE + 1, 2 * DEGREE + 1, DEGREE + 1, 2), dtype=torch.complex64)
    angle = math.radians(RADIUS)
    share = (angle - math.sin(angle)) / math.pi  # of all rotations within 12 degrees
    assert float(read(flat).probability.max()) < 3.0 * share


@pytest.mark.parametrize("top_k", [1, 2, 7, 50])
@pytest.mark.parametrize("symmetry", ["C1", "D2", "O", "D12"])
def test_any_number_of_modes_is_given(mixed: torch.Tensor, top_k: int, symmetry: str) -> None:
    projection = invariant_projection(symmetry_operators(symmetry), DEGREE)
    invariant = torch.einsum("mnlb,lkn->mklb", mixed, projection)
    modes = read(invariant, top_k, symmetry)
    assert modes.rotation.shape == (6, top_k, 3, 3)
    assert torch.allclose(torch.linalg.det(modes.rotation), torch.ones(6, top_k), atol=1e-4)
    assert torch.isfinite(modes.width).all()
    assert (modes.probability >= 0).all()
    assert (modes.probability.sum(dim=1) <= 1.0 + 1e-5).all()
    best = read(invariant, 1, symmetry)
    assert torch.equal(best.rotation[:, 0], modes.rotation[:, 0])
    assert torch.equal(best.probability[:, 0], modes.probability[:, 0])


def test_modes_beyond_the_last_are_the_best_again_with_probability_zero() -> None:
    # about the axis of C72 all rotations lie within half of 5 degrees: few modes fit in
    symmetry = "D72"
    projection = invariant_projection(symmetry_operators(symmetry), DEGREE)
    one = torch.einsum("mnlb,lkn->mklb", bumps(truths(3), 3.0), projection)
    modes = read(one, 50, symmetry)
    is_again = modes.probability[:, -1] == 0.0
    assert is_again.all()
    assert torch.equal(modes.rotation[:, -1], modes.rotation[:, 0])
    assert (modes.width[:, -1] == 180.0).all()


@pytest.mark.parametrize("symmetry", ["C1", "D2", "T", "O"])
def test_equivalent_poses_are_one_mode(symmetry: str) -> None:
    rotation = truths(30)
    modes = read(sharp_bumps(rotation, symmetry) / len(symmetry_operators(symmetry)), 6, symmetry)
    operators = symmetry_operators(symmetry)
    for first in range(6):
        for second in range(first + 1, 6):
            pair = modes.rotation[:, first : first + 1] @ operators, modes.rotation[:, second]
            apart = rotation_distance(pair[0], pair[1][:, None]).amin(dim=1)
            is_real = modes.probability[:, second] > 0
            assert (apart[is_real] > RADIUS - 0.1).all()


@pytest.mark.parametrize("symmetry", ["C2", "C3"])
def test_a_symmetric_mode_holds_what_its_equivalents_hold_together(symmetry: str) -> None:
    operators = symmetry_operators(symmetry)
    rotation = truths(20, seed=3)
    invariant = 0.4 * len(operators) * sharp_bumps(rotation, symmetry)
    together = read(invariant, 1, symmetry).probability[:, 0]
    apart = read(invariant, 1).probability[:, 0]
    assert torch.allclose(together, len(operators) * apart, rtol=0.1)


def test_two_modes_are_ranked_and_share_the_probability() -> None:
    first, second = truths(40, 1), truths(40, 2)
    is_apart = rotation_distance(first, second) > 60.0
    both = sharp_bumps(first, "C1") + 0.9 * sharp_bumps(second, "C1")
    modes = read(0.05 * both, 2)
    assert float(off(modes, first)[is_apart].max()) < 3.0
    nearest = rotation_distance(modes.rotation[:, 1], second)[is_apart]
    assert float(nearest.max()) < 3.0
    assert (modes.probability[:, 0] > modes.probability[:, 1]).all()


def test_answers_depend_neither_on_the_batch_nor_on_chance(mixed: torch.Tensor) -> None:
    whole, again = read(mixed, 4), read(mixed, 4)
    for name in ("rotation", "probability", "width"):
        assert torch.equal(getattr(whole, name), getattr(again, name))
        single = torch.cat([getattr(read(mixed[..., [n]], 4), name) for n in range(6)])
        assert torch.allclose(single, getattr(whole, name), atol=1e-3)


def test_turning_the_image_turns_the_answer(mixed: torch.Tensor) -> None:
    # one in-plane step of the coarsest order used, which takes the grid to itself
    angle = 15.0
    order = torch.arange(DEGREE + 1)[:, None, None, None]
    turned = mixed * torch.exp(1j * math.radians(angle) * order)
    before, after = read(mixed), read(turned)
    assert torch.allclose(after.probability, before.probability, atol=2e-3)
    relative = after.rotation[:, 0] @ before.rotation[:, 0].mT
    assert torch.allclose(relative[:, 2, 2], torch.ones(6), atol=2e-3)
    cosine = 0.5 * (relative[:, 0, 0] + relative[:, 1, 1])
    assert torch.allclose(cosine, torch.full((6,), math.cos(math.radians(angle))), atol=2e-2)
