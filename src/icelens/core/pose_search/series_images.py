"""Images of a batch of particles at low frequency, each seen once or in a tilt series."""

from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor

from icelens.core.refinement.matched import ramps

_ALIKE = 100.0
"""Frames that agree to two digits, half a degree, share their slices in a search over the grid."""


@dataclass(frozen=True, eq=False)
class SeriesImages:
    """Images in units of their noise, each sample standing for a Friedel pair.

    Attributes:
        values: Samples of the transforms, noise with a mean square of 1 in each.
        transfer: CTF in the same units.
        frequency_xy: Of the samples, in cycles per box of the image.
        owner: Which particle of the batch each shows.
        frame: Takes the particle's frame to the image's axes; rows 0 and 1 are also stretched
            where an image is wider than the reference or its magnification anisotropic.
        stage: The rotation alone, by which a particle's shift is seen.
        extent: Width of each image in Å.
        num_particles: How many there are.
        independence: Share of the samples that are independent of their neighbours.
    """

    values: Complex[Tensor, "image sample"]
    transfer: Float[Tensor, "image sample"]
    frequency_xy: Float[Tensor, "2 sample"]
    owner: Int[Tensor, " image"]
    frame: Float[Tensor, "image 3 3"]
    stage: Float[Tensor, "image 3 3"]
    extent: Float[Tensor, " image"]
    num_particles: int
    independence: float = 1.0

    @property
    def is_tilted(self) -> bool:
        """Whether any image has a frame of its own, so that shifts are seen in three dimensions."""
        return bool((self.stage[:, 2, 2] < 1.0 - 1e-6).any())

    def first(self, num_samples: int) -> "SeriesImages":
        """The same images up to a coarser resolution; samples are sorted by it."""
        return SeriesImages(
            self.values[:, :num_samples].contiguous(),
            self.transfer[:, :num_samples].contiguous(),
            self.frequency_xy[:, :num_samples].contiguous(),
            self.owner,
            self.frame,
            self.stage,
            self.extent,
            self.num_particles,
            self.independence,
        )

    def take(self, particles: Int[Tensor, " particle"]) -> "SeriesImages":
        """The images of some particles, which are numbered anew in this order."""
        place = torch.full((self.num_particles,), -1, device=self.owner.device)
        place[particles] = torch.arange(len(particles), device=self.owner.device)
        kept = (place[self.owner] >= 0).nonzero().squeeze(-1)
        return SeriesImages(
            self.values[kept],
            self.transfer[kept],
            self.frequency_xy,
            place[self.owner[kept]],
            self.frame[kept],
            self.stage[kept],
            self.extent[kept],
            len(particles),
            self.independence,
        )

    def moved(
        self, image: Int[Tensor, " view"], shift_xyz: Float[Tensor, "view 3"]
    ) -> Complex[Tensor, "view sample"]:
        """Images times their CTF, moved as shifts of their particles in Å ask for."""
        seen = (self.stage[image] @ shift_xyz[:, :, None]).squeeze(-1)[:, :2]
        phases = ramps(seen / self.extent[image, None], self.frequency_xy, 1)
        return self.values[image] * self.transfer[image] * phases

    def alike(self) -> list[Int[Tensor, " image"]]:
        """Numbers of the images that share a frame, nearly, group by group."""
        key = torch.round(self.frame.flatten(1) * _ALIKE)
        _, group = torch.unique(key, dim=0, return_inverse=True)
        return [(group == number).nonzero().squeeze(-1) for number in range(int(group.max()) + 1)]
