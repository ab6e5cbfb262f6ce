"""The transfer that a network's answer is compared through, and radial curves laid on boxes."""

from jaxtyping import Float
from torch import Tensor

from icelens.core.fourier.filters import b_factor_envelope, clip_first_peak
from icelens.core.fourier.frequencies import Shape, frequency_radius


def transfer_curve(
    spatial_frequency: Float[Tensor, " sample"],
    transfer: Float[Tensor, " sample"],
    *,
    b_factor: float = 0.0,
    clip_first_peak_mode: int = 0,
    absolute: bool = True,
    isonet2_exact: bool = False,
) -> Float[Tensor, " sample"]:
    """Turn a CTF into the transfer that training applies: first peak changed, envelope once.

    Args:
        spatial_frequency: In 1/Å.
        transfer: CTF there, without envelope (`icelens.core.optics.ctf.ctf`).
        b_factor: Of the envelope, in Å^2.
        clip_first_peak_mode: See `clip_first_peak`.
        absolute: Take amplitudes only, for data whose phases were flipped.
        isonet2_exact: Multiply by the envelope before and after the peak is changed, as IsoNet2
            does: twice beyond the first peak. Its frequency axis, stretched by a sample, is not
            reproduced.

    References:
        Liu et al., IsoNet2: envelope `exp(-B k^2 / 4)`.
    """
    envelope = b_factor_envelope(spatial_frequency, b_factor)
    curve = transfer.abs() if absolute else transfer
    if isonet2_exact:
        curve = curve * envelope
    return clip_first_peak(curve, clip_first_peak_mode) * envelope


def radial(
    curve: Float[Tensor, " sample"], shape: Shape, *, last_frequency: float = 0.5
) -> Float[Tensor, "z y x_half"]:
    """Lay a curve over the half transform of a box of any shape.

    Args:
        curve: Values at equal steps from frequency zero to `last_frequency`, both included; linear
            in between, the last one beyond (in the corners).
        shape: Voxels of the box in real space.
        last_frequency: Of the last value, in cycles/px; the Nyquist frequency if left out.
    """
    last = len(curve) - 1
    radius = frequency_radius(shape, device=curve.device)
    position = (radius * (last / last_frequency)).clamp(max=last)
    base = position.long().clamp(max=max(0, last - 1))
    values = curve[base]
    return values + (curve[(base + 1).clamp(max=last)] - values) * (position - base)
