"""Coulomb potential of atoms or beads on a grid of voxels, summed in Fourier space."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.fourier.crop import resize_rfft
from icelens.core.fourier.transforms import volume_from_rfft, volume_rfft

FormFactor = Callable[[Tensor], Tensor]
"""Volume integral of a point's potential (V Å^3) at each spatial frequency squared (1/Å^2)."""

# Points are spread on a grid this much finer, so that linear spreading loses < 5 % at Nyquist.
_OVERSAMPLING = 3
_MARGIN_PX = 4


@dataclass(frozen=True)
class Points:
    """Points of one kind: places in Å from the molecule's origin, and what each contributes."""

    position_xyz: Float[Tensor, "point 3"]
    form_factor: FormFactor


def potential(points: Sequence[Points], pixel_size: float) -> Float[Tensor, "n n n"]:
    """Potential in V, band-limited to the voxels; the centroid sits on the centre voxel.

    Args:
        points: Kinds of points with their form factors.
        pixel_size: In Å/px.
    """
    positions = torch.cat([kind.position_xyz for kind in points])
    centroid = positions.mean(dim=0)
    box_size = box_that_holds([positions], centroid, pixel_size)
    return potential_in_box(points, pixel_size, centre_xyz=centroid, box_size=box_size)


def potential_in_box(
    points: Sequence[Points],
    pixel_size: float,
    *,
    centre_xyz: Float[Tensor, "3"],
    box_size: int,
) -> Float[Tensor, "n n n"]:
    """Potential in V in a box about a given place, so that several molecules share a frame.

    A Gaussian that falls to `exp(-1)` at Nyquist keeps the cut from ringing; it leaves the integral
    of the potential as it is.

    Args:
        points: Kinds of points with their form factors; none within a voxel of the box's faces.
        pixel_size: In Å/px.
        centre_xyz: In Å, comes to lie on the centre voxel.
        box_size: Side in voxels, even (`box_that_holds`).
    """
    frequency_squared = _frequency_squared(box_size, pixel_size)
    total = torch.zeros(frequency_squared.shape, dtype=torch.complex64)
    for kind in points:
        index_xyz = (kind.position_xyz - centre_xyz) / pixel_size + box_size // 2
        spectrum = resize_rfft(volume_rfft(_spread(index_xyz, box_size)), box_size)
        total += spectrum * kind.form_factor(frequency_squared)
    total *= torch.exp(-frequency_squared * (2.0 * pixel_size) ** 2)
    return volume_from_rfft(total, box_size) / pixel_size**3


def box_that_holds(
    positions: Sequence[Float[Tensor, "_ 3"]],
    centre_xyz: Float[Tensor, "3"],
    pixel_size: float,
    *,
    margin: float = 0.0,
) -> int:
    """Even side in voxels of a box about a place that holds all points and some room about them.

    Args:
        positions: Points in Å.
        centre_xyz: Of the box, in Å.
        pixel_size: In Å/px.
        margin: Room on either side in Å for the blur of points; four voxels at least.
    """
    reach = max(float((each - centre_xyz).norm(dim=1).max()) for each in positions)
    return 2 * (math.ceil(reach / pixel_size) + max(_MARGIN_PX, math.ceil(margin / pixel_size)))


def gaussian_bead(integral: float, sigma: float) -> FormFactor:
    """Form factor of a Gaussian with standard deviation `sigma` Å and the integral in V Å^3."""
    return lambda k2: integral * torch.exp(-2.0 * (math.pi * sigma) ** 2 * k2)


def _spread(index_xyz: Float[Tensor, "point 3"], box_size: int) -> Float[Tensor, "m m m"]:
    """Count points on the fine grid, each shared linearly between its eight neighbours."""
    side = _OVERSAMPLING * box_size
    centre = torch.tensor(side // 2)
    index = (index_xyz - box_size // 2) * _OVERSAMPLING + centre
    base = torch.floor(index)
    part = index - base
    grid = torch.zeros(side**3)
    for corner in range(8):
        step = torch.tensor([corner & 1, corner >> 1 & 1, corner >> 2])
        weight = torch.where(step.bool(), part, 1.0 - part).prod(dim=1)
        x, y, z = (base.long() + step).unbind(1)
        grid.index_add_(0, (z * side + y) * side + x, weight)
    return grid.reshape(side, side, side)


def _frequency_squared(box_size: int, pixel_size: float) -> Float[Tensor, "n n n_half"]:
    full = torch.fft.fftfreq(box_size, d=pixel_size) ** 2
    half = torch.fft.rfftfreq(box_size, d=pixel_size) ** 2
    squared: Tensor = full[:, None, None] + full[:, None] + half
    return squared
