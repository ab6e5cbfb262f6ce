"""Batches of particles with their images; a function of seed and step alone."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from icelens.tasks.hetero.network.hetero_network import ImageBatch
from icelens.tasks.hetero.particle_rows import ParticleRows
from icelens.tasks.hetero.prepared_images import PreparedImages
from icelens.tasks.hetero.sample_choice import SampleChoice
from icelens.training.seed import derive_seed, generator_for

Integers = npt.NDArray[np.int64]

_BLOCK = 64
"""Particles that are read together where images do not fit into memory."""
_BLOCKS_MIXED = 64


class ImageBatches:
    """The source of batches: `batches(step, items)`, every particle once in each epoch."""

    def __init__(
        self,
        images: PreparedImages,
        rows: ParticleRows,
        choice: SampleChoice,
        *,
        latent_dim: int,
        known: Tensor,
        batch_size: int,
        seed: int,
        is_streamed: bool = False,
    ) -> None:
        """Take images and the particles that they show.

        Args:
            images: All.
            rows: Which show each particle.
            choice: Of the samples that a step compares.
            latent_dim: Coordinates of a latent, for the noise that draws them.
            known: `(particle, component, 2)`, see `ImageBatch`.
            batch_size: Particles of a step.
            seed: Of orders and noise.
            is_streamed: Whether neighbours in the file are read together, as disks like it.
        """
        self._images = images
        self._rows = rows
        self._choice = choice
        self._images_each = len(rows.rows) / max(1, len(rows))
        self._latent_dim = latent_dim
        self._known = known
        self._batch_size = batch_size
        self._seed = seed
        self._is_streamed = is_streamed
        self._order: tuple[int, Integers] = (-1, np.empty(0, np.int64))

    def __call__(self, step: int, items: range) -> ImageBatch:
        """These particles of a step."""
        numbers = [step * self._batch_size + item for item in items]
        places = np.asarray([self._place(number) for number in numbers])
        generator = generator_for(self._seed, "latent", step, items.start)
        noise = torch.randn(len(places), self._latent_dim, generator=generator)
        seen = step * self._batch_size * self._images_each
        return batch_of(
            self._images,
            self._rows,
            places,
            noise,
            self._known[torch.from_numpy(places)],
            self._choice.at(step),
            seen,
        )

    def _place(self, number: int) -> int:
        """The particle that comes as this number, counted from the beginning of the run."""
        epoch, within = divmod(number, len(self._rows))
        if self._order[0] != epoch:
            seed = derive_seed(self._seed, "order", epoch)
            order = shuffled(len(self._rows), seed, is_streamed=self._is_streamed)
            self._order = (epoch, order)
        return int(self._order[1][within])


def batch_of(
    images: PreparedImages,
    rows: ParticleRows,
    places: Integers,
    noise: Tensor,
    known: Tensor,
    chosen_samples: tuple[Tensor, Tensor],
    images_seen: float = 0.0,
) -> ImageBatch:
    """All images of some particles.

    Args:
        images: All.
        rows: Which show each particle.
        places: The particles.
        noise: `(particle, latent_dim)` that draws their latents.
        known: `(particle, component, 2)` of these particles, see `ImageBatch`.
        chosen_samples: Places of the samples to compare, and their weights.
        images_seen: See `ImageBatch`.
    """
    device = images.device
    chosen, owner = rows.of(places)
    values, transfer = images.values(chosen), images.transfer(chosen)
    is_empty = torch.from_numpy(images.particles.weight[chosen] == 0).to(device)
    if bool(is_empty.any()):
        # nothing is expected of an image that shows nothing
        transfer = torch.where(is_empty[:, None], 0.0, transfer)
        values = torch.where(is_empty[:, None], 0.0, values)
    sample_places, weight = (each.to(device) for each in chosen_samples)
    is_all = len(sample_places) == values.shape[1]
    return ImageBatch(
        seen=values,
        seen_transfer=transfer,
        values=values if is_all else values[:, sample_places],
        transfer=transfer if is_all else transfer[:, sample_places],
        places=sample_places,
        sample_weight=weight,
        axes=images.rotation(chosen),
        image=torch.from_numpy(chosen).to(device),
        owner=torch.from_numpy(owner).to(device),
        particle=torch.from_numpy(places).to(device),
        half_set=torch.from_numpy(rows.half_set[places]).to(device),
        noise=noise.to(device),
        known=known.to(device),
        images_seen=images_seen,
    )


def shuffled(count: int, seed: int, *, is_streamed: bool) -> Integers:
    """The numbers below `count` in random order.

    Streamed, blocks of neighbours are shuffled, and particles among some blocks that follow each
    other then: nearly as random, and read from disk in long pieces.
    """
    generator = np.random.default_rng(seed)
    if not is_streamed:
        return generator.permutation(count)
    starts = generator.permutation(np.arange(0, count, _BLOCK))
    order = [np.arange(start, min(start + _BLOCK, count)) for start in starts]
    parts = []
    for first in range(0, len(order), _BLOCKS_MIXED):
        window = np.concatenate(order[first : first + _BLOCKS_MIXED])
        parts.append(generator.permutation(window))
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
