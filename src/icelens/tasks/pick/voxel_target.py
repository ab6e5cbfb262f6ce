"""What each voxel should be: labels, what they weigh, what is ignored, and mixtures of two."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from icelens.core.errors import GeometryError

IGNORED = 255
"""Label of voxels of which nothing is known; they take part in no loss."""


@dataclass(frozen=True)
class VoxelTarget:
    """Labels (batch, z, y, x), 0 for background, `IGNORED` for unknown.

    `weight` (batch, z, y, x) says how much each voxel counts, by default one. Mix-up is kept as
    two sets of labels and the `share` (batch,) of the first, an eighth of the memory of one-hot
    floats: every loss is linear in the target.
    """

    labels: Tensor
    weight: Tensor | None = None
    second: Tensor | None = None
    share: Tensor | None = None

    def parts(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Labels and their share (batch,)."""
        ones = torch.ones(len(self.labels), device=self.labels.device)
        share = ones if self.share is None else self.share.to(ones)
        yield self.labels, share
        if self.second is not None:
            yield self.second, 1 - share

    def voxel_weight(self) -> Tensor:
        """How much each voxel counts, float32 (batch, z, y, x); 0 where it is ignored."""
        known = self.labels != IGNORED
        if self.second is not None:
            known = known & (self.second != IGNORED)
        return known.float() if self.weight is None else known * self.weight.float()

    def check(self, logits: Tensor) -> None:
        """Refuse labels that the logits (batch, class, z, y, x) have no channel for.

        Raises:
            GeometryError: If shapes differ, or a label is neither a class nor `IGNORED`.
        """
        expected = (logits.shape[0], *logits.shape[2:])
        if tuple(self.labels.shape) != expected:
            raise GeometryError(
                f"labels have shape {tuple(self.labels.shape)}, expected {expected} as the "
                "network's output; make targets at the stride of the network"
            )
        if self.labels.device.type != "cpu":
            return  # looking at values would make the GPU wait at every step
        for labels, _ in self.parts():
            strange = labels[(labels >= logits.shape[1]) & (labels != IGNORED)]
            if len(strange):
                raise GeometryError(
                    f"label {int(strange[0])} in a target, expected 0 to {logits.shape[1] - 1} or "
                    f"{IGNORED}; the target was made for other objects than the network"
                )

    def resized(self, sides: Sequence[int]) -> "VoxelTarget":
        """Take the nearest voxel for each of a coarser (or finer) grid: labels never blend."""
        if tuple(self.labels.shape[1:]) == tuple(sides):
            return self
        second = None if self.second is None else _nearest(self.second, sides)
        weight = None if self.weight is None else _nearest(self.weight, sides)
        return VoxelTarget(_nearest(self.labels, sides), weight, second, self.share)

    def mixed(self, order: Tensor, share: Tensor) -> "VoxelTarget":
        """Mix each item with that at `order` (batch,), keeping `share` (batch,) of itself.

        Where both voxels have weights they are averaged by share.
        """
        weight = self.weight
        if weight is not None:
            own = share.view(-1, 1, 1, 1).to(weight)
            weight = own * weight + (1 - own) * weight[order]
        return VoxelTarget(self.labels, weight, self.labels[order], share)


def _nearest(values: Tensor, sides: Sequence[int]) -> Tensor:
    for axis, side in enumerate(sides, start=1):
        old = values.shape[axis]
        centres = (torch.arange(side, device=values.device) * 2 + 1) * old // (2 * side)
        values = values.index_select(axis, centres)
    return values
