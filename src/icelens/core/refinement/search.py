"""Score a ball of rotations round each given pose at low resolution, over a grid of shifts."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.refinement.matched import Images, ramps
from icelens.core.refinement.reference import SliceTable

_IN_CACHE, _ON_DEVICE = 130_000, 32_000_000
"""Samples of slices compared together: those of a CPU stay in its cache."""
_SHIFT_STEP = 0.25
"""Of the finest wavelength: at the middle of a cell its phase errs by 64 degrees."""


def shift_grid(
    max_shift_px: float, wavelength_px: float, *, num_axes: int
) -> Float[Tensor, "shift 3"]:
    """Shifts (x, y, z) in px within a disc or ball, zero first; z is 0 with two axes."""
    step = _SHIFT_STEP * wavelength_px
    num = math.ceil(max_shift_px / step)
    # whole steps reach the end of the range
    axis = torch.arange(-num, num + 1) * (max_shift_px / max(num, 1))
    none = torch.zeros(1)
    points = torch.cartesian_prod(*([axis] * num_axes + [none] * (3 - num_axes)))
    length = points.norm(dim=1)
    inside = length <= max_shift_px * (1.0 + 1e-6)
    return points[inside][torch.argsort(length[inside], stable=True)]


def search(
    table: SliceTable,
    images: Images,
    rotation: Float[Tensor, "particle start 3 3"],
    shift_xyz: Float[Tensor, "particle start 3"],
    *,
    ball: Float[Tensor, "point 3"],
    shifts: Float[Tensor, "shift 3"],
) -> tuple[Float[Tensor, "particle start point"], Int[Tensor, "particle start point"]]:
    """Score every rotation of a ball, each with its best shift of the grid.

    Args:
        table: The reference at low resolution, for slices of nearest samples.
        images: Particles at the same resolution.
        rotation: Given poses.
        shift_xyz: Their shifts in px.
        ball: Rotation vectors in radians, applied after the given rotation.
        shifts: Added to the given shift, in px.

    Returns:
        Logarithm of the likelihood ratio to noise alone, and the number of the best shift.
    """
    num_particles, num_starts = rotation.shape[:2]
    owner = torch.arange(num_particles, device=rotation.device).repeat_interleave(num_starts)
    turned = rotation_from_vector(ball) @ rotation.flatten(0, 1)[:, None]
    moved = shift_xyz.flatten(0, 1)[:, None] + shifts
    num_each = len(ball) * images.image.shape[1] * images.image.shape[2]
    at_once = _IN_CACHE if rotation.device.type == "cpu" else _ON_DEVICE
    step = max(1, at_once // num_each)
    results = [
        _scores(table, images, owner[part], turned[part], moved[part])
        for part in (slice(start, start + step) for start in range(0, len(owner), step))
    ]
    shape = (num_particles, num_starts, len(ball))
    best, place = (torch.cat(each).view(shape) for each in zip(*results, strict=True))
    return best, place


def _scores(
    table: SliceTable,
    images: Images,
    owner: Int[Tensor, " start"],
    rotation: Float[Tensor, "start point 3 3"],
    shift_xyz: Float[Tensor, "start shift 3"],
) -> tuple[Float[Tensor, "start point"], Int[Tensor, "start point"]]:
    """One product of matrices compares all rotations with all shifts."""
    num, num_points = rotation.shape[:2]
    num_shifts = shift_xyz.shape[1]
    still = shift_xyz.new_zeros(1, 3).expand(num * num_points, 3)
    views, _ = images.seen(owner.repeat_interleave(num_points), rotation.flatten(0, 1), still)
    slices = torch.view_as_real(table.nearest(views, images.slice_frequency_xy))
    slices = slices.view(num, num_points, -1)
    transfer = images.transfer[owner]
    weight = torch.view_as_real(transfer).flatten(1).square()
    same = rotation[:, :1].expand(num, num_shifts, 3, 3).flatten(0, 1)
    _, moved = images.seen(owner.repeat_interleave(num_shifts), same, shift_xyz.flatten(0, 1))
    phases = ramps(moved, images.frequency_xy, images.box_size)
    filtered = images.image[owner] * transfer.real
    shifted = phases.view(num, num_shifts, *filtered.shape[1:]) * filtered[:, None]
    fit = slices @ torch.view_as_real(shifted).view(num, num_shifts, -1).transpose(1, 2)
    norm = slices.square() @ weight[:, :, None]
    best, place = fit.max(dim=-1)
    return 0.5 * best.clamp(min=0.0).square() / norm.squeeze(-1).clamp(min=1e-30), place
