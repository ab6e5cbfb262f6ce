"""Band-limited functions on the rotations, as coefficients, values on grids and at rotations.

`F(R) = Re sum_lmn w_m F_lmn D^l_mn(R)`, m from 0 to the highest degree, w_0 = 1 and else 2: the
half that a real function needs. Coefficients are laid out `(m, n, l, ...)`, n from minus to plus
the highest degree; those with l below m or |n| do not count. Turning the image in its plane by an
angle a turns R to Rz(a) R, which multiplies the coefficients by `exp(i m a)`.
"""

import math

import numpy as np
import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor

from icelens.core.geometry.healpix import cell_angles, num_cells
from icelens.core.geometry.so3_grid import grid_step, num_turns
from icelens.core.geometry.wigner import small_d, wigner_matrices

Coefficients = Complex[Tensor, "m n l item"]


def order_weights(max_degree: int) -> Float[Tensor, " m"]:
    """w_m: 1 for m = 0, 2 for those that also stand for -m."""
    weights = torch.full((max_degree + 1,), 2.0)
    weights[0] = 1.0
    return weights


def is_used(max_degree: int) -> Float[Tensor, "m n l"]:
    """1 where l reaches m and |n|, else 0."""
    degree = torch.arange(max_degree + 1)
    order = torch.arange(-max_degree, max_degree + 1).abs()
    used = (degree >= degree[:, None, None]) & (degree >= order[:, None])
    return used.float()


def wigner_at(rotation: Float[Tensor, "item 3 3"], max_degree: int) -> Coefficients:
    """`D^l_mn` of rotations, in the layout of coefficients."""
    matrices = wigner_matrices(max_degree, rotation.double().cpu().numpy())
    half = np.transpose(matrices[:, :, max_degree:, :], (2, 3, 1, 0))
    return torch.from_numpy(np.ascontiguousarray(half)).to(rotation.device, torch.complex64)


def value_at(coefficients: Coefficients, wigner: Coefficients) -> Float[Tensor, " item"]:
    """Value of each item's function at its own rotation, given by `wigner_at`."""
    weights = order_weights(coefficients.shape[0] - 1).to(coefficients.device)
    products = (coefficients * wigner).real.sum(dim=(1, 2))
    return weights @ products


def heat_kernel(max_degree: int, sigma_degrees: float) -> Float[Tensor, " l"]:
    """Factor on each degree that smears a function by a rotation about `sigma` in each axis.

    References:
        Nikolayev & Savyolova, Textures Microstruct. 29 (1997), the normal distribution on SO(3).
    """
    degree = torch.arange(max_degree + 1)
    return torch.exp(-0.5 * degree * (degree + 1) * math.radians(sigma_degrees) ** 2)


def invariant_projection(
    operators: Float[Tensor, "operator 3 3"], max_degree: int
) -> Complex[Tensor, "l k n"]:
    """Matrices P that keep of each degree what does not change when R becomes R S.

    `F(R S)` has the coefficients `G_mk = sum_n F_mn D_kn(S)`; P_kn is the mean of `D_kn` over the
    group, so `einsum("mnlb,lkn->mklb", F, P)` is the invariant part.
    """
    mean = wigner_matrices(max_degree, operators.double().numpy()).mean(axis=0)
    return torch.from_numpy(mean).to(torch.complex64)


class RotationGrid:
    """Values of functions on the grid of `so3_grid` of one order, by separable transforms."""

    def __init__(self, max_degree: int, order: int, *, device: torch.device | str = "cpu") -> None:
        polar, longitude = cell_angles(order)
        rings, ring = np.unique(np.round(polar, 9), return_inverse=True)
        counts = np.bincount(ring)
        place = np.empty(num_cells(order), np.int64)
        for number in range(len(rings)):
            members = np.flatnonzero(ring == number)
            place[members] = np.arange(len(members))
        # R = Rz(a) Ry(polar) Rz(c) with a = pi - psi and c = pi - longitude
        n = np.arange(-max_degree, max_degree + 1)
        turned = np.zeros((len(rings), counts.max(), len(n)), complex)
        turned[ring, place] = np.exp(-1j * n * (math.pi - longitude[:, None]))
        small = small_d(max_degree, rings)[:, :, max_degree:, :]
        m = np.arange(max_degree + 1)
        psi = np.deg2rad((np.arange(num_turns(order)) + 0.5) * grid_step(order))
        waves = np.exp(-1j * m * (math.pi - psi[:, None])) * order_weights(max_degree).numpy()
        self.order = order
        self._small = _as_float(np.transpose(small, (2, 3, 0, 1)), device)
        self._turned = torch.from_numpy(turned).to(device, torch.complex64)
        self._waves = _as_float(np.concatenate([waves.real, -waves.imag], axis=1), device)
        self._cell = torch.from_numpy(ring * counts.max() + place).to(device)

    def __call__(self, coefficients: Coefficients) -> Float[Tensor, "item rotation"]:
        """Values at all rotations of the grid, in its order."""
        num_m, num_n, num_l, items = coefficients.shape
        pairs = torch.view_as_real(coefficients.contiguous()).reshape(num_m, num_n, num_l, -1)
        on_rings = _as_complex(self._small @ pairs, items)
        by_ring = on_rings.permute(2, 1, 0, 3).flatten(2)  # ring, n, (m item)
        on_cells = (self._turned @ by_ring).flatten(0, 1)[self._cell]
        parts = torch.view_as_real(on_cells.reshape(-1, num_m, items))  # cell, m, item, part
        stacked = parts.permute(2, 0, 3, 1).flatten(2)  # item, cell, (part m)
        return (stacked @ self._waves.T).flatten(1)


class CellValues:
    """Values of functions in some cells of a fine grid, for which the whole grid is too much."""

    def __init__(self, max_degree: int, order: int, *, device: torch.device | str = "cpu") -> None:
        polar, longitude = cell_angles(order)
        rings, ring = np.unique(np.round(polar, 9), return_inverse=True)
        small = small_d(max_degree, rings)[:, :, max_degree:, :]
        self.order = order
        self._small = _as_float(np.transpose(small, (2, 3, 0, 1)), device)
        self._ring = torch.from_numpy(ring).to(device)
        self._longitude = _as_float(longitude, device)
        self._n = torch.arange(-max_degree, max_degree + 1, device=device)
        self._m = torch.arange(max_degree + 1, device=device)
        self._weights = order_weights(max_degree).to(device)

    def __call__(
        self, coefficients: Coefficients, index: Int[Tensor, "item cell"]
    ) -> Float[Tensor, "item cell"]:
        """Values of each item's function in the cells named for it."""
        num_m, num_n, num_l, items = coefficients.shape
        pairs = torch.view_as_real(coefficients.contiguous()).reshape(num_m, num_n, num_l, -1)
        on_rings = _as_complex(self._small @ pairs, items)
        turns = num_turns(self.order)
        direction = index // turns
        own = torch.arange(items, device=index.device)[:, None]
        there = on_rings[:, :, self._ring[direction], own]  # m, n, item, cell
        last = math.pi - self._longitude[direction]
        by_m = (there * torch.exp(-1j * self._n[:, None, None] * last)).sum(dim=1)
        psi = (index % turns + 0.5) * math.radians(grid_step(self.order))
        waves = torch.exp(-1j * self._m[:, None, None] * (math.pi - psi))
        return torch.einsum("m,mic->ic", self._weights, (by_m * waves).real)


class EulerGrid(torch.nn.Module):
    """Transforms between coefficients and values on a product grid of Euler angles.

    Its nodes integrate products of two band-limited functions exactly: Gauss-Legendre for the
    polar angle, equal steps for the others. Tables are made anew, never saved.

    References:
        Kostelec & Rockmore, J. Fourier Anal. Appl. 14 (2008), the separation of variables.
    """

    small: Tensor
    small_back: Tensor
    to_n: Tensor
    to_m: Tensor
    from_m: Tensor

    def __init__(self, max_degree: int, *, oversampling: float = 1.0) -> None:
        super().__init__()
        num_polar = math.ceil(oversampling * (max_degree + 1))
        self.num_turns = 2 * num_polar
        cosine, node_weight = np.polynomial.legendre.leggauss(num_polar)
        small = small_d(max_degree, np.arccos(cosine))[:, :, max_degree:, :]  # polar, l, m, n
        small = np.transpose(small, (2, 3, 0, 1))
        turn = 2.0 * math.pi * np.arange(self.num_turns) / self.num_turns
        n, m = np.arange(-max_degree, max_degree + 1), np.arange(max_degree + 1)
        degree = 2 * m + 1
        # the integral of |D^l_mn|^2 over all rotations is 1 / (2 l + 1) of the whole
        back = small * (node_weight / 2.0)[:, None] * degree / self.num_turns**2
        waves_m = np.exp(-1j * turn[:, None] * m)
        weighted = waves_m * order_weights(max_degree).numpy()
        tables = {
            "small": small,
            "small_back": np.swapaxes(back, 2, 3),
            "to_n": np.exp(-1j * turn[:, None] * n),
            "to_m": np.concatenate([weighted.real, -weighted.imag], axis=1),
            "from_m": np.concatenate([waves_m.real, -waves_m.imag], axis=1).T,
        }
        for name, table in tables.items():
            kind = torch.complex64 if np.iscomplexobj(table) else torch.float32
            tensor = torch.from_numpy(np.ascontiguousarray(table)).to(kind)
            self.register_buffer(name, tensor, persistent=False)

    def values(self, coefficients: Coefficients) -> Float[Tensor, "alpha gamma polar item"]:
        """Values of the functions at the nodes."""
        num_m, num_n, num_l, items = coefficients.shape
        pairs = torch.view_as_real(coefficients.contiguous()).reshape(num_m, num_n, num_l, -1)
        on_polar = _as_complex(self.small @ pairs, items)
        on_gamma = self.to_n @ on_polar.flatten(2)  # m, gamma, (polar item)
        parts = torch.view_as_real(on_gamma).movedim(-1, 0).flatten(0, 1)  # (part m), gamma, ...
        values = self.to_m @ parts.flatten(1)
        return values.reshape(self.num_turns, self.num_turns, -1, items)

    def coefficients(self, values: Float[Tensor, "alpha gamma polar item"]) -> Coefficients:
        """Coefficients of the functions, cut off at the highest degree."""
        _, _, num_polar, items = values.shape
        real, imaginary = (self.from_m @ values.flatten(1)).chunk(2)
        # complex conjugates of the waves: from_m carries exp(+i m a)
        by_m = torch.complex(real, imaginary).reshape(-1, self.num_turns, num_polar * items)
        by_n = self.to_n.conj().T @ by_m  # m, n, (polar item)
        pairs = torch.view_as_real(by_n).reshape(*by_n.shape[:2], num_polar, -1)
        return _as_complex(self.small_back @ pairs, items)


def _as_complex(pairs: Float[Tensor, "*axes pairs"], items: int) -> Complex[Tensor, "*axes item"]:
    """Complex numbers whose parts lie beside each other along the last axis."""
    return torch.view_as_complex(pairs.reshape(*pairs.shape[:-1], items, 2))


def _as_float(table: np.ndarray, device: torch.device | str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(table)).to(device, torch.float32)
