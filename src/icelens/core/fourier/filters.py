"""Radial filters as curves over frequency: pass bands, B-factor, first peak of the CTF, Wiener.

A curve becomes a filter of a box of any shape through `icelens.core.optics.correction.radial`.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import MetadataError


def apply_filter(
    volume: Float[Tensor, "*batch z y x"], weight: Float[Tensor, "*#batch #z #y #x_half"]
) -> Float[Tensor, "*batch z y x"]:
    """Multiply the half transform of volumes by a weight; shape and grid stay as they are."""
    axes = (-3, -2, -1)
    spectrum = torch.fft.rfftn(volume, dim=axes) * weight
    filtered: Tensor = torch.fft.irfftn(spectrum, s=volume.shape[-3:], dim=axes)
    return filtered


def low_pass(
    spatial_frequency: Float[Tensor, "*grid"], resolution: float, *, edge: float = 0.1
) -> Float[Tensor, "*grid"]:
    """Keep what is coarser than `resolution` Å; the cosine edge ends there.

    Args:
        spatial_frequency: In 1/Å.
        resolution: In Å; nothing finer is kept.
        edge: Width of the edge, as a fraction of the limiting spatial frequency.
    """
    limit = 1.0 / resolution
    position = ((spatial_frequency - (1.0 - edge) * limit) / (edge * limit)).clamp(0.0, 1.0)
    return 0.5 + 0.5 * torch.cos(math.pi * position)


def high_pass(
    spatial_frequency: Float[Tensor, "*grid"], resolution: float, *, edge: float = 0.1
) -> Float[Tensor, "*grid"]:
    """Keep what is finer than `resolution` Å: one minus `low_pass`."""
    return 1.0 - low_pass(spatial_frequency, resolution, edge=edge)


def b_factor_envelope(
    spatial_frequency: Float[Tensor, "*grid"], b_factor: float
) -> Float[Tensor, "*grid"]:
    """Amplitude `exp(-B k^2 / 4)` that is left of a frequency `k`.

    In real space it blurs by a Gaussian whose standard deviation is `sqrt(B / 2) / (2 pi)` Å.

    Args:
        spatial_frequency: In 1/Å.
        b_factor: In Å^2; negative sharpens.
    """
    return torch.exp(-0.25 * b_factor * spatial_frequency**2)


def clip_first_peak(curve: Float[Tensor, " sample"], mode: int) -> Float[Tensor, " sample"]:
    """Change a CTF curve below its first peak, where it transfers little of the mass.

    With `p` the index of the first local maximum of `|curve|` and `P` its value, samples `i < p`
    become: mode 0, what they are; 1, `P`; 2, `max(curve, P (1 - sin(pi i / 2p)))`;
    3, `max(curve, P cos(pi i / 2p))`. A curve without a maximum stays as it is.

    Raises:
        MetadataError: If there is no such mode.

    References:
        The modes of IsoNet2's `clip_first_peak_mode`.
    """
    if mode not in (0, 1, 2, 3):
        raise MetadataError(f"first-peak mode {mode} is unknown, expected 0, 1, 2 or 3")
    peak = _first_peak(curve.abs())
    if mode == 0 or peak is None:
        return curve
    height = curve[peak]
    below = curve[:peak]
    phase = 0.5 * math.pi * torch.arange(peak, device=curve.device).to(curve) / peak
    raised = {
        1: height.expand_as(below),
        2: torch.maximum(below, height * (1.0 - torch.sin(phase))),
        3: torch.maximum(below, height * torch.cos(phase)),
    }[mode]
    return torch.cat([raised, curve[peak:]])


def wiener_curve(
    transfer: Float[Tensor, " sample"],
    frequency_fraction_of_nyquist: Float[Tensor, " sample"],
    pixel_size: float,
    *,
    snr_falloff: float,
    strength: float,
    highpass_nyquist: float,
) -> Float[Tensor, " sample"]:
    """Deconvolve a transfer with a signal-to-noise ratio that falls off exponentially.

    `W = CTF / (CTF^2 + 1 / SNR)`, `SNR(x) = exp(-100 falloff x / pixel_size) 10^strength hp(x)
    + 1e-6`, `hp(x) = 1 - cos(pi min(1, x / highpass_nyquist))`, x the fraction of Nyquist.

    Args:
        transfer: CTF at each sample, signed, or absolute if phases were flipped before.
        frequency_fraction_of_nyquist: x of each sample, in [0, 1].
        pixel_size: In Å/px.
        snr_falloff: Larger values trust high frequencies less; 0 trusts all alike.
        strength: Decimal logarithm of the ratio at low frequency.
        highpass_nyquist: Fraction of Nyquist below which the ratio fades; 0 keeps all.

    References:
        Tegunov & Cramer, Nat. Methods 16 (2019), deconvolution in Warp; with IsoNet2's constants.
    """
    x = frequency_fraction_of_nyquist
    rise = (x / highpass_nyquist).clamp(max=1.0) if highpass_nyquist > 0 else torch.ones_like(x)
    snr = torch.exp(-100.0 * snr_falloff * x / pixel_size) * 10.0**strength
    snr = snr * (1.0 - torch.cos(math.pi * rise)) + 1e-6
    curve: Tensor = transfer / (transfer**2 + 1.0 / snr)
    return curve


def _first_peak(curve: Float[Tensor, " sample"]) -> int | None:
    """Index of the first sample that is not below the one before and above the one after."""
    is_peak = (curve[1:-1] >= curve[:-2]) & (curve[1:-1] > curve[2:])
    found = is_peak.nonzero()
    return int(found[0]) + 1 if len(found) else None
