"""What images show: a particle in its states, on their grids, as strong as their noise asks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.evenly import evenly
from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.events import Message, OnEvent
from icelens.core.fourier.slices import slice_source
from icelens.core.simulate.image_noise import NoiseKind
from icelens.core.simulate.particles import (
    ParticleSimulator,
    particle_radius_px,
    signal_variance,
)
from icelens.tasks.simulate.image_settings import ImageSettings
from icelens.tasks.simulate.particle_truth import Grid, ParticleDensity, symmetrised

Integers = npt.NDArray[np.int64]
MakeDensity = Callable[[float], ParticleDensity]
"""The density of a state, to be seen at this pixel size in Å or coarser."""

# Images, over all states, from which the strength of the signal is measured; and of each state.
_MEASURED, _LEAST_MEASURED = 500, 10


@dataclass(frozen=True, eq=False)
class Scene:
    """Maps of states on one grey scale.

    A pixel of an image holds the density integrated along the beam whatever its size: images of
    another sampling are the same picture, and all are projections of the first grid's maps.

    Attributes:
        maps: For each grid of the images, a map of each state.
        noise_std: Standard deviation of the noise of a pixel.
        noise: Its kind.
    """

    maps: Mapping[Grid, Sequence[Float[Tensor, "n n n"]]]
    noise_std: float = 0.0
    noise: NoiseKind = "white"

    @property
    def first_grid(self) -> Grid:
        """The grid of the truth."""
        return next(iter(self.maps))

    def truth(self, state: int) -> Volume:
        """The map of a state."""
        return Volume(self.maps[self.first_grid][state].numpy(), self.first_grid[1])

    def simulator(self, state: int, grid: Grid) -> ParticleSimulator:
        """Makes images of a state on a grid; the transform of the map is worked out anew."""
        source = slice_source(self.maps[grid][state]) * (grid[1] / self.first_grid[1])
        return ParticleSimulator(source, *grid, noise_std=self.noise_std, noise=self.noise)


def scene_of(
    settings: ImageSettings,
    states: Sequence[MakeDensity],
    particles: Particles,
    state: Integers,
    on_event: OnEvent,
    *,
    symmetry: str = "C1",
) -> Scene:
    """The states on the grids of particles, scaled so that noise of 1 has the ratio asked for.

    The signal is the mean over all images, hence over the states as often as each is seen.

    Args:
        settings: Of the images.
        states: What makes the density of each.
        particles: The images to be made.
        state: `(row,)` of each image.
        on_event: Hears how large the particle is, and if the box is too small for it.
        symmetry: Point group that each is averaged over.
    """
    grids = list(dict.fromkeys((group.box_size, group.pixel_size) for group in particles.optics))
    finest = min(pixel_size for _, pixel_size in grids)
    maps: dict[Grid, list[Tensor]] = {grid: [] for grid in grids}
    for make in states:
        density = make(finest)
        for grid in grids:
            maps[grid].append(symmetrised(density.on_grid(*grid), symmetry))
    scene = Scene(maps)
    radius = _radius(settings, maps[grids[0]], grids[0], on_event)
    if settings.snr is None:
        return scene
    variance = _mean_variance(scene, particles, state, radius)
    scale = (settings.snr / variance) ** 0.5
    scaled = {grid: [each * scale for each in of_grid] for grid, of_grid in maps.items()}
    return Scene(scaled, noise_std=1.0, noise=settings.noise)


def rows_of(particles: Particles, state: Integers, which: int, grid: Grid) -> Integers:
    """Images of a state on a grid."""
    is_of_grid = [(group.box_size, group.pixel_size) == grid for group in particles.optics]
    return np.flatnonzero(np.asarray(is_of_grid)[particles.optics_index] & (state == which))


def _radius(
    settings: ImageSettings, maps: Sequence[Tensor], grid: Grid, on_event: OnEvent
) -> float:
    """Radius of all states together in Å, of the disc in which the signal counts.

    Warns if the box is too small; infinite if the signal counts over the whole box.
    """
    box_size, pixel_size = grid
    square = torch.zeros_like(maps[0])
    for each in maps:
        square += each**2
    radius = particle_radius_px(square.sqrt()) * pixel_size
    if settings.mask_diameter is not None:
        radius = 0.5 * settings.mask_diameter
    room = 0.5 * box_size * pixel_size
    on_event(Message(f"The particle has a diameter of {2 * radius:.0f} Å"))
    if radius + settings.max_shift > 0.95 * room:
        on_event(
            Message(
                f"A box of {2 * room:.0f} Å is narrow for a particle of {2 * radius:.0f} Å: its "
                "images may be cut; take a larger --box-size",
                level="warning",
            )
        )
    return float("inf") if settings.snr_region == "box" else radius


def _mean_variance(scene: Scene, particles: Particles, state: Integers, radius: float) -> float:
    """Variance of the signal over all images, whatever their state and grid; `radius` in Å."""
    total = 0.0
    most = max(_LEAST_MEASURED, _MEASURED // len(scene.maps[scene.first_grid]))
    for which in np.unique(state).tolist():
        for grid in scene.maps:
            rows = rows_of(particles, state, which, grid)
            if not len(rows):
                continue
            spread = rows[evenly(len(rows), most)]
            simulator = replace(scene.simulator(which, grid), noise_std=0.0)
            variance = signal_variance(
                simulator, particles.take(spread), radius_px=radius / grid[1]
            )
            total += len(rows) * variance
    return total / len(particles)
