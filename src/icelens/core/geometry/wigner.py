"""Wigner functions: how spherical harmonics of one degree turn into each other.

`D^l_mn(Rz(a) Ry(b) Rz(c)) = exp(-i m a) d^l_mn(b) exp(-i n c)` with active rotations, a unitary
representation: `D(R S) = D(R) D(S)`.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]


def small_d(max_degree: int, angle_rad: npt.ArrayLike) -> Floats:
    """`d^l_mn` `(angle, l, m, n)`, m and n from `-max_degree`; zero where l is below them.

    Each block is the exponential of the y component of the angular momentum, whose eigenvalues are
    the integers from -l to l; unlike recurrences it loses no digits at high degree.

    References:
        Feng et al., Phys. Rev. E 92 (2015) 043307.
    """
    angles = np.atleast_1d(np.asarray(angle_rad, np.float64))
    side = 2 * max_degree + 1
    table = np.zeros((len(angles), max_degree + 1, side, side))
    for degree in range(max_degree + 1):
        vectors = _momentum_eigenvectors(degree)
        phases = np.exp(-1j * angles[:, None] * np.arange(-degree, degree + 1))
        block = (vectors * phases[:, None, :]) @ vectors.conj().T
        inner = slice(max_degree - degree, max_degree + degree + 1)
        table[:, degree, inner, inner] = block.real
    return table


def wigner_matrices(max_degree: int, rotation: npt.ArrayLike) -> Complexes:
    """`D^l_mn` `(..., l, m, n)` of rotations `(..., 3, 3)`; zero where l is below m or n."""
    first, polar, last = zyz_angles(rotation)
    table = small_d(max_degree, polar.ravel()).reshape(
        *polar.shape, max_degree + 1, 2 * max_degree + 1, 2 * max_degree + 1
    )
    order = np.arange(-max_degree, max_degree + 1)
    left = np.exp(-1j * first[..., None] * order)[..., None, :, None]
    right = np.exp(-1j * last[..., None] * order)[..., None, None, :]
    matrices: Complexes = left * table * right
    return matrices


def zyz_angles(rotation: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Radians `a, b, c` with `R = Rz(a) Ry(b) Rz(c)`, b from 0 to pi; c is 0 at its ends."""
    matrix = np.asarray(rotation, np.float64)
    sine = np.hypot(matrix[..., 0, 2], matrix[..., 1, 2])
    polar = np.asarray(np.arctan2(sine, matrix[..., 2, 2]))
    # below this sine both axes coincide, and the quotients are noise
    is_locked = sine < 1e-7
    first = np.where(
        is_locked,
        np.arctan2(-matrix[..., 0, 1], matrix[..., 1, 1]),
        np.arctan2(matrix[..., 1, 2], matrix[..., 0, 2]),
    )
    last = np.where(is_locked, 0.0, np.arctan2(matrix[..., 2, 1], -matrix[..., 2, 0]))
    return first, polar, last


@cache
def _momentum_eigenvectors(degree: int) -> Complexes:
    """Eigenvectors of J_y as columns, eigenvalues -l to l."""
    order = np.arange(-degree, degree)
    raising = np.sqrt(degree * (degree + 1.0) - order * (order + 1.0))
    # <m + 1 | J_y | m> = -i/2 sqrt(l(l+1) - m(m+1)), its conjugate above the diagonal
    momentum = np.diag(-0.5j * raising, -1) + np.diag(0.5j * raising, 1)
    vectors: Complexes = np.linalg.eigh(momentum)[1]
    return vectors
