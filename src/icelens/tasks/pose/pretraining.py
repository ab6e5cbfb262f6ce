"""Images simulated from a map at the particles' own poses and optics, to learn from first."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.particles import Particles
from icelens.core.events import OnEvent
from icelens.core.simulate.particles import ParticleSimulator, simulator_for
from icelens.tasks.pose.refine_reference import Reference, read_reference
from icelens.training.seed import generator_for


class SimulatedImages:
    """Stands where an `ImageReader` does; each optics group keeps its own box and pixel size."""

    def __init__(
        self, map_path: Path, particles: Particles, *, snr: float, seed: int, on_event: OnEvent
    ) -> None:
        """Read the map.

        Args:
            map_path: Density, protein bright; its own pixel size counts.
            particles: With poses.
            snr: Variance of the signal in the particle's disc over that of the noise.
            seed: Of the noise.
            on_event: Hears if the map is resampled.
        """
        self.bad_rows: set[int] = set()
        self._reference: Reference = read_reference(map_path, None, particles, on_event)
        # noise of premultiplied images would be, too; the network sees plain ones
        plain = tuple(replace(group, is_premultiplied=False) for group in particles.optics)
        self._particles = replace(particles, optics=plain)
        self._snr, self._seed = snr, seed
        self._simulators: dict[int, ParticleSimulator] = {}

    def read(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Images of rows that share box and pixel size; the same for the same rows."""
        wanted = np.atleast_1d(np.asarray(rows))
        group = int(self._particles.optics_index[wanted[0]])
        if group not in self._simulators:
            optics = self._particles.optics[group]
            members = self._particles.take(np.flatnonzero(self._particles.optics_index == group))
            density = self._reference.on_grid(optics.box_size, optics.pixel_size)
            self._simulators[group] = simulator_for(density, members, snr=self._snr)
        generator = generator_for(self._seed, "simulated", int(wanted[0]), len(wanted))
        images = self._simulators[group].images(self._particles.take(wanted), generator)
        return images.to(torch.float32).numpy()
