"""How wrong a segmentation is: the losses of `pick`, each with its settings.

All take logits (batch, class, z, y, x) of any precision, background first, compute in float32, and
give a mean that is finite, with finite gradients, for classes that are absent and voxels that are
all ignored. Formulas with softmax p, target g, voxel weights w.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from icelens.core.errors import IcelensError
from icelens.jobs.config import Config
from icelens.jobs.named_settings import validated
from icelens.jobs.registry import did_you_mean
from icelens.tasks.pick.voxel_target import VoxelTarget

SMOOTH = 1e-5
"""Added above and below a ratio of sums, so that an absent class that is not predicted costs 0."""
LEAST = 1e-6
"""Floor under a power: below it the gradient of a root would grow without bound."""


class VoxelLoss(Config):
    """A loss with its settings; a call gives a scalar."""

    def __call__(self, logits: Tensor, target: VoxelTarget) -> Tensor:
        """How wrong `logits` are, float32.

        Raises:
            GeometryError: If the target does not belong to the logits.
        """
        target.check(logits)
        with torch.autocast(logits.device.type, enabled=False):
            return self._of_log_probabilities(logits.float().log_softmax(dim=1), target)

    def _of_log_probabilities(self, log_p: Tensor, target: VoxelTarget) -> Tensor:
        raise TypeError(f"{type(self).__name__} is not a loss by itself")


class Tversky(VoxelLoss):
    """1 - TI, TI = pg / (pg + alpha p(1-g) + beta (1-p)g), mean over items and classes.

    Salehi et al., MLMI 2017; both 0.5 give Dice.
    """

    alpha: float = Field(default=0.3, ge=0, le=1)
    """Weight of what is found falsely."""

    beta: float | None = Field(default=None, ge=0, le=1)
    """Weight of what is missed; by default 1 - alpha."""

    def _of_log_probabilities(self, log_p: Tensor, target: VoxelTarget) -> Tensor:
        return self._mean_loss(log_p, target)

    def _mean_loss(self, log_p: Tensor, target: VoxelTarget) -> Tensor:
        overlap, predicted, true = _sums(log_p, target)
        beta = 1 - self.alpha if self.beta is None else self.beta
        wrong = self.alpha * (predicted - overlap) + beta * (true - overlap)
        return (1 - (overlap + SMOOTH) / (overlap + wrong + SMOOTH)).mean()


class Dice(VoxelLoss):
    """1 - 2 pg / (p + g), mean over items and classes (Milletari et al., 3DV 2016)."""

    def _of_log_probabilities(self, log_p: Tensor, target: VoxelTarget) -> Tensor:
        overlap, predicted, true = _sums(log_p, target)
        return (1 - (2 * overlap + SMOOTH) / (predicted + true + SMOOTH)).mean()


class GeneralizedDice(VoxelLoss):
    """Dice of all classes together, each weighted by 1 / g^2 (Sudre et al., DLMIA 2017).

    An absent class weighs as much as the heaviest present one.
    """

    def _of_log_probabilities(self, log_p: Tensor, target: VoxelTarget) -> Tensor:
        overlap, predicted, true = _sums(log_p, target)
        is_present = true > 0
        weight = torch.where(is_present, true, 1).square().reciprocal() * is_present
        weight = torch.where(is_present, weight, weight.amax(dim=1, keepdim=True))
        above = 2 * (weight * overlap).sum(dim=1) + SMOOTH
        return (1 - above / ((weight * (predicted + true)).sum(dim=1) + SMOOTH)).mean()


class Focal(VoxelLoss):
    """-(1-p)^gamma log p of the true class, mean over voxels and classes.

    Lin et al., ICCV 2017.
    """

    gamma: float = Field(default=2.0, ge=0)
    """How much less voxels count that are nearly right."""

    def _of_log_probabilities(self, log_p: Tensor, target: VoxelTarget) -> Tensor:
        return _focal(log_p, target, self.gamma)


class FocalTversky(Tversky):
    """The Tversky loss, after its mean, to the power 1 / gamma (Abraham and Khan, ISBI 2019)."""

    alpha: float = Field(default=0.7, ge=0, le=1)
    """Weight of what is found falsely."""

    gamma: float = Field(default=1.0, gt=0)
    """Above 1, small losses keep pulling; below 1, they are let go."""

    def _of_log_probabilities(self, log_p: Tensor, target: VoxelTarget) -> Tensor:
        return self._mean_loss(log_p, target).clamp(min=LEAST) ** (1 / self.gamma)


class WeightedFocalTversky(Tversky):
    """weight_tversky x Tversky + weight_focal x Focal, as the reference adds them."""

    alpha: float = Field(default=0.7, ge=0, le=1)
    """Weight of what is found falsely."""

    gamma: float = Field(default=1.0, ge=0)
    """Of the focal part: how much less voxels count that are nearly right."""

    weight_tversky: float = Field(default=0.5, ge=0)
    """Weight of the Tversky part."""

    weight_focal: float | None = Field(default=None, ge=0)
    """Weight of the focal part; by default 1 - weight_tversky, at least 0."""

    def _of_log_probabilities(self, log_p: Tensor, target: VoxelTarget) -> Tensor:
        focal = self.weight_focal
        focal = max(0.0, 1 - self.weight_tversky) if focal is None else focal
        tversky = self._mean_loss(log_p, target)
        return self.weight_tversky * tversky + focal * _focal(log_p, target, self.gamma)


class CrossEntropy(VoxelLoss):
    """-log p of the true class, weighted mean over voxels; objects weigh more than background."""

    foreground_weight: float = Field(default=256.0, gt=0)
    """Weight of a voxel of any object, that of background being 1; 256 suits targets of single
    centre voxels."""

    def _of_log_probabilities(self, log_p: Tensor, target: VoxelTarget) -> Tensor:
        return _cross_entropy(log_p, target, self.foreground_weight)


class CrossEntropyTversky(Tversky):
    """Cross-entropy plus Tversky: the one sees single voxels, the other whole objects."""

    foreground_weight: float = Field(default=1.0, gt=0)
    """In the cross-entropy: weight of a voxel of any object, that of background being 1."""

    weight_tversky: float = Field(default=1.0, ge=0)
    """Weight of the Tversky part, that of the cross-entropy being 1."""

    def _of_log_probabilities(self, log_p: Tensor, target: VoxelTarget) -> Tensor:
        entropy = _cross_entropy(log_p, target, self.foreground_weight)
        return entropy + self.weight_tversky * self._mean_loss(log_p, target)


LOSSES: dict[str, type[VoxelLoss]] = {
    "tversky": Tversky,
    "dice": Dice,
    "generalized-dice": GeneralizedDice,
    "focal": Focal,
    "focal-tversky": FocalTversky,
    "weighted-focal-tversky": WeightedFocalTversky,
    "cross-entropy": CrossEntropy,
    "cross-entropy-tversky": CrossEntropyTversky,
}


def build_loss(settings: Mapping[str, Any]) -> VoxelLoss:
    """Make the loss that `name` says, with the parameters beside it.

    Raises:
        IcelensError: If the loss or a parameter is unknown or impossible.
    """
    given = dict(settings)
    name = str(given.pop("name", "tversky"))
    if name not in LOSSES:
        raise IcelensError(f"{name}: no such loss; {did_you_mean(name, LOSSES)}")
    return validated(f"loss {name}", LOSSES[name], given)


@dataclass(frozen=True)
class DeepSupervision:
    """A loss that also takes the coarser outputs of a network, each level half as important.

    The sum is over levels l with weight max(0.5^l, 0.0625), not normalised, as in the reference.
    """

    loss: VoxelLoss

    def __call__(self, output: Tensor | Sequence[Tensor], target: VoxelTarget) -> Tensor:
        """How wrong one output or several, the finest first, are; the target is of the finest."""
        if isinstance(output, Tensor):
            return self.loss(output, target)
        total = self.loss(output[0], target)
        for level, logits in enumerate(output[1:], start=1):
            coarse = target.resized(logits.shape[2:])
            total = total + max(0.5**level, 0.0625) * self.loss(logits, coarse)
        return total


def _sums(log_p: Tensor, target: VoxelTarget) -> tuple[Tensor, Tensor, Tensor]:
    """Sums (batch, class) over voxels of p g, p and g."""
    weight = target.voxel_weight().unsqueeze(1)
    probability = log_p.exp() * weight
    classes = torch.arange(log_p.shape[1], device=log_p.device).view(1, -1, 1, 1, 1)
    overlap = true = torch.zeros((), device=log_p.device)
    for labels, share in target.parts():
        # a mask of bytes per class; sums of it are repeatable, unlike scattered ones on a GPU
        is_class = labels.unsqueeze(1) == classes
        overlap = overlap + share.unsqueeze(1) * (probability * is_class).sum(dim=(2, 3, 4))
        true = true + share.unsqueeze(1) * (weight * is_class).sum(dim=(2, 3, 4))
    return overlap, probability.sum(dim=(2, 3, 4)), true


def _focal(log_p: Tensor, target: VoxelTarget, gamma: float) -> Tensor:
    weight = target.voxel_weight()
    total = torch.zeros((), device=log_p.device)
    for labels, share in target.parts():
        log_true = _of_true_class(log_p, labels)
        # clamped: the gradient of 0^gamma is infinite for gamma below 1
        wrong = (-torch.expm1(log_true)).clamp(min=LEAST)
        total = total - (share.view(-1, 1, 1, 1) * weight * wrong**gamma * log_true).sum()
    return total / (log_p.shape[1] * weight.sum()).clamp(min=SMOOTH)


def _cross_entropy(log_p: Tensor, target: VoxelTarget, foreground_weight: float) -> Tensor:
    voxel_weight = target.voxel_weight()
    total = norm = torch.zeros((), device=log_p.device)
    for labels, share in target.parts():
        weight = torch.where(labels > 0, foreground_weight, 1.0) * voxel_weight
        weight = weight * share.view(-1, 1, 1, 1)
        total = total - (weight * _of_true_class(log_p, labels)).sum()
        norm = norm + weight.sum()
    return total / norm.clamp(min=SMOOTH)


def _of_true_class(log_p: Tensor, labels: Tensor) -> Tensor:
    """Log-probability of each voxel's label; of any class where the label is none."""
    index = labels.long().clamp(max=log_p.shape[1] - 1).unsqueeze(1)
    return log_p.gather(1, index).squeeze(1)
