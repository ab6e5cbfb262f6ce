"""What a picking network minimises: classes of centres or of voxels, and offsets to centres."""

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from icelens.tasks.pick.crops import PickBatch
from icelens.tasks.pick.losses import DeepSupervision
from icelens.training.contract import Loss

NUM_OFFSETS = 3
"""Channels behind the classes: how far the nearest centre is along z, y and x, in grid points."""
_HUBER = 0.5
"""Grid points up to which an error of an offset counts squared."""


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
        wrong = (weighted * log_p[:, 1:]).sum() + (background * log_p[:, 0]).sum()
        return -wrong / (weighted.sum() + background.sum())


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
    """The objective: a loss of the classes, and one of the offsets if their weight is not 0."""

    classes: ClassLoss
    offset_weight: float

    def __call__(self, network: nn.Module, teacher: nn.Module, batch: PickBatch) -> Loss:
        """The loss of a batch and its terms."""
        del teacher
        output = network(batch.images)
        outputs = list(output) if isinstance(output, list) else [output]
        if not self.offset_weight:
            total = self.classes(outputs, batch)
            return Loss(total, {"classes": total})
        of_classes = self.classes([each[:, :-NUM_OFFSETS] for each in outputs], batch)
        assert batch.offsets is not None, "crops were cut without offsets"
        of_offsets = offset_loss(outputs[0][:, -NUM_OFFSETS:], batch.offsets)
        total = of_classes + self.offset_weight * of_offsets
        return Loss(total, {"classes": of_classes, "offsets": of_offsets})


def offset_loss(
    predicted: Float[Tensor, "item 3 z y x"], target: Float[Tensor, "item 4 z y x"]
) -> Float[Tensor, ""]:
    """Mean Huber loss of the offsets where a centre is near; 0 where none is."""
    near = target[:, NUM_OFFSETS:]
    error = F.smooth_l1_loss(
        predicted.float(), target[:, :NUM_OFFSETS], reduction="none", beta=_HUBER
    )
    return (error * near).sum() / (NUM_OFFSETS * near.sum()).clamp(min=1)
