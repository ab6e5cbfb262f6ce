"""All images of a search for poses at low resolution, handed out particle by particle."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.latents import places_of
from icelens.core.data.particles import Particles
from icelens.core.pose_search.series_images import SeriesImages
from icelens.core.refinement.samples import DiscSamples
from icelens.tasks.hetero.image_grid import Grid
from icelens.tasks.hetero.particle_rows import ParticleRows
from icelens.tasks.hetero.prepared_images import PreparedImages

Integers = npt.NDArray[np.int64]

_EDGE_PX = 2.0


def places_of_rows(particles: Particles, rows: ParticleRows) -> Integers:
    """`(row,)` place of the particle that each image shows, images that are not used included."""
    return places_of(particles.particle, rows.particle)


def without_poses(particles: Particles, rows: ParticleRows) -> Particles:
    """The same images in the frame of each particle's least tilted one; shifts are forgotten.

    `rotation` is then what takes that frame to the image: the identity for single images.
    """
    place = places_of_rows(particles, rows)
    by_tilt = np.lexsort((-particles.ctf_scale, place))
    flattest = by_tilt[np.unique(place[by_tilt], return_index=True)[1]]
    reference = particles.stage[flattest][place]
    relative = particles.stage @ np.swapaxes(reference, -1, -2)
    return replace(particles, rotation=relative, stage=relative, shift_yx=0 * particles.shift_yx)


class SearchImages:
    """Prepared images whose rotations are those of the stage alone, and how they are grouped."""

    def __init__(self, prepared: PreparedImages, rows: ParticleRows) -> None:
        """Join what a search needs.

        Args:
            prepared: From `prepare_unposed`.
            rows: Which of them show each particle.
        """
        facts = prepared.facts
        self.prepared, self.rows = prepared, rows
        self.half_set = torch.from_numpy(rows.half_set)
        self.device = prepared.device
        self.grid = Grid(facts.box_size, facts.pixel_size, facts.radius)
        self.diameter = facts.mask_diameter
        self.extent = facts.box_size * facts.pixel_size
        self.mask = sphere(self.grid, self.diameter).to(self.device)

    @property
    def samples(self) -> DiscSamples:
        """Of the transforms."""
        return self.prepared.samples

    def __len__(self) -> int:
        """Number of particles."""
        return len(self.rows)

    def half_set_of(self, chosen: Integers) -> Tensor:
        """1 or 2 for each of some particles."""
        return self.half_set[torch.from_numpy(chosen)].to(self.device)

    def series(self, chosen: Integers, *, radius: int) -> SeriesImages:
        """The images of some particles up to a shell; those of no weight are left out."""
        images, particles = self.prepared, self.prepared.particles
        count = images.samples.count(radius)
        picked, owner = self.rows.of(chosen)
        used = particles.weight[picked] > 0
        picked, owner = picked[used], owner[used]
        extent = (particles.box_size() * particles.pixel_size())[picked]
        return SeriesImages(
            values=images.values(picked)[:, :count].contiguous(),
            transfer=images.transfer(picked)[:, :count].contiguous(),
            frequency_xy=images.samples.frequency_xy[:, :count].contiguous(),
            owner=torch.from_numpy(owner).to(self.device),
            frame=images.rotation(picked),
            stage=torch.from_numpy(particles.rotation[picked]).to(self.device, torch.float32),
            extent=torch.from_numpy(extent).to(self.device, torch.float32),
            num_particles=len(chosen),
            independence=images.facts.independence,
        )


def sphere(grid: Grid, diameter: float) -> Float[Tensor, "n n n"]:
    """1 within a sphere about the centre, falling to 0 over some voxels at its surface."""
    axis = torch.arange(grid.box_size, dtype=torch.float32) - grid.box_size // 2
    distance = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt()
    inside = (0.5 * diameter / grid.pixel_size - distance) / _EDGE_PX
    return (inside + 0.5).clamp(0.0, 1.0)
