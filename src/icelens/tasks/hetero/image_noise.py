"""The noise that is left of images once the map of all of them is taken away."""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.evenly import evenly
from icelens.core.fourier.slices import central_slices, slice_source
from icelens.tasks.hetero.prepared_images import PreparedImages

_SAMPLE = 500
"""Images measured for each optics group."""
_AT_ONCE = 100
_LEAST = 20
_LEAST_POWER = 1e-3
"""Of what was there before: images without noise leave nothing, and a likelihood needs some."""


def residual_noise(images: PreparedImages, density: Float[Tensor, "n n n"]) -> PreparedImages:
    """The same images with their noise measured on what slices of a map leave of them."""
    source = slice_source(density.to(images.device))
    powers = []
    for group, power in enumerate(images.facts.noise_power):
        particles = images.particles
        rows = np.flatnonzero((particles.optics_index == group) & (particles.weight > 0))
        left = torch.ones(len(power))
        if len(rows) >= _LEAST:
            rows = rows[evenly(len(rows), _SAMPLE)]
            left[: images.facts.radius + 1] = _left(images, source, rows)
        powers.append(tuple((torch.tensor(power) * left).tolist()))
    facts = replace(images.facts, noise_power=tuple(powers))
    return images.with_noise(facts)


def _left(images: PreparedImages, source: Tensor, rows: np.ndarray) -> Float[Tensor, " shell"]:
    """Mean square of the residuals in each shell, in units of the noise assumed so far."""
    samples = images.samples
    total = torch.zeros(images.facts.radius + 1, device=images.device)
    count = torch.bincount(samples.shell, minlength=len(total)).to(total)
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        model = images.transfer(part) * samples.of(central_slices(source, images.rotation(part)))
        rest = (images.values(part) - model).abs().square().sum(0)
        total.index_add_(0, samples.shell, rest)
    mean = (total / (count * len(rows)).clamp(min=1.0)).clamp(min=_LEAST_POWER)
    mean[0] = mean[1]
    return mean.cpu()
