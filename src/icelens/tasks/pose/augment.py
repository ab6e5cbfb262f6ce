"""Vary training images in one resample: turns, scale, shift and warp, then blur, noise, erasing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from icelens.core.geometry.rotations import relion_angles_to_matrix

_WARP_NODES = 6
_WARP_PX = 1.5
_LARGEST_BLUR, _SMALLEST_PATCH, _LARGEST_PATCH = 1.5, 0.01, 0.02
_NUMBERS = 24
"""Drawn for each image; there are a few more than are used."""


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


class _Draws:
    """Random numbers of a batch: those of an image come from its own generator alone."""

    def __init__(self, generators: Sequence[torch.Generator]) -> None:
        self.generators = generators
        numbers = [torch.rand(_NUMBERS, generator=generator) for generator in generators]
        self._columns = iter(torch.stack(numbers, dim=1))

    def uniform(self) -> Float[Tensor, " item"]:
        """The next number of each image, from 0 to 1."""
        column: Tensor = next(self._columns)
        return column

    def symmetric(self, reach: float) -> Float[Tensor, " item"]:
        """From -reach to reach."""
        return (2.0 * self.uniform() - 1.0) * reach

    def chosen(self, share: float) -> Bool[Tensor, " item"]:
        """Which images are varied in a way that a share of them is."""
        return self.uniform() < share


def vary(
    images: Float[Tensor, "item c y x"],
    rotation: Float[Tensor, "item 3 3"],
    shift_yx: Float[Tensor, "item 2"],
    augmentation: Augmentation,
    generators: Sequence[torch.Generator],
) -> Varied:
    """Draw a variation of each image.

    Args:
        images: All on the device where they are to be varied.
        rotation: Reference to image.
        shift_yx: That centres the particle, in px.
        augmentation: How often and how much.
        generators: One for each image, so that it is varied alike in any batch; on the CPU, so that
            any device sees the same variations.
    """
    draws = _Draws(generators)
    moved = _moved(Varied(images, rotation, shift_yx), augmentation, draws)
    varied = _blurred(moved.images, augmentation, draws)
    varied = _noisy(varied, augmentation, draws)
    varied = _erased(varied, augmentation, draws)
    return Varied(varied, moved.rotation, moved.shift_yx)


@dataclass(frozen=True)
class _Movement:
    """Turn by `angle` degrees, enlarge by `scale`, translate by `move_xy` px, and warp."""

    angle: Float[Tensor, " item"]
    scale: Float[Tensor, " item"]
    move_xy: Float[Tensor, "item 2"]
    is_warped: Bool[Tensor, " item"]

    def is_any(self) -> Bool[Tensor, " item"]:
        """Which images change at all."""
        is_moved = self.move_xy.any(dim=1) | (self.angle != 0.0) | (self.scale != 1.0)
        return is_moved | self.is_warped


def _movement(augmentation: Augmentation, draws: _Draws) -> _Movement:
    quarter = 90.0 * torch.floor(1.0 + 3.0 * draws.uniform())
    quarter = quarter * draws.chosen(augmentation.quarter_turns)
    small = draws.symmetric(augmentation.turn_angle) * draws.chosen(augmentation.turns)
    scale = draws.symmetric(augmentation.scale_range) * draws.chosen(augmentation.scale)
    move_xy = torch.stack([draws.symmetric(augmentation.shift_px) for _ in range(2)], dim=1)
    move_xy = move_xy * draws.chosen(augmentation.shifts)[:, None]
    return _Movement(quarter + small, 1.0 + scale, move_xy, draws.chosen(augmentation.warp))


def _moved(given: Varied, augmentation: Augmentation, draws: _Draws) -> Varied:
    """Resample those that move: `out(p) = in(Rz(-a) (p - t) / s)`."""
    movement = _movement(augmentation, draws)
    warp = _warp(given.images.shape[-1], movement.is_warped, draws.generators)
    chosen = movement.is_any().nonzero().flatten()
    if not len(chosen):
        return given
    device = given.images.device
    # RELION's psi turns the image the other way
    nothing = torch.zeros_like(movement.angle)
    angles = torch.stack([nothing, nothing, -movement.angle], dim=1)
    turn = relion_angles_to_matrix(angles)[chosen].to(device)
    plane, scale = turn[:, :2, :2], movement.scale[chosen].to(device)
    move_xy, here = movement.move_xy[chosen].to(device), chosen.to(device)
    source = _source(given.images.shape[-1], plane, scale, move_xy) + warp[chosen].to(device)
    shift_xy = given.shift_yx[here].flip(-1)
    turned_xy = (plane @ shift_xy[..., None])[..., 0]
    shift_yx = (scale[:, None] * turned_xy - move_xy).flip(-1)
    return Varied(
        given.images.index_copy(0, here, _sampled(given.images[here], source)),
        given.rotation.index_copy(0, here, turn @ given.rotation[here]),
        given.shift_yx.index_copy(0, here, shift_yx),
    )


def _source(
    side: int,
    plane: Float[Tensor, "item 2 2"],
    scale: Float[Tensor, " item"],
    move_xy: Float[Tensor, "item 2"],
) -> Float[Tensor, "item y x 2"]:
    """Where each pixel comes from, in px along x and y from the centre pixel."""
    axis = torch.arange(side, device=plane.device, dtype=torch.float32) - side // 2
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    place_xy = torch.stack([x, y], dim=-1) - move_xy[:, None, None]
    # rows times R are R^T acting on columns: the turn back
    return (place_xy @ plane[:, None]) / scale[:, None, None, None]


def _sampled(
    images: Float[Tensor, "item c y x"], source_xy: Float[Tensor, "item y x 2"]
) -> Float[Tensor, "item c y x"]:
    side = images.shape[-1]
    grid = (2.0 * (source_xy + side // 2) + 1.0) / side - 1.0
    return F.grid_sample(
        images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def _warp(
    side: int, is_warped: Bool[Tensor, " item"], generators: Sequence[torch.Generator]
) -> Float[Tensor, "item y x 2"]:
    """Smooth random displacements in px; 0 for images that are not warped."""
    nodes = torch.zeros(len(is_warped), 2, _WARP_NODES, _WARP_NODES)
    for item in is_warped.nonzero().flatten().tolist():
        nodes[item] = _WARP_PX * torch.randn(nodes.shape[1:], generator=generators[item])
    smooth = F.interpolate(nodes, size=(side, side), mode="bicubic", align_corners=True)
    return smooth.permute(0, 2, 3, 1)


def _blurred(images: Tensor, augmentation: Augmentation, draws: _Draws) -> Tensor:
    sigma = _LARGEST_BLUR * draws.uniform()
    chosen = draws.chosen(augmentation.blur).nonzero().flatten()
    if not len(chosen):
        return images
    side = images.shape[-1]
    y, x = torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)
    power = 2.0 * math.pi**2 * (y**2 + x**2) * sigma[chosen, None, None] ** 2
    weight = torch.exp(-power)[:, None].to(images.device)
    chosen = chosen.to(images.device)
    blurred = torch.fft.irfft2(torch.fft.rfft2(images[chosen]) * weight, s=images.shape[-2:])
    return images.index_copy(0, chosen, blurred)


def _noisy(images: Tensor, augmentation: Augmentation, draws: _Draws) -> Tensor:
    """Noise of both kinds; one draw for both channels would be the same in each, so it is not."""
    sigma = augmentation.gaussian_sigma * draws.uniform()
    sigma = sigma * draws.chosen(augmentation.gaussian_noise)
    width = augmentation.uniform_amplitude * draws.uniform()
    width = width * draws.chosen(augmentation.uniform_noise)
    chosen = ((sigma > 0) | (width > 0)).nonzero().flatten()
    if not len(chosen):
        return images
    shape = images.shape[1:]
    noise = []
    for item in chosen.tolist():
        generator = draws.generators[item]
        gaussian = sigma[item] * torch.randn(shape, generator=generator)
        noise.append(gaussian + width[item] * (torch.rand(shape, generator=generator) - 0.5))
    return images.index_add(0, chosen.to(images.device), torch.stack(noise).to(images.device))


def _erased(images: Tensor, augmentation: Augmentation, draws: _Draws) -> Tensor:
    """Set a random rectangle of 1 to 2 % of some images to 0."""
    side = images.shape[-1]
    span = _LARGEST_PATCH - _SMALLEST_PATCH
    area = (_SMALLEST_PATCH + span * draws.uniform()) * side**2
    ratio = torch.exp(draws.symmetric(1.0))
    size = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], dim=1).clamp(max=side)
    corner = torch.stack([draws.uniform(), draws.uniform()], dim=1) * (side - size)
    is_chosen = draws.chosen(augmentation.erasing)
    if not bool(is_chosen.any()):
        return images
    axis = torch.arange(side)
    inside = (axis >= corner[..., None]) & (axis < (corner + size)[..., None])
    patch = inside[:, 0, :, None] & inside[:, 1, None, :] & is_chosen[:, None, None]
    return images.masked_fill(patch[:, None].to(images.device), 0.0)
