"""What a picking network minimises: classes of centres, or of voxels."""

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from icelens.tasks.pick.crops import PickBatch
from icelens.tasks.pick.losses import DeepSupervision
from icelens.training.contract import Loss

_LOSS_OF_CENTRES = "weighted-cross-entropy"


class ClassLoss(Protocol):
    """How wrong the class scores of a network are; deep supervision gives several."""

    def __call__(self, scores: list[Tensor], batch: PickBatch) -> Tensor:
        """The loss of scores (item, class, z, y, x), background first."""
        ...


@dataclass(frozen=True)
class CentreLoss:
    """Cross-entropy with soft targets, where the mass of a centre weighs `centre_weight`.

    With target shares t and softmax p the loss is - sum(w t log p) / sum(w t) over points and
    classes, w being `centre_weight` for particles, `dense_weight` for continuous classes (marked in
    `is_dense`) and 1 for the background, as in the winning entry of the CZII challenge (2025).
    """

    centre_weight: float
    is_dense: tuple[bool, ...]
    dense_weight: float = 1.0
    unlabelled_weight: float = 1.0
    """Of background that lies farther than `reach` points of the grid from every target."""
    reach: int = 0

    def __call__(self, scores: list[Tensor], batch: PickBatch) -> Tensor:
        """The loss of the finest scores; coarser ones have no room for centres."""
        assert batch.maps is not None, "centres are learnt from maps"
        log_p = F.log_softmax(scores[0].float(), dim=1)
        weight = torch.tensor(
            [self.dense_weight if dense else self.centre_weight for dense in self.is_dense],
            device=log_p.device,
        )
        weighted = batch.maps * weight.view(1, -1, 1, 1, 1)
        background = (1 - batch.maps.sum(dim=1)).clamp(min=0)
        if self.unlabelled_weight < 1:
            is_near = near_targets(batch.maps, self.reach)
            background = background * torch.where(is_near, 1.0, self.unlabelled_weight)
        wrong = (weighted * log_p[:, 1:]).sum() + (background * log_p[:, 0]).sum()
        return -wrong / (weighted.sum() + background.sum())


def near_targets(maps: Float[Tensor, "item class z y x"], reach: int) -> Bool[Tensor, "item z y x"]:
    """Points within a cube of `reach` points around any target."""
    near = (maps.sum(dim=1, keepdim=True) > 0).float()
    for axis in range(3):  # a cube is three lines one after the other
        sides, padding = [1, 1, 1], [0, 0, 0]
        sides[axis], padding[axis] = 2 * reach + 1, reach
        near = F.max_pool3d(near, sides, stride=1, padding=padding)
    return near[:, 0] > 0


@dataclass(frozen=True)
class LabelLoss:
    """One of the losses for labelled voxels, deep supervision included."""

    loss: DeepSupervision

    def __call__(self, scores: list[Tensor], batch: PickBatch) -> Tensor:
        """The loss of all scores."""
        assert batch.labels is not None, "spheres are learnt from labels"
        return self.loss(scores, batch.labels)


@dataclass(frozen=True)
class FindParticles:
    """The objective of all picking networks: the loss of their class scores."""

    classes: ClassLoss

    def __call__(self, network: nn.Module, teacher: nn.Module, batch: PickBatch) -> Loss:
        """The loss of a batch."""
        del teacher
        output = network(batch.images)
        scores = list(output) if isinstance(output, list) else [output]
        return Loss(self.classes(scores, batch), {})
