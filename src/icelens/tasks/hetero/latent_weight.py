"""How much the prior of latents weighs during a training: constant, a ramp, or controlled."""

from dataclasses import dataclass

import torch
from torch import Tensor

# (from, to, first image, last image): weights over images seen, as published with cryoDRGN
SCHEDULES: dict[str, tuple[float, float, float, float]] = {
    "a": (0.001, 15.0, 0.0, 1e6),
    "b": (5.0, 15.0, 2e5, 8e5),
    "c": (5.0, 18.0, 2e5, 8e5),
    "d": (5.0, 18.0, 1e6, 5e6),
}


@dataclass(frozen=True)
class LatentWeight:
    """Turns the divergence of latents from their prior into what is added to the loss.

    Attributes:
        weight: Of the divergence; 1 is the evidence lower bound.
        warmup: Images over which the weight rises from 0.
        schedule: One of `SCHEDULES` instead, or nothing.
        target: Divergence that is aimed at instead of a small one, in nats; None aims at none.
        control: Weight of the squared distance from the target.
    """

    weight: float = 1.0
    warmup: float = 0.0
    schedule: str | None = None
    target: float | None = None
    control: float = 1.0

    def at(self, images_seen: float) -> float:
        """Weight after so many images."""
        if self.schedule is not None:
            low, high, first, last = SCHEDULES[self.schedule]
            part = min(max((images_seen - first) / (last - first), 0.0), 1.0)
            return low + part * (high - low)
        if self.warmup <= 0:
            return self.weight
        return self.weight * min(1.0, images_seen / self.warmup)

    def penalty(self, divergence: Tensor, images_seen: float) -> Tensor:
        """What is added to the loss of a particle whose latent diverges so far, in nats."""
        if self.target is not None:
            return self.control * (divergence - self.target).square()
        return self.at(images_seen) * divergence


def divergence_from_prior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of each `(particle, latent)` Gaussian from the standard one.

    Never negative; of a latent that is known exactly, what its place alone costs.

    References:
        Kingma & Welling, ICLR 2014, appendix B.
    """
    is_exact = torch.isneginf(log_variance)
    known = torch.where(is_exact, 0.0, log_variance)
    spread = torch.where(is_exact, 0.0, known.exp() - 1.0 - known)
    return 0.5 * (mean.square() + spread).sum(dim=1)
