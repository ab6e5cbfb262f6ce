"""What the images themselves say about their noise and about the reference's amplitudes.

A sample of the particles is refined with the noise measured around them. Their residuals then give
the noise, and the share of the reference that they show gives, shell by shell, its amplitude: maps
that were sharpened, or are wrong beyond some resolution, lose the weight they do not deserve.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.fourier.filters import apply_filter
from icelens.core.fourier.shift import shift_images
from icelens.core.fourier.slices import central_slices, slice_source
from icelens.core.fourier.transforms import image_from_rfft
from icelens.core.optics.correction import radial
from icelens.core.optics.image_source import ImageSource
from icelens.core.optics.particle_ctf import slice_axes
from icelens.core.refinement.noise import amplitude_profile, noise_spectrum, shell_means
from icelens.core.refinement.pass_over import refine_rows
from icelens.core.refinement.pose_table import PoseTable
from icelens.core.refinement.refiner import Refiner
from icelens.core.refinement.refiner_settings import RefinerSettings

Integers = npt.NDArray[np.int64]

_SAMPLE = 400
"""Images that are measured for each optics group."""
_AT_ONCE = 64
_LEAST_SAMPLE = 100
"""An optics group with fewer images shares the noise of the others on its grid."""


@dataclass(frozen=True)
class ImageGrid:
    """What the images of one refiner share: side in px, Å/px and anisotropic magnification."""

    box_size: int
    pixel_size: float
    magnification: tuple[float, float, float, float]

    @staticmethod
    def of(group: OpticsGroup) -> "ImageGrid":
        """The grid of an optics group."""
        return ImageGrid(group.box_size, group.pixel_size, group.magnification)


def sample_of(rows: Integers, num: int = _SAMPLE) -> Integers:
    """At most `num` of the rows, evenly spread."""
    places = np.linspace(0, len(rows) - 1, min(len(rows), num)).round().astype(np.int64)
    return rows[np.unique(places)]


def grouped_rows(particles: Particles, rows: Integers) -> dict[int, Integers]:
    """Rows of each optics group that occurs."""
    index = particles.optics_index[rows]
    return {int(group): rows[index == group] for group in np.unique(index)}


def refiner_on(
    reference: Float[Tensor, "n n n"],
    grid: ImageGrid,
    source: ImageSource,
    groups: dict[int, Integers],
    settings: RefinerSettings,
    *,
    match_amplitudes: bool,
) -> dict[int, Refiner]:
    """Refiners of the optics groups of one grid; they share the reference's tables.

    Args:
        reference: Map on that grid.
        grid: Box, pixel size and magnification.
        source: The images.
        groups: Rows of each optics group of the grid.
        settings: The search.
        match_amplitudes: Give the reference the amplitudes that the images show.
    """
    samples = {group: sample_of(rows) for group, rows in groups.items()}
    first = _noise_around(source, samples, grid, settings)
    refiner = Refiner(
        reference,
        pixel_size=grid.pixel_size,
        noise_power=next(iter(first.values())),
        settings=settings,
        magnification=grid.magnification,
        device=source.device,
    )
    refiners = {group: refiner.with_noise(power) for group, power in first.items()}
    measured = _measured(reference, refiners, source, samples)
    noise, profile = measured.noise, measured.profile
    if match_amplitudes:
        # where nothing of the reference shows, a little keeps the slices from being empty
        weight = (profile / profile.max().clamp(min=1e-30)).clamp(min=1e-3)
        matched = apply_filter(reference, radial(weight.to(reference), (grid.box_size,) * 3))
        refiner = Refiner(
            matched,
            pixel_size=grid.pixel_size,
            noise_power=next(iter(noise.values())),
            settings=settings,
            magnification=grid.magnification,
            device=source.device,
        )
    return {group: refiner.with_noise(power) for group, power in noise.items()}


@dataclass(frozen=True, eq=False)
class Measured:
    """Noise of each optics group, and the share of the reference that images show."""

    noise: dict[int, Float[Tensor, " shell"]]
    profile: Float[Tensor, " shell"]


def _noise_around(
    source: ImageSource, samples: dict[int, Integers], grid: ImageGrid, settings: RefinerSettings
) -> dict[int, Float[Tensor, " shell"]]:
    diameter = settings.mask_diameter
    diameter_px = None if diameter is None else diameter / grid.pixel_size
    noise = {}
    for group, rows in samples.items():
        spectra = [
            source.read(rows[start : start + _AT_ONCE])[0]
            for start in range(0, len(rows), _AT_ONCE)
        ]
        images = image_from_rfft(torch.cat(spectra), grid.box_size)
        noise[group] = noise_spectrum(images, diameter_px)
    return noise


def _measured(
    reference: Float[Tensor, "n n n"],
    refiners: dict[int, Refiner],
    source: ImageSource,
    samples: dict[int, Integers],
) -> Measured:
    """Refine the samples, and compare the images with slices at the poses found."""
    rows = np.concatenate(list(samples.values()))
    poses = PoseTable.unrefined(source.particles, 1)
    refine_rows(refiners, source, rows, poses, top_k=1, on_done=lambda done: None)
    found = replace(
        source,
        particles=source.particles.with_poses(poses.rotation[:, 0], poses.shift_yx[:, 0]),
    )
    padded = slice_source(reference.to(source.device))
    compared = {group: _compared(found, padded, chosen) for group, chosen in samples.items()}
    weight = torch.tensor([float(len(chosen)) for chosen in samples.values()])
    profile = _mean([each[0] for each in compared.values()], weight)
    shared = _mean([each[1] for each in compared.values()], weight)
    noise = {
        group: power if len(samples[group]) >= _LEAST_SAMPLE else shared
        for group, (_, power) in compared.items()
    }
    return Measured({group: _positive(power) for group, power in noise.items()}, profile)


def _compared(
    found: ImageSource, padded: Complex[Tensor, "m m m_half"], rows: Integers
) -> tuple[Float[Tensor, " shell"], Float[Tensor, " shell"]]:
    """Share of the reference in some images, and power of what it leaves of them."""
    particles = found.particles
    box_size = int(particles.box_size()[rows[0]])
    pixel_size = float(particles.pixel_size()[rows[0]])
    parts = []
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        spectrum, transfer = found.read(part)
        shift = torch.from_numpy(particles.shift_yx[part] / pixel_size).float()
        axes = slice_axes(particles, part, box_size=box_size, pixel_size=pixel_size)
        slices = central_slices(padded, torch.from_numpy(axes).float().to(found.device))
        parts.append((shift_images(spectrum, shift.to(found.device)), transfer * slices))
    images, models = (torch.cat(each) for each in zip(*parts, strict=True))
    profile = amplitude_profile(images, models, box_size)
    rest = images - radial(profile, (1, box_size, box_size))[0] * models
    return profile, shell_means(rest.abs().square().mean(0), box_size)


def _mean(
    curves: list[Float[Tensor, " shell"]], weight: Float[Tensor, " curve"]
) -> Float[Tensor, " shell"]:
    share = (weight / weight.sum()).to(curves[0])
    return (torch.stack(curves) * share[:, None]).sum(0)


def _positive(power: Float[Tensor, " shell"]) -> Float[Tensor, " shell"]:
    """Images without noise leave no residual; the likelihood still needs some."""
    power = power.clone()
    power[0] = power[1]
    return power.clamp(min=max(1e-6 * float(power.max()), 1e-30))
