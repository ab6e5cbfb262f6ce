"""Noise as a reconstruction has it: white in the tilt images, shaped by tilt scheme and filter."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.fourier.shells import column_weights

NoiseFilter = Literal["none", "ramp", "hamming"]


def noise_amplitude(
    measured: Float[Tensor, "z y x_half"], *, filter_name: NoiseFilter
) -> Float[Tensor, "z y x_half"]:
    """Fourier amplitude of back-projected white noise, for a cubic box.

    Tilt planes all contain the tilt axis y, so that their density falls as `1 / k` with the
    distance `k` from that axis: unweighted back-projection leaves power `1 / k`, and a filter
    `f(k)` turns it into `f(k)^2 / k` (ramp: `k`). Scaled to unit variance in real space.

    Args:
        measured: Which frequencies the tilts reach (the measured mask), rfft layout.
        filter_name: Filter of the reconstruction: none, ramp, or ramp with a Hamming window.

    References:
        Radermacher, in Electron Tomography (2006), ch. 8: weighted back-projection.
    """
    n = measured.shape[0]
    kz = torch.fft.fftfreq(n, device=measured.device)[:, None, None]
    kx = torch.fft.rfftfreq(n, device=measured.device)
    # the line on the axis itself is as wide as a voxel: half a sample away on average
    k = (kz**2 + kx**2).sqrt().clamp(min=0.5 / n)
    response = {
        "none": torch.ones_like(k),
        "ramp": k,
        "hamming": k * (0.54 + 0.46 * torch.cos(2 * torch.pi * k.clamp(max=0.5))),
    }[filter_name]
    amplitude = (response / k.sqrt() * measured.clamp(min=0).sqrt()).expand(measured.shape).clone()
    amplitude[0, 0, 0] = 0.0
    power = (amplitude**2 * column_weights(n, device=measured.device)).sum() / n**3
    scaled: Tensor = amplitude / power.sqrt()
    return scaled
