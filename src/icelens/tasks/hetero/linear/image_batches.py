"""Images, CTFs and axes of whole particles in batches, kept in memory if they are few."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor

from icelens.core.data.latents import LatentTable
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


class ImageBatches:
    """Goes through images, all of a particle together.

    Attributes:
        images: Where they come from.
        rows: Those that are used.
        first_row: `(particle,)` row of the first image of each.
        owner: `(row,)` place of each image's particle, for all images; -1 for those not used.
    """

    def __init__(self, images: PreparedImages, rows: Integers | None = None) -> None:
        """Take images.

        Args:
            images: Prepared images.
            rows: Those to use; all if left out.
        """
        self.images = images
        self.rows = np.arange(len(images)) if rows is None else np.asarray(rows, np.int64)
        numbers = images.particles.particle[self.rows]
        _, first, place = np.unique(numbers, return_index=True, return_inverse=True)
        # in the order of first appearance
        order = np.argsort(first, kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        self.first_row = self.rows[first[order]]
        self.owner = np.full(len(images), -1)
        self.owner[self.rows] = rank[place.ravel()]
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}
        samples = len(images.samples.index)
        self._is_kept = 12 * samples * len(self.rows) <= _KEPT_BYTES

    @property
    def num_particles(self) -> int:
        """Number of particles."""
        return len(self.first_row)

    def batches(self, radius: int, particles: Integers | None = None) -> Iterator[Batch]:
        """Batches of images, of these particles if they are named.

        Args:
            radius: Shell of the finest samples that are handed out.
            particles: Places of particles; all if left out.
        """
        count = self.images.samples.count(radius)
        rows = self.rows[np.argsort(self.owner[self.rows], kind="stable")]
        if particles is not None:
            is_wanted = np.zeros(self.num_particles, bool)
            is_wanted[particles] = True
            rows = rows[is_wanted[self.owner[rows]]]
        step = max(1, _SAMPLES_AT_ONCE // count)
        owner = self.owner[rows]
        start = 0
        while start < len(rows):
            stop = min(start + step, len(rows))
            # to the end of the particle
            stop = int(np.searchsorted(owner, owner[stop - 1], side="right"))
            yield self._batch(rows[start:stop], count)
            start = stop

    def table(
        self,
        mean: npt.NDArray[np.float64],
        deviation: npt.NDArray[np.float64],
        half_set: Integers,
    ) -> LatentTable:
        """Latents of the particles with what the images know of them."""
        return LatentTable(
            latent=mean,
            particle=self.images.particles.particle[self.first_row],
            row=self.first_row,
            deviation=deviation,
            half_set=half_set[self.first_row],
        )

    def _batch(self, rows: Integers, count: int) -> Batch:
        values, transfer = self._read(rows)
        owner = torch.from_numpy(self.owner[rows]).to(self.images.device)
        axes = self.images.rotation(rows)[:, :2]
        return Batch(values[:, :count], transfer[:, :count], axes, owner, rows)

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
