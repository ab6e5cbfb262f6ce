"""From molecules to tomograms with known truth: specimen, tilt series, reconstruction in one call."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.events import OnEvent, Progress, ignore
from icelens.core.simulate.reconstruction import weighted_back_projection
from icelens.core.simulate.specimen import Species, Specimen, crowd
from icelens.core.simulate.tilt_series import (
    Microscope,
    TiltScheme,
    counted,
    electrons_per_pixel,
    noise_free_image,
)


@dataclass(frozen=True)
class TomogramSettings:
    """What is recorded: `shape` (z, y, x) in voxels of `pixel_size` Å/px."""

    shape: tuple[int, int, int] = (64, 160, 160)
    pixel_size: float = 10.0
    num_particles: int = 77
    scheme: TiltScheme = field(
        default_factory=lambda: TiltScheme.dose_symmetric(-60.0, 60.0, 3.0, 3.0)
    )
    microscope: Microscope = field(default_factory=Microscope)


@dataclass(frozen=True)
class SimulatedTomogram:
    """Reconstructions from the two halves of the frames and from all, with the truth.

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
    """Simulate one tomogram, its halves by frame: two Poisson draws with half the dose each."""
    specimen = crowd(species, settings.shape, settings.num_particles, generator)
    scheme, halves = settings.scheme, ([], [])
    for index, (angle, before) in enumerate(
        zip(scheme.tilt_angles, scheme.dose_before, strict=True)
    ):
        image = noise_free_image(
            specimen.density,
            angle,
            pixel_size=settings.pixel_size,
            microscope=settings.microscope,
            dose=before + 0.5 * scheme.dose_per_tilt,
        )
        electrons = electrons_per_pixel(
            scheme.dose_per_tilt,
            angle,
            pixel_size=settings.pixel_size,
            thickness=settings.shape[0] * settings.pixel_size,
        )
        for half in halves:
            half.append(-counted(image, 0.5 * electrons, generator))
        on_event(Progress("record tilts", index + 1, len(scheme.tilt_angles), "tilt"))
    even, odd = (
        weighted_back_projection(torch.stack(half), scheme.tilt_angles, num_z=settings.shape[0])
        for half in halves
    )
    return SimulatedTomogram(even, odd, 0.5 * (even + odd), specimen)
