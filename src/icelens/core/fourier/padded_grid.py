"""The stored half of a padded transform: its shape, and how it becomes one in rfft order."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Grid:
    """Stored part of a padded transform, the zero frequency at `(reach, reach, 0)`.

    Attributes:
        box_size: Side of the map, in px.
        padding: How much finer than the map's own transform the grid is.
        max_radius: Of what is inserted, in cycles per box of the map.
    """

    box_size: int
    padding: int
    max_radius: int

    @property
    def reach(self) -> int:
        """Largest index along an axis that a sample can have."""
        return self.padding * self.max_radius

    @property
    def shape(self) -> tuple[int, int, int]:
        """Points along z, y and x; one beyond the reach for the corners of the last samples."""
        side = 2 * self.reach + 2
        return side, side, self.reach + 2

    @property
    def padded_size(self) -> int:
        """Side of the padded box, in px."""
        return self.padding * self.box_size


def folded(values: Float[Tensor, "z y x part"], grid: Grid) -> Float[Tensor, "m m m_half part"]:
    """Bring the stored part into rfft order; an index of half the padded box is its negative."""
    size = grid.padded_size
    half = size // 2 + 1
    index = torch.arange(-grid.reach, grid.reach + 2, device=values.device) % size
    kept = min(half, values.shape[2])
    whole = values.new_zeros(size, size, half, values.shape[3])
    planes = values.new_zeros(len(values), size, half, values.shape[3])
    planes[:, :, :kept].index_add_(1, index, values[:, :, :kept])
    whole.index_add_(0, index, planes)
    return whole


def with_mates(values: Tensor, grid: Grid) -> Tensor:
    """Add the mates of samples near a plane that holds both: zero, and Nyquist of an even box."""
    columns = [0] if grid.padded_size % 2 else [0, grid.padded_size // 2]
    for column in columns:
        plane = values[:, :, column]
        mates = plane.flip(0, 1).roll((1, 1), (0, 1)).conj()
        values[:, :, column] = plane + mates
    return values
