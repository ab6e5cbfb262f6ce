"""Vary training images in one resample: turns, scale, shift and warp, then blur, noise, erasing."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from icelens.core.geometry.rotations import relion_angles_to_matrix

_WARP_NODES = 6
_WARP_PX = 1.5
_LARGEST_BLUR, _SMALLEST_PATCH, _LARGEST_PATCH = 1.5, 0.01, 0.02


@dataclass(frozen=True)
class Augmentation:
    """How often (as shares of images) and how much images are varied."""

    quarter_turns: float
    turns: float
    turn_angle: float
    shifts: float
    shift_px: float
    scale: float
    scale_range: float
    warp: float
    blur: float
    gaussian_noise: float
    gaussian_sigma: float
    uniform_noise: float
    uniform_amplitude: float
    erasing: float


@dataclass(frozen=True)
class Varied:
    """Images and the poses that they show now."""

    images: Float[Tensor, "item c y x"]
    rotation: Float[Tensor, "item 3 3"]
    shift_yx: Float[Tensor, "item 2"]


def vary(
    images: Float[Tensor, "item c y x"],
    rotation: Float[Tensor, "item 3 3"],
    shift_yx: Float[Tensor, "item 2"],
    augmentation: Augmentation,
    generator: torch.Generator,
) -> Varied:
    """Draw a variation of each image.

    Args:
        images: All on the device where they are to be varied.
        rotation: Reference to image.
        shift_yx: That centres the particle, in px.
        augmentation: How often and how much.
        generator: On the CPU, so that any device sees the same variations.
    """
    moved = _moved(images, rotation, shift_yx, augmentation, generator)
    varied = _blurred(moved.images, augmentation, generator)
    varied = varied + _noise(varied, augmentation, generator)
    varied = varied * _kept(varied, augmentation, generator)
    return Varied(varied, moved.rotation, moved.shift_yx)


def _moved(
    images: Tensor,
    rotation: Tensor,
    shift_yx: Tensor,
    augmentation: Augmentation,
    generator: torch.Generator,
) -> Varied:
    """Turn by `a`, enlarge by `s`, translate by `t`: `out(p) = in(Rz(-a) (p - t) / s)`."""
    count, device = len(images), images.device
    quarter = 90.0 * torch.randint(0, 4, (count,), generator=generator)
    quarter = quarter * _chosen(count, augmentation.quarter_turns, generator)
    small = _symmetric(count, augmentation.turn_angle, generator)
    angle = quarter + small * _chosen(count, augmentation.turns, generator)
    scale = 1.0 + _symmetric(count, augmentation.scale_range, generator) * _chosen(
        count, augmentation.scale, generator
    )
    reach = augmentation.shift_px
    move_xy = torch.stack([_symmetric(count, reach, generator) for _ in range(2)], dim=1)
    move_xy = move_xy * _chosen(count, augmentation.shifts, generator)[:, None]
    warp = _warp(count, images.shape[-1], augmentation, generator).to(device)
    # RELION's psi turns the image the other way
    nothing = torch.zeros_like(angle)
    turn = relion_angles_to_matrix(torch.stack([nothing, nothing, -angle], dim=1)).to(device)
    plane, scale, move_xy = turn[:, :2, :2], scale.to(device), move_xy.to(device)
    axis = torch.arange(images.shape[-1], device=device, dtype=torch.float32)
    axis = axis - images.shape[-1] // 2
    place_yx = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1)
    place_xy = place_yx.flip(-1) - move_xy[:, None, None]
    # rows times R are R^T acting on columns: the turn back
    source = (place_xy.flatten(1, 2) @ plane).unflatten(1, place_yx.shape[:2])
    source = source / scale[:, None, None, None] + warp
    side = images.shape[-1]
    grid = (2.0 * (source + side // 2) + 1.0) / side - 1.0
    moved = F.grid_sample(
        images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    turned_yx = (plane @ shift_yx.flip(-1)[..., None])[..., 0].flip(-1)
    return Varied(moved, turn @ rotation, scale[:, None] * turned_yx - move_xy.flip(-1))


def _warp(
    count: int, side: int, augmentation: Augmentation, generator: torch.Generator
) -> Float[Tensor, "item y x 2"]:
    """Smooth random displacements in px."""
    nodes = torch.randn((count, 2, _WARP_NODES, _WARP_NODES), generator=generator) * _WARP_PX
    nodes = nodes * _chosen(count, augmentation.warp, generator)[:, None, None, None]
    smooth = F.interpolate(nodes, size=(side, side), mode="bicubic", align_corners=True)
    return smooth.permute(0, 2, 3, 1)


def _blurred(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    count = len(images)
    sigma = _LARGEST_BLUR * torch.rand(count, generator=generator)
    chosen = (_chosen(count, augmentation.blur, generator) > 0).nonzero().flatten()
    if not len(chosen):
        return images
    side = images.shape[-1]
    y, x = torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)
    power = 2.0 * math.pi**2 * (y**2 + x**2) * sigma[chosen, None, None] ** 2
    weight = torch.exp(-power)[:, None].to(images.device)
    chosen = chosen.to(images.device)
    blurred = torch.fft.irfft2(torch.fft.rfft2(images[chosen]) * weight, s=images.shape[-2:])
    return images.index_copy(0, chosen, blurred)


def _noise(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Noise of both kinds; one draw for both channels would be the same in each, so it is not."""
    count = len(images)
    sigma = augmentation.gaussian_sigma * torch.rand(count, generator=generator)
    sigma = sigma * _chosen(count, augmentation.gaussian_noise, generator)
    width = augmentation.uniform_amplitude * torch.rand(count, generator=generator)
    width = width * _chosen(count, augmentation.uniform_noise, generator)
    gaussian = torch.randn(images.shape, generator=generator) * sigma[:, None, None, None]
    uniform = (torch.rand(images.shape, generator=generator) - 0.5) * width[:, None, None, None]
    return (gaussian + uniform).to(images.device)


def _kept(
    images: Tensor, augmentation: Augmentation, generator: torch.Generator
) -> Float[Tensor, "item 1 y x"]:
    """0 in a random rectangle of 1 to 2 % of some images, else 1."""
    count, side = len(images), images.shape[-1]
    span = _LARGEST_PATCH - _SMALLEST_PATCH
    area = (_SMALLEST_PATCH + span * torch.rand(count, generator=generator)) * side**2
    ratio = torch.exp(_symmetric(count, 1.0, generator))
    size = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], dim=1)
    corner = torch.rand((count, 2), generator=generator) * (side - size).clamp(min=0.0)
    axis = torch.arange(side)
    inside = (axis >= corner[..., None]) & (axis < (corner + size)[..., None])
    patch = inside[:, 0, :, None] & inside[:, 1, None, :]
    erased = patch & (_chosen(count, augmentation.erasing, generator) > 0)[:, None, None]
    return (~erased).float()[:, None].to(images.device)


def _chosen(count: int, share: float, generator: torch.Generator) -> Float[Tensor, " item"]:
    return (torch.rand(count, generator=generator) < share).float()


def _symmetric(count: int, reach: float, generator: torch.Generator) -> Float[Tensor, " item"]:
    return (2.0 * torch.rand(count, generator=generator) - 1.0) * reach
