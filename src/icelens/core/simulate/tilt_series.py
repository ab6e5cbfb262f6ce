"""Image a specimen in the microscope: projection, contrast transfer, beam damage, shot noise."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.optics.ctf import ctf
from icelens.core.optics.dose import dose_weight
from icelens.core.simulate.projection import project

# Weak phase contrast of density 1 at 300 kV. Solid protein, 3 V over ice, would give 2 * 6.53e-4
# rad/(V Å) * 3 V = 0.0039; 0.55 of it gives tilt images of 3 e/Å^2 in 10 Å pixels a signal-to-noise
# ratio of 0.5 at 0 and 0.3 at 60 degrees (variances, 13 % occupancy).
CONTRAST_PER_ANGSTROM = 0.00215
# Electrons that scatter inelastically are filtered out: mean free path in ice at 300 kV, in Å.
MEAN_FREE_PATH = 3000.0
# Specimen whose depths differ less than this shares one defocus: phase error < 0.03 rad at 20 Å.
_SLAB_THICKNESS = 300.0


@dataclass(frozen=True)
class Acquisition:
    """Which angles are recorded, in which order, with how many electrons.

    `tilt_angles` (degrees) ascend; `dose_before` holds the e/Å² each image finds already spent.
    """

    tilt_angles: tuple[float, ...]
    dose_before: tuple[float, ...]
    dose_per_tilt: float

    @classmethod
    def dose_symmetric(
        cls, tilt_min: float, tilt_max: float, tilt_step: float, dose_per_tilt: float
    ) -> "Acquisition":
        """Record from the smallest angle outwards, alternating sides (Hagen et al. 2017)."""
        count = math.floor((tilt_max - tilt_min) / tilt_step + 1e-6) + 1
        angles = tuple(tilt_min + tilt_step * index for index in range(count))
        order = sorted(range(count), key=lambda index: (abs(angles[index]), -angles[index]))
        spent = [0.0] * count
        for rank, index in enumerate(order):
            spent[index] = rank * dose_per_tilt
        return cls(angles, tuple(spent), dose_per_tilt)


@dataclass(frozen=True)
class Microscope:
    """Optics and strength of contrast: `voltage` kV, `spherical_aberration` mm, `defocus` Å."""

    voltage: float = 300.0
    spherical_aberration: float = 2.7
    amplitude_contrast: float = 0.1
    defocus: float = 35000.0
    contrast: float = 1.0
    hand: int = -1
    """-1: specimen nearer to the source is less defocused; +1 the other way."""


def noise_free_image(
    density: Float[Tensor, "z y x"],
    tilt_angle: float,
    *,
    pixel_size: float,
    microscope: Microscope,
    dose: float,
) -> Float[Tensor, "y x"]:
    """Relative change of the electron count at each pixel, before noise; protein is dark.

    Args:
        density: Protein = 1, ice = 0.
        tilt_angle: In degrees.
        pixel_size: In Å/px.
        microscope: Optics.
        dose: Electrons per Å² that the specimen has taken, for beam damage.
    """
    num_z, num_y, num_x = density.shape
    margin = _margin(pixel_size, microscope)
    edges, defocus = _slabs(num_z, num_x, tilt_angle, pixel_size, microscope)
    width = num_x + 2 * margin
    slabs = project(density, tilt_angle, width=width, slab_edges=edges.to(density))
    slabs = torch.nn.functional.pad(slabs, (0, 0, margin, margin))
    frequency = _frequency_grid(slabs.shape[-2:], pixel_size, density)
    spectrum = torch.zeros_like(frequency, dtype=torch.complex64)
    for slab, slab_defocus in zip(slabs, defocus, strict=True):
        transfer = ctf(
            frequency,
            slab_defocus,
            voltage=microscope.voltage,
            spherical_aberration=microscope.spherical_aberration,
            amplitude_contrast=microscope.amplitude_contrast,
        )
        spectrum = spectrum + torch.fft.rfft2(slab) * transfer
    spectrum = spectrum * dose_weight(frequency, dose, voltage=microscope.voltage)
    image = torch.fft.irfft2(spectrum, s=slabs.shape[-2:])
    image = image[margin : margin + num_y, margin : margin + num_x]
    dark: Tensor = -CONTRAST_PER_ANGSTROM * pixel_size * microscope.contrast * image
    return dark


def electrons_per_pixel(
    dose: float, tilt_angle: float, *, pixel_size: float, thickness: float
) -> float:
    """Elastic electrons that reach one pixel through ice of `thickness` Å, tilted."""
    path = thickness / math.cos(math.radians(tilt_angle))
    return dose * pixel_size**2 * math.exp(-path / MEAN_FREE_PATH)


def counted(
    image: Float[Tensor, "y x"], electrons: float, generator: torch.Generator
) -> Float[Tensor, "y x"]:
    """Count electrons with Poisson noise, and return the relative change of the count."""
    rate = (electrons * (1.0 + image)).clamp_min(0.0)
    return torch.poisson(rate, generator=generator) / electrons - 1.0


def _margin(pixel_size: float, microscope: Microscope) -> int:
    """Pixels that the transfer spreads a point at Nyquist: `lambda * defocus * k`, and a little."""
    return 8 + math.ceil(0.02 * microscope.defocus / (2.0 * pixel_size) / pixel_size)


def _slabs(
    num_z: int, num_x: int, tilt_angle: float, pixel_size: float, microscope: Microscope
) -> tuple[Float[Tensor, " edge"], list[float]]:
    """Edges of the slabs of depth in voxels, and the defocus in the middle of each."""
    angle = math.radians(tilt_angle)
    depth = pixel_size * (num_z * abs(math.cos(angle)) + num_x * abs(math.sin(angle)))
    count = max(1, math.ceil(depth / _SLAB_THICKNESS))
    edges = torch.linspace(-depth / 2, depth / 2, count + 1)
    middles = 0.5 * (edges[1:] + edges[:-1])
    return edges[1:-1] / pixel_size, (microscope.defocus + microscope.hand * middles).tolist()


def _frequency_grid(
    shape: tuple[int, ...], pixel_size: float, like: Tensor
) -> Float[Tensor, "y x_half"]:
    """Spatial frequency in 1/Å of each coefficient of a 2D half transform."""
    y = torch.fft.fftfreq(shape[0], d=pixel_size, device=like.device)
    x = torch.fft.rfftfreq(shape[1], d=pixel_size, device=like.device)
    return torch.hypot(y[:, None], x[None, :])
