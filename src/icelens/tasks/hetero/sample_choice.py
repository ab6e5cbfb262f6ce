"""Which samples of images a training step compares: a radius that grows, a share of the finest."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from icelens.core.refinement.samples import DiscSamples
from icelens.training.seed import generator_for


@dataclass(frozen=True, eq=False)
class SampleChoice:
    """Chooses samples for each step.

    Attributes:
        samples: All.
        share: Of the samples beyond `always` that are drawn; 1 takes all.
        always: Shell up to which all samples are taken.
        first_radius: Of the first step.
        num_steps: Steps over which the radius grows to that of all samples.
        seed: Of the draw.
    """

    samples: DiscSamples
    share: float
    always: int
    first_radius: int
    num_steps: int
    seed: int

    def at(self, step: int) -> tuple[Int[Tensor, " place"], Float[Tensor, " place"]]:
        """Samples of a step, and how many of all each stands for."""
        part = 1.0 if self.num_steps <= 0 else min(1.0, step / self.num_steps)
        radius = self.first_radius + part * (self.samples.radius - self.first_radius)
        count = self.samples.count(round(radius))
        device = self.samples.index.device
        sure = min(self.samples.count(self.always), count)
        if self.share >= 1.0 or sure == count:
            return torch.arange(count, device=device), torch.ones(count, device=device)
        num_drawn = max(1, round(self.share * (count - sure)))
        generator = generator_for(self.seed, "samples", step)
        drawn = sure + torch.randperm(count - sure, generator=generator)[:num_drawn].sort().values
        places = torch.cat([torch.arange(sure), drawn]).to(device)
        weight = torch.ones(len(places), device=device)
        weight[sure:] = (count - sure) / num_drawn
        return places, weight
