"""Fill a slab of ice with molecules that do not overlap, and remember what is where."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.geometry.rotations import random_rotations

# A voxel belongs to a molecule where its density passes this part of its maximum.
ENVELOPE = 0.2
_CANDIDATES = 64


@dataclass(frozen=True)
class Species:
    """One kind of molecule: density with protein = 1 on the specimen's grid, centred at `n // 2`."""

    name: str
    density: Float[Tensor, "z y x"]
    symmetry: str = "C1"


@dataclass(frozen=True)
class Specimen:
    """The truth: density, labels (0 = ice) and where each molecule sits.

    `position_zyx_px` counts voxels from the centre of voxel (0, 0, 0); `species` indexes the list the
    specimen was made from, and class label is `species + 1`; instance label `i + 1` is pick `i`.
    """

    density: Float[Tensor, "z y x"]
    class_labels: Int[Tensor, "z y x"]
    instance_labels: Int[Tensor, "z y x"]
    position_zyx_px: Float[Tensor, "particle 3"]
    rotation: Float[Tensor, "particle 3 3"]
    species: Int[Tensor, " particle"]


def crowd(
    species: Sequence[Species],
    shape: tuple[int, int, int],
    num_particles: int,
    generator: torch.Generator,
) -> Specimen:
    """Place molecules of all species in turn, each at a random place and orientation.

    Raises:
        GeometryError: If the volume is too crowded for that many molecules.
    """
    density = torch.zeros(shape)
    occupied = torch.zeros(shape, dtype=torch.bool)
    classes = torch.zeros(shape, dtype=torch.int16)
    instances = torch.zeros(shape, dtype=torch.int16)
    kinds = torch.arange(num_particles) % len(species)
    # The largest first: small ones find gaps, large ones would not.
    volume = torch.tensor([envelope(kind.density).sum().item() for kind in species])
    kinds = kinds[torch.argsort(volume[kinds], descending=True, stable=True)]
    rotations = random_rotations(num_particles, generator)
    offsets = torch.rand(num_particles, 3, generator=generator) - 0.5
    fine = [_support(kind.density) for kind in species]
    positions = []
    for index in range(num_particles):
        kind = int(kinds[index])
        box = rotated(fine[kind], rotations[index], offsets[index])
        mask = envelope(box)
        corner = _free_corner(occupied, dilated(mask), generator)
        if corner is None:
            raise GeometryError(
                f"found room for {index} of {num_particles} molecules in {shape} voxels; "
                "ask for fewer or for a larger volume"
            )
        window, inner = _overlap(corner, box.shape, shape)
        density[window] += box[inner]
        mask = mask[inner]
        occupied[window] |= mask
        classes[window][mask] = kind + 1
        instances[window][mask] = index + 1
        middle = torch.tensor([c + n // 2 for c, n in zip(corner, box.shape, strict=True)])
        positions.append(middle + offsets[index])
    return Specimen(density, classes, instances, torch.stack(positions), rotations, kinds)


def envelope(density: Float[Tensor, "z y x"]) -> Tensor:
    """Voxels that belong to the molecule."""
    return density > ENVELOPE * density.max()


def dilated(mask: Tensor) -> Tensor:
    """The mask and one voxel around it."""
    grown = torch.nn.functional.max_pool3d(mask[None, None].float(), 3, stride=1, padding=1)
    return grown[0, 0] > 0


def rotated(
    density: Float[Tensor, "z y x"],
    rotation: Float[Tensor, "3 3"],
    offset_zyx: Float[Tensor, "3"],
) -> Float[Tensor, "z y x"]:
    """Turn a density about its centre voxel and shift it by a part of a voxel.

    The density is interpolated twice as finely in Fourier space and sampled linearly there.
    """
    fine = _upsampled(density)
    size = torch.tensor(density.shape)
    axes = [torch.arange(n, dtype=torch.float32) - n // 2 for n in density.shape]
    grid_zyx = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1) - offset_zyx
    # x_image = R x_reference, hence the value at x_image comes from R^T x_image.
    source_xyz = grid_zyx.flip(-1) @ rotation
    index = 2 * (source_xyz + (size.flip(0) // 2))
    normal = 2 * index / (2 * size.flip(0) - 1) - 1
    sampled = torch.nn.functional.grid_sample(
        fine[None, None], normal[None], mode="bilinear", padding_mode="zeros", align_corners=True
    )
    return sampled[0, 0]


def _upsampled(density: Float[Tensor, "z y x"]) -> Float[Tensor, "z2 y2 x2"]:
    spectrum = torch.fft.fftshift(torch.fft.fftn(density))
    pads: list[int] = []
    for n in reversed(density.shape):
        before = n - n // 2
        pads += [before, n - before]
    wide = torch.nn.functional.pad(spectrum, pads)
    return torch.fft.ifftn(torch.fft.ifftshift(wide)).real * 8


def _support(density: Float[Tensor, "z y x"]) -> Float[Tensor, "b b b"]:
    """The cube around the centre voxel that holds the molecule in every orientation."""
    centre = torch.tensor([n // 2 for n in density.shape])
    far = (torch.nonzero(density > 0.02 * density.max()) - centre).float().norm(dim=1).max()
    half = math.ceil(float(far)) + 2
    pads: list[int] = []
    for n in reversed(density.shape):
        pads += [half - n // 2, half + 1 - (n - n // 2)]
    return torch.nn.functional.pad(density, pads)


def _overlap(
    corner: Sequence[int], box: Sequence[int], shape: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The part of a box at `corner` that lies inside a volume: slices of the volume, of the box."""
    low = [max(c, 0) for c in corner]
    high = [min(c + b, n) for c, b, n in zip(corner, box, shape, strict=True)]
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    inner = tuple(slice(a - c, b - c) for a, b, c in zip(low, high, corner, strict=True))
    return window, inner


def _free_corner(
    occupied: Tensor, mask: Tensor, generator: torch.Generator
) -> tuple[int, ...] | None:
    """A random corner where the mask meets nothing occupied and stays inside, or None."""
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


def _guess(
    occupied: Tensor, voxels: Tensor, room: Tensor, generator: torch.Generator
) -> Tensor | None:
    """Try some random corners: quick while there is much room."""
    strides = torch.tensor([occupied.shape[1] * occupied.shape[2], occupied.shape[2], 1])
    flat, taken = (voxels * strides).sum(1), occupied.flatten()
    corners = (torch.rand(_CANDIDATES, 3, generator=generator) * room).long()
    for corner in corners:
        if not bool(taken[(corner * strides).sum() + flat].any()):
            return corner
    return None


def _search(
    occupied: Tensor, voxels: Tensor, room: Tensor, generator: torch.Generator
) -> Tensor | None:
    """Choose among all free corners, found by correlating the mask with what is occupied."""
    mask = torch.zeros(occupied.shape)
    mask[tuple(voxels.T)] = 1.0
    spectrum = torch.fft.rfftn(occupied.float()) * torch.fft.rfftn(mask).conj()
    overlap = torch.fft.irfftn(spectrum, s=occupied.shape)
    free = torch.nonzero(overlap[tuple(slice(int(n)) for n in room)] < 0.5)
    if len(free) == 0:
        return None
    return free[int(torch.randint(len(free), (1,), generator=generator))]
