"""What radiation leaves of the signal: the critical dose curve and its weights."""

import torch
from jaxtyping import Float
from torch import Tensor


def critical_dose(
    spatial_frequency: Float[Tensor, "*grid"], *, voltage: float
) -> Float[Tensor, "*grid"]:
    """Dose in e/Å^2 after which the signal at a frequency (1/Å) has fallen to 1/e in power.

    References:
        Grant & Grigorieff, eLife 4 (2015), eq. 3 (300 kV); 0.8 times that at 200 kV, ibid.
    """
    k = spatial_frequency.clamp(min=1e-6)  # at zero nothing fades, and nothing is infinite
    curve: Tensor = 0.24499 * k**-1.6649 + 2.8141
    return curve * (1.0 if voltage > 250 else 0.8)


def dose_weight(
    spatial_frequency: Float[Tensor, "*grid"], dose: float, *, voltage: float
) -> Float[Tensor, "*grid"]:
    """Amplitude that is left after `dose` e/Å^2: `exp(-dose / (2 critical_dose))`."""
    return torch.exp(-dose / (2.0 * critical_dose(spatial_frequency, voltage=voltage)))
