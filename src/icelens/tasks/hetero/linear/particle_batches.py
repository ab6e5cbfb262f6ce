"""Images, CTFs and axes of whole particles in batches, kept in memory if they are few."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor

from icelens.tasks.hetero.particle_rows import ParticleRows
from icelens.tasks.hetero.prepared_images import PreparedImages

Integers = npt.NDArray[np.int64]

_SAMPLES_AT_ONCE = 1 << 17
"""Their interpolation stays in the cache of one core."""
_KEPT_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class Batch:
    """Images of whole particles.

    Attributes:
        values: Transforms in units of noise.
        transfer: CTF over noise.
        axes: Rows 0 and 1 of the rotations.
        owner: Place of each image's particle in the list of all.
        row: Of each image.
    """

    values: Complex[Tensor, "row sample"]
    transfer: Float[Tensor, "row sample"]
    axes: Float[Tensor, "row 2 3"]
    owner: Int[Tensor, " row"]
    row: Integers


class ParticleBatches:
    """Goes through images, all of a particle together.

    Attributes:
        images: Where they come from.
        rows: Which images show each particle.
    """

    def __init__(self, images: PreparedImages, rows: ParticleRows) -> None:
        """Take images and the particles that they show."""
        self.images = images
        self.rows = rows
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}
        self._is_kept = 12 * len(images.samples.index) * len(rows.rows) <= _KEPT_BYTES

    @property
    def num_particles(self) -> int:
        """Number of particles."""
        return len(self.rows)

    def batches(self, radius: int, particles: Integers | None = None) -> Iterator[Batch]:
        """Batches of images, of these particles if they are named.

        Args:
            radius: Shell of the finest samples that are handed out.
            particles: Places of particles; all if left out.
        """
        count = self.images.samples.count(radius)
        chosen = np.arange(len(self.rows)) if particles is None else particles
        rows, place = self.rows.of(chosen)
        owner = chosen[place]
        step = max(1, _SAMPLES_AT_ONCE // count)
        start = 0
        while start < len(rows):
            stop = min(start + step, len(rows))
            # to the end of the particle
            while stop < len(rows) and owner[stop] == owner[stop - 1]:
                stop += 1
            yield self._batch(rows[start:stop], owner[start:stop], count)
            start = stop

    def _batch(self, rows: Integers, owner: Integers, count: int) -> Batch:
        values, transfer = self._read(rows)
        axes = self.images.rotation(rows)[:, :2]
        return Batch(
            values[:, :count],
            transfer[:, :count],
            axes,
            torch.from_numpy(owner).to(axes.device),
            rows,
        )

    def _read(self, rows: Integers) -> tuple[Tensor, Tensor]:
        if not self._is_kept:
            return self._clean(rows)
        missing = np.asarray([row for row in rows.tolist() if row not in self._kept], np.int64)
        if len(missing):
            values, transfer = self._clean(missing)
            for place, row in enumerate(missing.tolist()):
                self._kept[row] = (values[place], transfer[place])
        kept = [self._kept[row] for row in rows.tolist()]
        return torch.stack([each[0] for each in kept]), torch.stack([each[1] for each in kept])

    def _clean(self, rows: Integers) -> tuple[Tensor, Tensor]:
        """Images that show nothing or are not finite count nothing, as do those without weight."""
        values, transfer = self.images.values(rows), self.images.transfer(rows)
        power = values.abs().square().sum(1)
        weight = torch.from_numpy(self.images.particles.weight[rows]).to(power)
        is_good = torch.isfinite(power) & (power > 0)
        root = torch.where(is_good, weight, 0.0).sqrt()[:, None]
        return torch.where(is_good[:, None], values, 0.0) * root, transfer * root
