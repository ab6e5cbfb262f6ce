"""From rings to functions on the sphere and on the rotations, all turning with the image.

Turning an image in its plane by an angle a multiplies order m of its rings by `exp(-i m a)`; every
layer here keeps that, so the network's in-plane symmetry is the one of RELION's psi, exactly.
"""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from icelens.core.geometry.so3_functions import EulerGrid, is_used
from icelens.core.geometry.wigner import small_d


class RingHarmonics(nn.Module):
    """Angular orders 0 to the highest degree of rings."""

    waves: Tensor

    def __init__(self, num_angles: int, max_degree: int) -> None:
        super().__init__()
        angle = 2.0 * math.pi * torch.arange(num_angles) / num_angles
        phase = angle[:, None] * torch.arange(max_degree + 1)
        waves = torch.cat([torch.cos(phase), -torch.sin(phase)], dim=1) / math.sqrt(num_angles)
        self.register_buffer("waves", waves, persistent=False)

    def forward(self, rings: Float[Tensor, "b c r a"]) -> Complex[Tensor, "m c r b"]:
        """`sum_a f(a) exp(-i m a) / sqrt(num_angles)`."""
        real, imaginary = (rings @ self.waves).chunk(2, dim=-1)
        return torch.complex(real, imaginary).permute(3, 1, 2, 0)


class ToSphere(nn.Module):
    """Lay rings on the half sphere that faces the viewer, as its harmonics.

    Learns one weight for each degree, order, ring and channel: the most general linear map that
    turns with the image. At first it is the orthographic view: the ring of radius r of the image is
    the circle of the sphere whose distance from the axis is r.
    """

    def __init__(self, channels: int, num_radii: int, max_degree: int) -> None:
        super().__init__()
        radius = (torch.arange(num_radii) + 0.5) / num_radii
        polar = torch.asin(radius * 0.95)
        # d^l_m0 is the associated Legendre function up to its norm
        small = torch.from_numpy(small_d(max_degree, polar.numpy()))
        legendre = small[:, :, max_degree:, max_degree]
        degree = torch.sqrt(2.0 * torch.arange(max_degree + 1) + 1.0)
        first = legendre * degree[:, None] * radius[:, None, None] / math.sqrt(num_radii)
        first = first.permute(2, 1, 0)[:, None].repeat(1, channels, 1, 1).float()  # m c l r
        self.weight = nn.Parameter(_as_real(torch.complex(first, torch.zeros_like(first))))

    def forward(self, harmonics: Complex[Tensor, "m c r b"]) -> Complex[Tensor, "m c l b"]:
        """Harmonics of degree l and order m for each channel."""
        return _as_complex(self.weight) @ harmonics


class Lift(nn.Module):
    """Correlate functions on the sphere with learnt ones over all rotations (S2 convolution)."""

    used: Tensor

    def __init__(self, in_channels: int, out_channels: int, max_degree: int) -> None:
        super().__init__()
        shape = (max_degree + 1, in_channels, 2 * max_degree + 1, 2 * out_channels)
        self.weight = nn.Parameter(torch.randn(shape) / math.sqrt(2 * in_channels))
        self.register_buffer("used", is_used(max_degree), persistent=False)

    def forward(self, sphere: Complex[Tensor, "m c l b"]) -> Complex[Tensor, "m n l b d"]:
        """Coefficients on the rotations, `conj(c_lm) psi_ln` summed over channels."""
        weight = _as_complex(self.weight)
        degrees, _, orders, channels = weight.shape
        num_m, _, _, batch = sphere.shape
        rows = sphere.conj().permute(2, 0, 3, 1).reshape(degrees, num_m * batch, -1)
        lifted = (rows @ weight.flatten(2)).reshape(degrees, num_m, batch, orders, channels)
        return lifted.permute(1, 3, 0, 2, 4) * self.used[..., None, None]


class RotationConvolution(nn.Module):
    """Convolve functions on the rotations with learnt ones, degree by degree."""

    used: Tensor

    def __init__(self, in_channels: int, out_channels: int, max_degree: int) -> None:
        super().__init__()
        orders = 2 * max_degree + 1
        shape = (max_degree + 1, orders * in_channels, orders, 2 * out_channels)
        degree = 2.0 * torch.arange(max_degree + 1) + 1.0
        scale = (2.0 * in_channels * degree).rsqrt().reshape(-1, 1, 1, 1)
        self.weight = nn.Parameter(torch.randn(shape) * scale)
        self.register_buffer("used", is_used(max_degree), persistent=False)

    def forward(self, signal: Complex[Tensor, "m n l b c"]) -> Complex[Tensor, "m n l b d"]:
        """`sum_k F_mk psi_kn`, summed over channels."""
        weight = _as_complex(self.weight)
        degrees, _, orders, channels = weight.shape
        num_m, _, _, batch, _ = signal.shape
        rows = signal.permute(2, 0, 3, 1, 4).reshape(degrees, num_m * batch, -1)
        result = rows @ weight.flatten(2)
        result = result.reshape(degrees, num_m, batch, orders, channels)
        return result.permute(1, 3, 0, 2, 4) * self.used[..., None, None]


class RotationReLU(nn.Module):
    """Cut off what is negative, on a grid of Euler angles, after a learnt offset."""

    def __init__(self, channels: int, max_degree: int) -> None:
        super().__init__()
        self.grid = EulerGrid(max_degree)
        self.offset = nn.Parameter(torch.zeros(channels))

    def forward(self, signal: Complex[Tensor, "m n l b c"]) -> Complex[Tensor, "m n l b c"]:
        """Cut off; what the grid cannot hold is dropped."""
        batch, channels = signal.shape[3:]
        values = self.grid.values(signal.flatten(3))
        cut = torch.relu(values.reshape(*values.shape[:3], batch, channels) + self.offset)
        kept: Tensor = self.grid.coefficients(cut.flatten(3))
        return kept.reshape(signal.shape)


def evened(signal: Complex[Tensor, "m n l b c"]) -> Complex[Tensor, "m n l b c"]:
    """Divide each image's coefficients by their root mean square."""
    power = torch.view_as_real(signal).square().sum(dim=(0, 1, 2, 4, 5))
    count = signal.shape[4] * (signal.shape[2] ** 3) * 2.0 / 3.0
    return signal * torch.rsqrt(power / count + 1e-6)[:, None]


def _as_complex(weight: Float[Tensor, "... pairs"]) -> Complex[Tensor, "... numbers"]:
    """Weights are kept as pairs of real numbers, which optimisers and files understand."""
    return torch.view_as_complex(weight.reshape(*weight.shape[:-1], -1, 2))


def _as_real(weight: Complex[Tensor, "... numbers"]) -> Float[Tensor, "... pairs"]:
    return torch.view_as_real(weight).flatten(-2)
