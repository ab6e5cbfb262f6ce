"""Contrast transfer function of the microscope, in RELION's sign.

Underfocus is positive and the transfer starts at `+amplitude_contrast` and first rises, so that
images of protein that were made bright (contrast inverted) keep positive density.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def electron_wavelength(voltage: float) -> float:
    """Relativistic wavelength in Å of electrons accelerated through `voltage` kV.

    References:
        Reimer & Kohl, Transmission Electron Microscopy (2008), eq. 2.5.
    """
    volts = voltage * 1e3
    return 12.2643247 / math.sqrt(volts * (1.0 + 0.978466e-6 * volts))


def ctf(
    spatial_frequency: Float[Tensor, "*grid"],
    defocus: Float[Tensor, "*#grid"] | float,
    *,
    voltage: float = 300.0,
    spherical_aberration: float = 2.7,
    amplitude_contrast: float = 0.1,
    phase_shift: float = 0.0,
    b_factor: float = 0.0,
) -> Float[Tensor, "*grid"]:
    """Transfer at each spatial frequency.

    Args:
        spatial_frequency: In 1/Å.
        defocus: In Å, positive for underfocus; a tensor broadcasts (astigmatism, depth gradient).
        voltage: In kV.
        spherical_aberration: In mm.
        amplitude_contrast: Fraction in [0, 1].
        phase_shift: Of a phase plate, in degrees.
        b_factor: Envelope `exp(-B k^2 / 4)`, in Å^2.

    References:
        Rohou & Grigorieff, J. Struct. Biol. 192 (2015), eqs 2-4; sign as in RELION's `CTF::getCTF`.
    """
    wavelength = electron_wavelength(voltage)
    k2 = spatial_frequency**2
    chi = math.pi * wavelength * defocus * k2
    chi = chi - 0.5 * math.pi * spherical_aberration * 1e7 * wavelength**3 * k2**2
    amplitude_angle = math.asin(amplitude_contrast)
    transfer = torch.sin(chi + math.radians(phase_shift) + amplitude_angle)
    if b_factor:
        transfer = transfer * torch.exp(-0.25 * b_factor * k2)
    return transfer
