"""Which Fourier samples a tilt series measured, as a box of any shape and rotation sees them.

The tilt axis is y and the beam z. The projection at tilt `theta` is the plane through the y axis
and the line `(kx, kz) = (cos theta, sin theta)`, the geometry of back-projecting `u = x cos theta
+ z sin theta`. Masks are functions of the frequency vector, so that a turned mask is computed from
turned vectors: nothing is resampled, the zero frequency stays measured, Friedel mates agree.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import MetadataError
from icelens.core.optics.ctf import ctf
from icelens.core.optics.dose import dose_weight


@dataclass(frozen=True)
class TiltScheme:
    """Range of a tilt series and, where known, its single tilts.

    Attributes:
        tilt_min: Lowest tilt in degrees.
        tilt_max: Highest tilt in degrees.
        angles: Every tilt in degrees; empty if only the range is known.
        doses: Dose in e/Å^2 received before the middle of each tilt; may be empty.
        defoci: Defocus in Å of each tilt; may be empty.
        voltage: In kV, for the damage and the CTF.
        spherical_aberration: In mm.
        amplitude_contrast: Fraction.
    """

    tilt_min: float
    tilt_max: float
    angles: tuple[float, ...] = ()
    doses: tuple[float, ...] = ()
    defoci: tuple[float, ...] = ()
    voltage: float = 300.0
    spherical_aberration: float = 2.7
    amplitude_contrast: float = 0.1

    def __post_init__(self) -> None:
        """Refuse ranges and lists that no tilt series has."""
        if not -90 <= self.tilt_min < self.tilt_max <= 90:
            raise MetadataError(
                f"tilt range {self.tilt_min:g} to {self.tilt_max:g} is reversed or impossible, "
                "expected the lower angle first, both between -90 and 90 degrees"
            )
        for name, values in (("dose", self.doses), ("defocus", self.defoci)):
            if values and len(values) != len(self.angles):
                raise MetadataError(
                    f"{len(values)} {name} values for {len(self.angles)} tilts; list one for each"
                )
        if not all(math.isfinite(v) for v in (*self.angles, *self.doses, *self.defoci)):
            raise MetadataError("a tilt angle, dose or defocus is not a finite number; correct it")


def measured_mask(
    shape: tuple[int, int, int],
    scheme: TiltScheme,
    *,
    pixel_size: float = 1.0,
    rotation: Float[Tensor, "3 3"] | None = None,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "z y x_half"]:
    """Weight in [0, 1] with which each frequency of a box was measured; rfft layout.

    With a tilt range alone it is the sharp wedge. With single tilts each fills a slab as thick as
    the box is fine in Fourier space (`1 / n`, the reach of a projection of that size), weighted by
    what dose and CTF left of it relative to the best tilt at that frequency.

    Args:
        shape: Voxels of the box, not necessarily cubic.
        scheme: Range or list of tilts.
        pixel_size: In Å/px; only dose and CTF depend on it.
        rotation: If given, the mask of a box that was turned by it: `M'(k) = M(rotation^T k)`.
        device: Where to compute.
    """
    vectors = _frequency_vectors(shape, device)
    # a sample on a Nyquist plane stands for +1/2 and -1/2: average what both would be given
    mirrored = torch.where(vectors.abs() == 0.5, -vectors, vectors)
    weights = []
    for candidate in (vectors, mirrored):
        turned = candidate
        if rotation is not None:
            turned = torch.einsum("ij,jzyx->izyx", rotation.to(candidate).T, candidate)
        weights.append(_weight(turned, scheme, shape, pixel_size))
    mask = (weights[0] + weights[1]) / 2
    mask[0, 0, 0] = 1.0
    return mask


def _frequency_vectors(
    shape: tuple[int, int, int], device: torch.device | str
) -> Float[Tensor, "3 z y x_half"]:
    """Frequencies (x, y, z) in cycles/px of a half transform, not shifted."""
    nz, ny, nx = shape
    kz, ky, kx = torch.meshgrid(
        torch.fft.fftfreq(nz, dtype=torch.float64),
        torch.fft.fftfreq(ny, dtype=torch.float64),
        torch.fft.rfftfreq(nx, dtype=torch.float64),
        indexing="ij",
    )
    return torch.stack([kx, ky, kz]).float().to(device)


def _weight(
    vectors: Float[Tensor, "3 z y x_half"],
    scheme: TiltScheme,
    shape: tuple[int, int, int],
    pixel_size: float,
) -> Float[Tensor, "z y x_half"]:
    if scheme.angles:
        return _slabs(vectors, scheme, shape, pixel_size)
    kx, _, kz = vectors.unbind(0)
    # fold to the half plane kx >= 0; on the beam axis itself the angle is 90, beyond every tilt
    angle = torch.rad2deg(torch.atan2(torch.where(kx < 0, -kz, kz), kx.abs()))
    angle = torch.where((kx.abs() < 1e-7) & (kz.abs() > 1e-7), torch.full_like(angle, 90.0), angle)
    slack = 1e-4  # degrees: a sample on the very edge is measured, whatever the rounding
    inside = (angle >= scheme.tilt_min - slack) & (angle <= scheme.tilt_max + slack)
    on_axis = (kx.abs() < 1e-7) & (kz.abs() < 1e-7)
    return (inside | on_axis).float()


def _slabs(
    vectors: Float[Tensor, "3 z y x_half"],
    scheme: TiltScheme,
    shape: tuple[int, int, int],
    pixel_size: float,
) -> Float[Tensor, "z y x_half"]:
    """Sum of the tilts' slabs, no more than one."""
    kx, _, kz = vectors.unbind(0)
    # a grid finer than the box's own: 1D curves over |k|, then looked up
    radius = vectors.norm(dim=0)
    table = _tilt_quality(scheme, pixel_size).to(vectors)
    position = radius / (0.5 * math.sqrt(3.0)) * (table.shape[1] - 1)
    index = position.round().long().clamp(max=table.shape[1] - 1)
    reach = 1.0 / min(shape[0], shape[2])
    total = torch.zeros_like(kx)
    for angle, quality in zip(scheme.angles, table, strict=True):
        theta = math.radians(angle)
        distance = (kz * math.cos(theta) - kx * math.sin(theta)).abs()
        total = total + (1.0 - distance / reach).clamp(min=0.0) * quality[index]
    return total.clamp(max=1.0)


def _tilt_quality(
    scheme: TiltScheme, pixel_size: float, samples: int = 256
) -> Float[Tensor, "tilt sample"]:
    """What dose and CTF leave of each tilt at each |k|, relative to the best tilt there."""
    frequency = torch.linspace(0.0, 0.5 * math.sqrt(3.0), samples) / pixel_size
    quality = torch.ones(len(scheme.angles), samples)
    for tilt in range(len(scheme.angles)):
        if scheme.doses:
            quality[tilt] *= dose_weight(frequency, scheme.doses[tilt], voltage=scheme.voltage)
        if scheme.defoci:
            transfer = ctf(
                frequency,
                scheme.defoci[tilt],
                voltage=scheme.voltage,
                spherical_aberration=scheme.spherical_aberration,
                amplitude_contrast=scheme.amplitude_contrast,
            )
            quality[tilt] *= transfer**2
    return quality / quality.amax(0, keepdim=True).clamp(min=1e-6)
