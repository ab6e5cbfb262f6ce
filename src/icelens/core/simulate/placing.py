"""Find a random place where a molecule overlaps nothing."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

# Blind guesses before all free places are counted: cheap while there is room, and most often is.
_GUESSES = 64


def free_corner(
    occupied: Bool[Tensor, "z y x"], mask: Bool[Tensor, "bz by bx"], generator: torch.Generator
) -> tuple[int, ...] | None:
    """Choose where to put the box of a mask, uniformly among all free places.

    The mask stays inside the volume; its box may reach out, hence the corner may be negative.

    Returns:
        Voxel (z, y, x) of the box's first voxel, or None if there is no room at all.
    """
    voxels = torch.nonzero(mask)
    low = voxels.min(0).values
    voxels = voxels - low
    room = torch.tensor(occupied.shape) - voxels.max(0).values
    if int(room.min()) < 1:
        return None
    corner = _guess(occupied, voxels, room, generator)
    if corner is None:
        corner = _search(occupied, voxels, room, generator)
    return None if corner is None else tuple((corner - low).tolist())


def overlap(
    corner: Sequence[int], box: Sequence[int], shape: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The part of a box at `corner` that lies inside a volume: slices of the volume, of the box."""
    low = [max(c, 0) for c in corner]
    high = [min(c + b, n) for c, b, n in zip(corner, box, shape, strict=True)]
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    inner = tuple(slice(a - c, b - c) for a, b, c in zip(low, high, corner, strict=True))
    return window, inner


def dilated(mask: Bool[Tensor, "z y x"]) -> Bool[Tensor, "z y x"]:
    """The mask and one voxel around it."""
    return spread(mask.float()) > 0


def spread(volume: Float[Tensor, "z y x"]) -> Float[Tensor, "z y x"]:
    """The largest value among each voxel and its 26 neighbours."""
    return torch.nn.functional.max_pool3d(volume[None, None], 3, stride=1, padding=1)[0, 0]


def _guess(
    occupied: Bool[Tensor, "z y x"],
    voxels: Int[Tensor, "voxel 3"],
    room: Int[Tensor, "3"],
    generator: torch.Generator,
) -> Int[Tensor, "3"] | None:
    """Try some random corners."""
    strides = torch.tensor(occupied.stride())
    flat, taken = (voxels * strides).sum(1), occupied.flatten()
    corners = (torch.rand(_GUESSES, 3, generator=generator) * room).long()
    for corner in corners:
        if not bool(taken[(corner * strides).sum() + flat].any()):
            found: Tensor = corner
            return found
    return None


def _search(
    occupied: Bool[Tensor, "z y x"],
    voxels: Int[Tensor, "voxel 3"],
    room: Int[Tensor, "3"],
    generator: torch.Generator,
) -> Int[Tensor, "3"] | None:
    """Choose among all free corners, found by correlating the mask with what is occupied."""
    mask = torch.zeros(occupied.shape)
    mask[tuple(voxels.T)] = 1.0
    spectrum = torch.fft.rfftn(occupied.float()) * torch.fft.rfftn(mask).conj()
    shared = torch.fft.irfftn(spectrum, s=occupied.shape)
    # Voxels shared are whole numbers, but for the rounding of the transform.
    free = torch.nonzero(shared[tuple(slice(int(n)) for n in room)] < 0.5)
    if len(free) == 0:
        return None
    chosen: Tensor = free[int(torch.randint(len(free), (1,), generator=generator))]
    return chosen
