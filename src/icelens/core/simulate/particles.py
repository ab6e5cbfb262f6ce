"""Simulate particle images: project a map, apply the CTF, shift, and add noise.

`X = T(-shift) [CTF * slice(R)] + noise`, protein bright: translated by `+shift_yx` an image is
centred. Aberrations, anisotropic magnification and premultiplied images follow the optics group.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.data.evenly import evenly
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError
from icelens.core.fourier.shift import shift_images
from icelens.core.fourier.slices import central_slices, slice_source
from icelens.core.fourier.transforms import image_from_rfft, image_rfft
from icelens.core.optics.particle_ctf import aberration_phases, particle_ctf, slice_axes
from icelens.core.simulate.image_noise import NoiseKind, image_noise

# A batch of 64-px images and their CTF stay in the cache of one core.
_SAMPLES_AT_ONCE = 1 << 17
# Images from which the variance of the signal is taken.
_MEASURED = 500
# Part of the squared density within the radius that a particle is said to have.
_WITHIN = 0.99


@dataclass(frozen=True)
class ParticleSimulator:
    """Makes images of one map; the transform of the map is computed once.

    Attributes:
        source: From `slice_source`.
        box_size: Side of map and images in px.
        pixel_size: Of map and images, in Å/px.
        noise_std: Standard deviation of the noise of a pixel; 0 for none.
        noise: Its kind.
    """

    source: Complex[Tensor, "m m m_half"]
    box_size: int
    pixel_size: float
    noise_std: float = 0.0
    noise: NoiseKind = "white"

    def images(
        self, particles: Particles, generator: torch.Generator
    ) -> Float[Tensor, "row {self.box_size} {self.box_size}"]:
        """The images of particles, row by row.

        Raises:
            GeometryError: If their box or pixel size is not that of the map.
        """
        _check_grid(particles, self.box_size, self.pixel_size)
        step = max(1, _SAMPLES_AT_ONCE // self.box_size**2)
        starts = range(0, len(particles), step)
        parts = [
            self._batch(particles, np.arange(start, min(start + step, len(particles))), generator)
            for start in starts
        ]
        return torch.cat(parts) if parts else torch.zeros(0, self.box_size, self.box_size)

    def _batch(
        self, particles: Particles, rows: np.ndarray, generator: torch.Generator
    ) -> Float[Tensor, "row y x"]:
        box_size, pixel_size = self.box_size, self.pixel_size
        transfer = particle_ctf(particles, rows, box_size=box_size, pixel_size=pixel_size)
        axes = slice_axes(particles, rows, box_size=box_size, pixel_size=pixel_size)
        spectrum = central_slices(self.source, torch.from_numpy(axes).float())
        spectrum = spectrum * transfer
        phases = aberration_phases(particles, rows, box_size=box_size, pixel_size=pixel_size)
        if phases is not None:
            spectrum = spectrum * phases
        shift_yx_px = torch.from_numpy(particles.shift_yx[rows] / pixel_size).float()
        images = image_from_rfft(shift_images(spectrum, -shift_yx_px), box_size)
        if self.noise_std > 0:
            noise = image_noise(len(rows), box_size, pixel_size, self.noise, generator)
            images = images + self.noise_std * noise
        multiplied = torch.from_numpy(particles.is_premultiplied()[rows])
        if bool(multiplied.any()):
            again = image_from_rfft(image_rfft(images) * transfer, box_size)
            images = torch.where(multiplied[:, None, None], again, images)
        return images


def simulate_images(
    volume: Float[Tensor, "n n n"],
    particles: Particles,
    *,
    snr: float | None,
    generator: torch.Generator,
    noise: NoiseKind = "white",
) -> Float[Tensor, "row n n"]:
    """Images of a map at the poses and with the optics of particles.

    Args:
        volume: The map, protein bright, with the box and pixel size of the particles.
        particles: All of one box and pixel size.
        snr: Variance of the signal in the particle's disc over that of the noise
            (`signal_variance`); None adds no noise.
        generator: Source of the noise.
        noise: Its kind.

    Raises:
        GeometryError: If the particles have other boxes than the map, or several pixel sizes.
    """
    simulator = simulator_for(volume, particles, snr=snr, noise=noise)
    return simulator.images(particles, generator)


def simulator_for(
    volume: Float[Tensor, "n n n"],
    particles: Particles,
    *,
    snr: float | None,
    noise: NoiseKind = "white",
    radius_px: float | None = None,
) -> ParticleSimulator:
    """A simulator whose noise is as strong as these particles, all or a sample of them, need."""
    pixel_size = float(particles.pixel_size()[0]) if len(particles) else 1.0
    clean = ParticleSimulator(slice_source(volume), volume.shape[-1], pixel_size)
    if snr is None or not len(particles):
        return clean
    radius = particle_radius_px(volume) if radius_px is None else radius_px
    variance = signal_variance(clean, particles, radius_px=radius)
    return replace(clean, noise_std=(variance / snr) ** 0.5, noise=noise)


def signal_variance(
    simulator: ParticleSimulator, particles: Particles, *, radius_px: float
) -> float:
    """Mean variance of noise-free images, CTF included, in the disc of the particle's radius.

    The disc is centred on the particle, so that neither the size of the box nor shifts change the
    number, and images count as they are before they are premultiplied. At most 500 rows, evenly
    spread, are measured.
    """
    rows = evenly(len(particles), _MEASURED)
    sample = particles.take(rows)
    centred = sample.with_poses(sample.rotation, np.zeros_like(sample.shift_yx))
    plain = tuple(replace(group, is_premultiplied=False) for group in sample.optics)
    clean = replace(simulator, noise_std=0.0)
    images = clean.images(replace(centred, optics=plain), torch.Generator())
    inside = images[:, disc(simulator.box_size, radius_px)]
    return float(inside.double().var(dim=1, correction=0).mean())


def disc(box_size: int, radius_px: float) -> Tensor:
    """Pixels `(y, x)` no further than `radius_px` from the centre pixel."""
    distance = torch.arange(box_size) - box_size // 2
    radius_squared = distance[:, None] ** 2 + distance**2
    return radius_squared <= max(radius_px, 1.0) ** 2


def particle_radius_px(volume: Float[Tensor, "n n n"]) -> float:
    """Radius about the centre voxel that holds 99 % of the squared density, in voxels.

    Unlike a threshold it does not ask for a grey scale, and hardly notices ripples of a filter.
    """
    distance = torch.arange(volume.shape[-1]) - volume.shape[-1] // 2
    squared = distance[:, None, None] ** 2 + distance[:, None] ** 2 + distance**2
    shell = squared.double().sqrt().ceil().long().flatten()
    power = torch.bincount(shell, weights=volume.double().flatten() ** 2)
    share = power.cumsum(0) / power.sum()
    return float(min(int((share < _WITHIN).sum()), volume.shape[-1] // 2))


def _check_grid(particles: Particles, box_size: int, pixel_size: float) -> None:
    for what, found, expected in (
        ("box size", particles.box_size(), box_size),
        ("pixel size", particles.pixel_size(), pixel_size),
    ):
        wrong = found[~np.isclose(found, expected, rtol=1e-4)]
        if len(wrong):
            raise GeometryError(
                f"particles: {len(wrong)} rows have {what} {wrong[0]:g}, the map {expected:g}; "
                "bring the map to their grid, one grid at a time"
            )
