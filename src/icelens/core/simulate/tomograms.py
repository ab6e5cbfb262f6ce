"""From molecules to tomograms with known truth: specimen, tilt series and reconstruction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.events import OnEvent, Progress, ignore
from icelens.core.simulate.misalignment import Misalignment
from icelens.core.simulate.reconstruction import weighted_back_projection
from icelens.core.simulate.specimen import Species, Specimen, crowd
from icelens.core.simulate.structures import random_structures
from icelens.core.simulate.tilt_series import (
    Acquisition,
    Microscope,
    counted,
    electrons_per_pixel,
    noise_free_image,
)

Split = Literal["frames", "tilts"]


@dataclass(frozen=True)
class TomogramSettings:
    """What is in the ice and how it is recorded.

    `shape` (z, y, x) is in voxels of `pixel_size` Å/px. `allow_fewer` leaves out molecules that
    find no room, instead of giving up. `split` says how the halves part the data: by frame, so that
    each half has all tilts at half the dose, or by tilt, every other one.
    """

    shape: tuple[int, int, int] = (64, 160, 160)
    pixel_size: float = 10.0
    num_particles: int = 77
    allow_fewer: bool = False
    num_membranes: int = 0
    num_gold: int = 0
    scheme: Acquisition = field(
        default_factory=lambda: Acquisition.dose_symmetric(-60.0, 60.0, 3.0, 3.0)
    )
    microscope: Microscope = field(default_factory=Microscope)
    misalignment: Misalignment = field(default_factory=Misalignment)
    split: Split = "frames"


@dataclass(frozen=True)
class SimulatedTomogram:
    """Reconstructions from two halves of the data and from all of it, with the truth.

    Density is positive in all of them, as everywhere inside the program.
    """

    even: Float[Tensor, "z y x"]
    odd: Float[Tensor, "z y x"]
    full: Float[Tensor, "z y x"]
    specimen: Specimen


def simulate_tomograms(
    species: Sequence[Species],
    settings: TomogramSettings,
    *,
    count: int = 1,
    seed: int = 1,
    on_event: OnEvent = ignore,
) -> Iterator[SimulatedTomogram]:
    """Simulate tomograms one after another; tomogram `i` depends on `seed + i` alone."""
    for index in range(count):
        generator = torch.Generator().manual_seed(seed + index)
        yield simulate_tomogram(species, settings, generator, on_event=on_event)


def simulate_tomogram(
    species: Sequence[Species],
    settings: TomogramSettings,
    generator: torch.Generator,
    *,
    on_event: OnEvent = ignore,
) -> SimulatedTomogram:
    """Simulate one tomogram; all chance comes from the generator."""
    structures = random_structures(
        settings.shape,
        settings.pixel_size,
        generator,
        num_membranes=settings.num_membranes,
        num_gold=settings.num_gold,
    )
    specimen = crowd(
        species,
        settings.shape,
        settings.num_particles,
        generator,
        structures=structures,
        allow_fewer=settings.allow_fewer,
        on_event=on_event,
    )
    images = recorded(specimen.density, settings, generator, on_event=on_event)
    return _reconstructed(images, settings, specimen)


def recorded(
    density: Float[Tensor, "z y x"],
    settings: TomogramSettings,
    generator: torch.Generator,
    *,
    on_event: OnEvent = ignore,
) -> Float[Tensor, "half tilt y x"]:
    """Record the two halves of the frames of a tilt series, each with Poisson noise of its own.

    The values are relative changes of the electron count, protein bright.
    """
    scheme, pixel_size = settings.scheme, settings.pixel_size
    num_tilts = len(scheme.tilt_angles)
    errors = settings.misalignment.tilt_errors(num_tilts, generator)
    images = density.new_zeros(2, num_tilts, *density.shape[1:])
    for index, angle in enumerate(scheme.tilt_angles):
        image = noise_free_image(
            density,
            angle + errors[index],
            pixel_size=pixel_size,
            microscope=settings.microscope,
            dose=scheme.dose_before[index] + 0.5 * scheme.dose_per_tilt,
        )
        image = settings.misalignment.applied(image, pixel_size, generator)
        electrons = electrons_per_pixel(
            0.5 * scheme.dose_per_tilt,
            angle,
            pixel_size=pixel_size,
            thickness=settings.shape[0] * pixel_size,
        )
        for half in range(2):
            images[half, index] = -counted(image, electrons, generator)
        on_event(Progress("record tilts", index + 1, num_tilts, "tilt"))
    return images


def _reconstructed(
    images: Float[Tensor, "half tilt y x"], settings: TomogramSettings, specimen: Specimen
) -> SimulatedTomogram:
    """Back-project the halves; all data together are their mean, as back-projection is linear."""
    angles, num_z = settings.scheme.tilt_angles, settings.shape[0]
    if settings.split == "frames":
        even, odd = (weighted_back_projection(half, angles, num_z=num_z) for half in images)
        return SimulatedTomogram(even, odd, 0.5 * (even + odd), specimen)
    summed = images.mean(dim=0)
    even, odd = (
        weighted_back_projection(summed[first::2], angles[first::2], num_z=num_z)
        for first in (0, 1)
    )
    num_even, num_odd = len(angles[::2]), len(angles[1::2])
    full = (num_even * even + num_odd * odd) / (num_even + num_odd)
    return SimulatedTomogram(even, odd, full, specimen)
