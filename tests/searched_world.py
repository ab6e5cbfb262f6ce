"""Images of a simulated particle as a search for poses takes them, and their scores one by one."""

import numpy as np
import torch
from pose_world import BOX, PIXEL, World
from torch import Tensor

from icelens.core.pose_search.series_images import SeriesImages
from icelens.core.refinement.reference import SliceTable
from icelens.core.refinement.samples import disc_samples


def series_of(
    world: World, radius: int, *, stage: Tensor | None = None, owner: Tensor | None = None
) -> SeriesImages:
    samples = disc_samples(BOX, radius)
    unit = world.noise_power[0].sqrt()
    count = len(world.images)
    frame = torch.eye(3).repeat(count, 1, 1) if stage is None else stage
    owner = torch.arange(count) if owner is None else owner
    return SeriesImages(
        samples.of(world.spectrum) / unit,
        samples.of(world.ctf) / unit,
        samples.frequency_xy,
        owner,
        frame,
        frame,
        torch.full((count,), BOX * PIXEL),
        int(owner.max()) + 1,
        0.5,
    )


def brute_force(
    table: SliceTable, images: SeriesImages, rotation: Tensor, shift: Tensor, particle: int
) -> float:
    """Gain in the likelihood, from the residuals themselves."""
    total = 0.0
    for image in (images.owner == particle).nonzero().flatten().tolist():
        seen = (images.frame[image] @ rotation)[None]
        model = images.transfer[image] * table.nearest(seen, images.frequency_xy)[0]
        moved = (images.stage[image] @ shift)[:2]
        phase = -2.0 * np.pi * (moved @ images.frequency_xy) / images.extent[image]
        centred = images.values[image] * torch.polar(torch.ones_like(phase), phase)
        gain = centred.abs().square() - (centred - model).abs().square()
        total += float(gain.sum())
    return images.independence * total
