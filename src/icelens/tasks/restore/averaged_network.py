"""Judge the averaged network on held-out boxes, and give its batch norm the statistics it needs."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from icelens.core.fourier.filters import apply_filter
from icelens.tasks.restore.crops import Crops
from icelens.tasks.restore.physics import Physics
from icelens.tasks.restore.settings import RefineConfig, TrainConfig
from icelens.training.loop import Objective
from icelens.training.statistics import reestimate_batch_norm

RECALIBRATION_BATCHES = 8


@dataclass(frozen=True)
class Validation:
    """Loss on held-out boxes, the same at every call; lower is better."""

    objective: Objective
    crops: Crops
    device: torch.device
    num_batches: int = 4

    def __call__(self, network: nn.Module) -> float:
        """Mean loss of a network in evaluation mode."""
        with torch.no_grad():
            losses = [
                self.objective(
                    network, network, self.crops(i, range(self.crops.batch_size)).to(self.device)
                ).total.item()
                for i in range(self.num_batches)
            ]
        return sum(losses) / len(losses)


@dataclass(frozen=True)
class Recalibration:
    """Give batch norm the statistics of what the averaged network will meet: unturned boxes.

    During training it sees boxes with two wedges; averaged weights moreover never ran in training
    mode themselves (Izmailov et al., UAI 2018, section 3.2, for weight averages).
    """

    crops: Crops
    physics: Sequence[Physics]
    config: TrainConfig
    device: torch.device

    def __call__(self, network: nn.Module) -> None:
        """Set the statistics of every batch norm in `network`."""
        size = self.crops.batch_size
        inputs = (self._inputs(i, range(size)) for i in range(RECALIBRATION_BATCHES))
        reestimate_batch_norm(network, inputs)

    def _inputs(self, number: int, items: range) -> torch.Tensor:
        batch = self.crops(number, items).to(self.device)
        n = batch.boxes.shape[-1]
        apply_wedge = isinstance(self.config, RefineConfig) and self.config.apply_wedge
        factor = torch.stack(
            [
                self.physics[owner].before_network((n, n, n), apply_wedge=apply_wedge)
                for owner in batch.tomograms
            ]
        )
        return apply_filter(batch.boxes, factor).reshape(-1, 1, n, n, n)
