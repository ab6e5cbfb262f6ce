import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from icelens.core.geometry.wigner import small_d, wigner_matrices, zyz_angles


def _rotations(count: int, seed: int = 0) -> np.ndarray:
    return Rotation.random(count, random_state=seed).as_matrix()


def _about(axis: str, angle: float) -> np.ndarray:
    return Rotation.from_euler(axis, angle).as_matrix()


def _identities(max_degree: int) -> np.ndarray:
    order = np.abs(np.arange(-max_degree, max_degree + 1))
    return np.stack([np.diag((order <= degree) * 1.0) for degree in range(max_degree + 1)])


def test_first_degree_follows_the_formula() -> None:
    # Varshalovich et al. 1988, table 4.4
    angles = np.array([0.0, 0.3, 1.7, np.pi])
    c, s, r = np.cos(angles), np.sin(angles), np.sqrt(2.0)
    expected = np.array(
        [[(1 + c) / 2, s / r, (1 - c) / 2], [-s / r, c, s / r], [(1 - c) / 2, -s / r, (1 + c) / 2]]
    ).transpose(2, 0, 1)
    assert np.allclose(small_d(1, angles)[:, 1], expected, atol=1e-14)
    assert np.allclose(small_d(1, angles)[:, 0, 1, 1], 1.0)


def test_second_degree_follows_the_legendre_polynomial() -> None:
    angles = np.linspace(0.0, np.pi, 7)
    expected = 1.5 * np.cos(angles) ** 2 - 0.5
    assert np.allclose(small_d(2, angles)[:, 2, 2, 2], expected, atol=1e-14)


def test_matrices_are_unitary() -> None:
    matrices = wigner_matrices(6, _rotations(20))
    products = matrices @ matrices.conj().swapaxes(-1, -2)
    assert np.allclose(products, _identities(6), atol=1e-12)


def test_products_of_rotations_are_products_of_matrices() -> None:
    left, right = _rotations(20, 1), _rotations(20, 2)
    together = wigner_matrices(6, left @ right)
    assert np.allclose(together, wigner_matrices(6, left) @ wigner_matrices(6, right), atol=1e-12)


def test_high_degrees_lose_no_digits() -> None:
    small = small_d(32, [0.9])[0, 32]
    assert np.allclose(small @ small.T, np.eye(65), atol=1e-12)


def test_what_lies_outside_a_degree_is_zero() -> None:
    table = small_d(3, [0.4])[0]
    for degree in range(4):
        used = np.abs(np.arange(-3, 4)) <= degree
        assert not table[degree][~np.outer(used, used)].any()


def test_angles_make_the_rotation_again() -> None:
    rotation = _rotations(50).reshape(5, 10, 3, 3)
    first, polar, last = zyz_angles(rotation)
    again = Rotation.from_euler(
        "ZYZ", np.stack([first, polar, last], axis=-1).reshape(-1, 3)
    ).as_matrix()
    assert np.allclose(again.reshape(5, 10, 3, 3), rotation, atol=1e-12)


@pytest.mark.parametrize("polar", [0.0, 1e-9, np.pi - 1e-9, np.pi])
@pytest.mark.parametrize("turn", [-2.0, 0.0, 0.7, np.pi])
def test_angles_at_the_poles_are_unique_and_right(polar: float, turn: float) -> None:
    rotation = _about("z", turn) @ _about("y", polar) @ _about("z", 0.4)
    first, found, last = zyz_angles(rotation)
    assert float(last) == 0.0
    assert float(found) == pytest.approx(polar, abs=1e-8)
    again = _about("z", float(first)) @ _about("y", float(found))
    assert np.allclose(again, rotation, atol=1e-8)
    # the matrices hold there, too
    expected = wigner_matrices(3, _about("z", turn)) @ wigner_matrices(3, _about("y", polar))
    expected = expected @ wigner_matrices(3, _about("z", 0.4))
    assert np.allclose(wigner_matrices(3, rotation), expected, atol=1e-7)


def test_turns_about_z_multiply_by_phases() -> None:
    rotation = _rotations(3)
    order = np.arange(-4, 5)
    turned = wigner_matrices(4, _about("z", 0.6) @ rotation)
    phases = np.exp(-1j * 0.6 * order)
    assert np.allclose(turned, phases[:, None] * wigner_matrices(4, rotation), atol=1e-12)
