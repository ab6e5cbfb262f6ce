"""What else is in a tomogram: vesicles of a lipid bilayer and gold beads."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from icelens.core.geometry.rotations import random_rotations

MEMBRANE, GOLD = 0, 1
"""Kinds of structure; their class labels follow those of the species in this order."""

# Head groups of the two leaflets are 37 Å apart, each a Gaussian with a standard deviation of 7 Å.
_LEAFLET_DISTANCE, _LEAFLET_SIGMA = 37.0, 7.0
# Head groups over ice, in units of protein over ice; the tails between them are close to ice.
_LEAFLET_DENSITY = 1.0
# Inner potential of gold over ice is about eight times that of protein over ice (25 V over 3 V).
_GOLD_DENSITY = 8.0
_GOLD_RADIUS = 50.0


@dataclass(frozen=True)
class Structure:
    """A density of the whole volume, its mask, and which `kind` it is: MEMBRANE or GOLD."""

    density: Float[Tensor, "z y x"]
    mask: Bool[Tensor, "z y x"]
    kind: int


def random_structures(
    shape: tuple[int, int, int],
    pixel_size: float,
    generator: torch.Generator,
    *,
    num_membranes: int,
    num_gold: int,
) -> list[Structure]:
    """Draw vesicles and gold beads that do not touch each other; those without room are left out.

    Vesicles have half axes of 250 to 500 Å and may be cut by the borders of the volume.
    """
    extent = torch.tensor(shape, dtype=torch.float32)
    taken = torch.zeros(shape, dtype=torch.bool)
    found: list[Structure] = []
    for kind, count in ((MEMBRANE, num_membranes), (GOLD, num_gold)):
        for _ in range(count):
            for _attempt in range(20):
                centre_zyx = torch.rand(3, generator=generator) * extent
                if kind == MEMBRANE:
                    structure = _vesicle(shape, pixel_size, centre_zyx, generator)
                else:
                    structure = gold_bead(shape, pixel_size, centre_zyx)
                if bool(structure.mask.any()) and not bool((taken & structure.mask).any()):
                    taken |= structure.mask
                    found.append(structure)
                    break
    return found


def membrane(
    shape: tuple[int, int, int],
    pixel_size: float,
    centre_zyx_px: Float[Tensor, "3"],
    half_axes: Float[Tensor, "3"],
    rotation: Float[Tensor, "3 3"],
) -> Structure:
    """An ellipsoid bilayer: two leaflets on either side of its middle surface.

    Args:
        shape: Voxels of the volume (z, y, x).
        pixel_size: In Å/px.
        centre_zyx_px: In voxels.
        half_axes: Of the middle surface along its own x, y and z, in Å.
        rotation: Takes the ellipsoid's axes to the tomogram's.
    """
    position_xyz = (_grid_zyx(shape) - centre_zyx_px).flip(-1) * pixel_size @ rotation
    # First-order distance to the surface |p / axes| = 1; exact for a sphere.
    reach = (position_xyz / half_axes).norm(dim=-1)
    slope = (position_xyz / half_axes**2).norm(dim=-1).clamp_min(1e-6)
    distance = reach * (reach - 1.0) / slope
    # The leaflets are averaged over a voxel, whose box has a variance of pixel_size^2 / 12.
    variance = _LEAFLET_SIGMA**2 + pixel_size**2 / 12.0
    density = sum(
        torch.exp(-0.5 * (distance - side) ** 2 / variance)
        for side in (-0.5 * _LEAFLET_DISTANCE, 0.5 * _LEAFLET_DISTANCE)
    )
    scale = _LEAFLET_DENSITY * _LEAFLET_SIGMA / variance**0.5
    inside = distance.abs() <= 0.5 * _LEAFLET_DISTANCE + _LEAFLET_SIGMA
    return Structure(torch.as_tensor(density) * scale, inside, MEMBRANE)


def gold_bead(
    shape: tuple[int, int, int], pixel_size: float, centre_zyx_px: Float[Tensor, "3"]
) -> Structure:
    """A ball of gold of 10 nm, its edge softened over one voxel."""
    radius = (_grid_zyx(shape) - centre_zyx_px).norm(dim=-1) * pixel_size
    part = ((_GOLD_RADIUS - radius) / pixel_size + 0.5).clamp(0.0, 1.0)
    return Structure(_GOLD_DENSITY * part, part > 0, GOLD)


def _vesicle(
    shape: tuple[int, int, int],
    pixel_size: float,
    centre_zyx_px: Float[Tensor, "3"],
    generator: torch.Generator,
) -> Structure:
    """A bilayer of random size and orientation."""
    half_axes = 250.0 + 250.0 * torch.rand(3, generator=generator)
    rotation = random_rotations(1, generator)[0]
    return membrane(shape, pixel_size, centre_zyx_px, half_axes, rotation)


def _grid_zyx(shape: tuple[int, int, int]) -> Float[Tensor, "z y x 3"]:
    axes = [torch.arange(n, dtype=torch.float32) for n in shape]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
