"""Functions on the rotations: grids against plain sums, symmetry, smearing and in-plane turns."""

import math

import pytest
import torch
from scipy.spatial.transform import Rotation

from icelens.core.geometry.rotations import random_rotations
from icelens.core.geometry.so3_functions import (
    CellValues,
    EulerGrid,
    RotationGrid,
    heat_kernel,
    invariant_projection,
    is_used,
    value_at,
    wigner_at,
)
from icelens.core.geometry.so3_grid import grid_rotations
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.geometry.wigner import wigner_matrices


def _coefficients(max_degree: int, items: int, seed: int = 0) -> torch.Tensor:
    """Of real functions: order 0 stands for itself, so its n and -n belong together."""
    shape = (max_degree + 1, 2 * max_degree + 1, max_degree + 1, items)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(shape, dtype=torch.complex64, generator=generator)
    sign = (-1.0) ** torch.arange(-max_degree, max_degree + 1)
    drawn[0] = 0.5 * (drawn[0] + sign[:, None, None] * drawn[0].flip(0).conj())
    return drawn * is_used(max_degree)[..., None]


def _everywhere(coefficients: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
    """Values `(item, rotation)` of all items at all rotations."""
    wigner = wigner_at(rotation, coefficients.shape[0] - 1)
    columns = [
        value_at(item[..., None].expand(-1, -1, -1, len(rotation)), wigner)
        for item in coefficients.unbind(-1)
    ]
    return torch.stack(columns)


def _rotations(count: int, seed: int = 3) -> torch.Tensor:
    return random_rotations(count, torch.Generator().manual_seed(seed), dtype=torch.float64)


def _turn_z(angle: float) -> torch.Tensor:
    return torch.from_numpy(Rotation.from_euler("z", angle).as_matrix())


def test_values_are_the_real_part_of_the_whole_sum() -> None:
    coefficients, rotation = _coefficients(3, 1), _rotations(5)
    matrices = torch.from_numpy(wigner_matrices(3, rotation.numpy()))  # item, l, m, n
    total = torch.zeros(5, dtype=torch.complex128)
    for degree in range(4):
        for m in range(-degree, degree + 1):
            for n in range(-degree, degree + 1):
                # a real function has F_{-m,-n} = (-1)^(m - n) conj(F_mn)
                half = coefficients[abs(m), 3 + n if m >= 0 else 3 - n, degree, 0]
                whole = half if m >= 0 else (-1) ** (m - n) * half.conj()
                total += whole * matrices[:, degree, 3 + m, 3 + n]
    assert float(total.imag.abs().max()) < 1e-5
    assert torch.allclose(total.real.float(), _everywhere(coefficients, rotation)[0], atol=1e-4)


@pytest.mark.parametrize("order", [0, 1])
def test_the_grid_gives_what_plain_sums_give(order: int) -> None:
    coefficients = _coefficients(5, 3)
    rotation = torch.from_numpy(grid_rotations(order))
    found = RotationGrid(5, order)(coefficients)
    assert torch.allclose(found, _everywhere(coefficients, rotation), atol=1e-4)


def test_cells_of_a_fine_grid_give_what_plain_sums_give() -> None:
    coefficients = _coefficients(4, 2)
    index = torch.tensor([[0, 5, 290_000], [7, 7, 42]])
    found = CellValues(4, 4)(coefficients, index)
    for item in range(2):
        rotation = torch.from_numpy(grid_rotations(4, index[item].numpy()))
        expected = _everywhere(coefficients[..., item : item + 1], rotation)[0]
        assert torch.allclose(found[item], expected, atol=1e-4)


@pytest.mark.parametrize("oversampling", [1.0, 1.5])
def test_band_limited_functions_survive_the_euler_grid(oversampling: float) -> None:
    coefficients = _coefficients(6, 4)
    grid = EulerGrid(6, oversampling=oversampling)
    again = grid.coefficients(grid.values(coefficients))
    assert torch.allclose(again, coefficients, atol=1e-5)
    assert not grid.state_dict()


def test_values_on_the_euler_grid_are_those_of_plain_sums() -> None:
    coefficients = _coefficients(2, 1)
    values = EulerGrid(2).values(coefficients)
    first, last, polar = values.shape[:3]
    node = torch.from_numpy(Rotation.from_euler("y", math.pi / 2).as_matrix())
    middle = polar // 2  # the middle node of an odd Gauss-Legendre rule is the equator
    for a in range(first):
        for c in range(last):
            left, right = _turn_z(2 * math.pi * a / first), _turn_z(2 * math.pi * c / last)
            expected = _everywhere(coefficients, (left @ node @ right)[None])
            assert torch.allclose(values[a, c, middle], expected[:, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("symmetry", "max_degree"), [("C3", 5), ("D2", 5), ("T", 6), ("O", 6), ("I", 12)]
)
def test_projected_functions_do_not_change_under_the_group(symmetry: str, max_degree: int) -> None:
    operators = symmetry_operators(symmetry)
    projection = invariant_projection(operators, max_degree)
    assert torch.allclose(projection @ projection, projection, atol=1e-5)
    coefficients = _coefficients(max_degree, 1)
    invariant = torch.einsum("mnlb,lkn->mklb", coefficients, projection)
    # more is left than the constant
    assert float(invariant[:, :, 1:].abs().max()) > 0.05
    rotation = _rotations(4)
    values = _everywhere(invariant, rotation)
    for operator in operators.double():
        turned = _everywhere(invariant, rotation @ operator)
        assert torch.allclose(turned, values, atol=2e-4)
    # and it is the mean over the group
    orbit = torch.stack([_everywhere(coefficients, rotation @ each) for each in operators.double()])
    assert torch.allclose(orbit.mean(dim=0), values, atol=2e-4)


def test_the_heat_kernel_is_the_mean_over_small_turns() -> None:
    sigma = 6.0
    coefficients = _coefficients(4, 1)
    rotation = _rotations(1)
    generator = torch.Generator().manual_seed(5)
    # a walk of many small turns about random axes has the width of one, sigma about each axis
    steps, count = 12, 20000
    walk = rotation.expand(count, 3, 3)
    for _ in range(steps):
        turn = torch.randn(count, 3, generator=generator) * math.radians(sigma) / math.sqrt(steps)
        walk = walk @ torch.from_numpy(Rotation.from_rotvec(turn.numpy()).as_matrix())
    expected = _everywhere(coefficients, walk).mean()
    smeared = coefficients * heat_kernel(4, sigma)[:, None]
    found = _everywhere(smeared, rotation)[0, 0]
    spread = _everywhere(coefficients, walk).std() / math.sqrt(count)
    assert abs(float(found - expected)) < 5.0 * float(spread)
    # it is no other width
    wrong = _everywhere(coefficients * heat_kernel(4, 2 * sigma)[:, None], rotation)[0, 0]
    assert abs(float(wrong - expected)) > 10.0 * float(spread)


@pytest.mark.parametrize("angle", [0.4, -math.pi / 2])
def test_in_plane_turns_multiply_by_phases(angle: float) -> None:
    coefficients, rotation = _coefficients(4, 2), _rotations(6)
    phase = torch.exp(1j * angle * torch.arange(5))[:, None, None, None]
    # the turned function has at Rz(a) R the value that the first has at R
    turned = _everywhere(coefficients * phase, _turn_z(angle) @ rotation)
    assert torch.allclose(turned, _everywhere(coefficients, rotation), atol=1e-4)


def test_the_mean_over_the_grid_is_the_constant_term() -> None:
    coefficients = _coefficients(2, 3)
    mean = RotationGrid(2, 1)(coefficients).mean(dim=1)
    assert torch.allclose(mean, coefficients[0, 2, 0].real, atol=0.02)
