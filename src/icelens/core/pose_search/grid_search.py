"""Score all rotations of a grid with all shifts at once: products of matrices at low frequency."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor

from icelens.core.geometry.so3_grid import grid_rotations, num_turns
from icelens.core.pose_search.series_images import SeriesImages
from icelens.core.refinement.reference import SliceTable

_SCORES_AT_ONCE = 1 << 24
"""Scores that are held together: 64 MB."""


@dataclass(frozen=True, eq=False)
class RotationGrid:
    """A grid of all rotations in two halves; those of the second are turned by 180 degrees.

    A half turn in the plane makes every sample of a slice its conjugate, so that products for one
    half give the scores of both.

    Attributes:
        order: Of `icelens.core.geometry.so3_grid`.
        rotation: The second half follows the first.
    """

    order: int
    rotation: Float[Tensor, "rotation 3 3"]

    @staticmethod
    def of_order(order: int, *, device: torch.device | str = "cpu") -> "RotationGrid":
        """The grid with 72 * 8^order rotations."""
        turns = num_turns(order)
        every = torch.from_numpy(grid_rotations(order)).float().view(-1, turns, 3, 3)
        first = every[:, : turns // 2].reshape(-1, 3, 3)
        half_turn = torch.tensor([-1.0, -1.0, 1.0])
        return RotationGrid(order, torch.cat([first, half_turn[:, None] * first]).to(device))

    def turned(self, rotation: Float[Tensor, "3 3"]) -> "RotationGrid":
        """The same grid with the reference turned, so that no direction is always met exactly."""
        return RotationGrid(self.order, self.rotation @ rotation.to(self.rotation))


def grid_scores(
    table: SliceTable,
    images: SeriesImages,
    grid: RotationGrid,
    shift_xyz: Float[Tensor, "shift 3"],
) -> Iterator[tuple[Int[Tensor, " particle"], Float[Tensor, "particle shift rotation"]]]:
    """Logarithm of the likelihood of every pose, against images of noise alone.

    Args:
        table: The reference, for slices of nearest samples.
        images: At the same resolution.
        grid: Rotations, in the particles' frame.
        shift_xyz: Shifts in Å in that frame; z matters to tilted images alone.

    Yields:
        Numbers of some particles, and their scores.
    """
    each = len(grid.rotation) * len(shift_xyz)
    at_once = max(1, _SCORES_AT_ONCE // each)
    cut = _Slices(table, images.frequency_xy, grid)
    for start in range(0, images.num_particles, at_once):
        chosen = torch.arange(
            start, min(start + at_once, images.num_particles), device=images.owner.device
        )
        part = images if len(chosen) == images.num_particles else images.take(chosen)
        yield chosen, _scores(cut, part, shift_xyz)


class _Slices:
    """Slices at the grid's rotations as one frame sees them; those of a few frames are kept."""

    def __init__(
        self, table: SliceTable, frequency_xy: Float[Tensor, "2 sample"], grid: RotationGrid
    ) -> None:
        self.table, self.frequency_xy, self.grid = table, frequency_xy, grid
        self.kept: dict[bytes, Complex[Tensor, "rotation sample"]] = {}

    def seen_from(self, frame: Float[Tensor, "3 3"]) -> Complex[Tensor, "rotation sample"]:
        """Of the first half of the grid if a half turn commutes with the frame, else of all."""
        key = frame.cpu().numpy().round(2).tobytes()
        if key not in self.kept:
            if len(self.kept) >= 8:
                self.kept.pop(next(iter(self.kept)))
            rotation = self.grid.rotation
            if is_flat(frame):
                rotation = rotation[: len(rotation) // 2]
            self.kept[key] = self.table.nearest(frame @ rotation, self.frequency_xy)
        return self.kept[key]


def is_flat(frame: Float[Tensor, "3 3"]) -> bool:
    """Whether a frame keeps the beam's direction, as it does where the stage is not tilted."""
    return float(frame[2, :2].abs().max()) < 1e-6 and float(frame[:2, 2].abs().max()) < 1e-6


def _scores(
    cut: _Slices, images: SeriesImages, shift_xyz: Float[Tensor, "shift 3"]
) -> Float[Tensor, "particle shift rotation"]:
    num_shifts, num_rotations = len(shift_xyz), len(cut.grid.rotation)
    groups = images.alike()
    total: Tensor | None = None
    for chosen in groups:
        slices = cut.seen_from(images.frame[chosen[0]])
        moved = images.moved(chosen.repeat_interleave(num_shifts), shift_xyz.repeat(len(chosen), 1))
        real = moved.real @ slices.real.mT
        imaginary = moved.imag @ slices.imag.mT
        norm = images.transfer[chosen].square() @ slices.abs().square().mT
        if len(slices) < num_rotations:
            # the second half of the grid sees the conjugates of the first half's slices
            fit = torch.cat([real + imaginary, real - imaginary], dim=1)
            norm = torch.cat([norm, norm], dim=1)
        else:
            fit = real.add_(imaginary)
        fit = fit.view(len(chosen), num_shifts, num_rotations)
        fit.mul_(2.0).sub_(norm[:, None]).mul_(images.independence)
        if len(groups) == 1 and len(chosen) == images.num_particles:
            return fit[torch.argsort(images.owner[chosen])]
        if total is None:
            total = fit.new_zeros(images.num_particles, num_shifts, num_rotations)
        total.index_add_(0, images.owner[chosen], fit)
    if total is None:
        return shift_xyz.new_zeros(images.num_particles, num_shifts, num_rotations)
    return total
