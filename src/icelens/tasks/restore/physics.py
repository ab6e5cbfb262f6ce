"""What microscope and tilt scheme did to one tomogram, on the grid of a training box."""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.fourier.filters import clip_first_peak, wiener_curve
from icelens.core.optics.ctf import ctf
from icelens.core.optics.missing_wedge import TiltScheme


@dataclass(frozen=True)
class Transfer:
    """How the CTF enters training; see `CtfMode` for what each mode does with it."""

    mode: str
    is_phase_flipped: bool
    phase_flip_input: bool
    b_factor: float
    clip_first_peak: int
    snr_falloff: float
    deconvolution_strength: float
    highpass_nyquist: float
    isonet2_exact: bool


@dataclass(frozen=True)
class Physics:
    """Masks and curves of one tomogram for boxes of `box_size`; all half transforms, on `device`."""

    tilts: TiltScheme
    box_size: int
    pixel_size: float
    defocus: float
    voltage: float
    spherical_aberration: float
    amplitude_contrast: float
    transfer_settings: Transfer
    device: torch.device
    _turned: dict[bytes, Tensor] = field(default_factory=dict, repr=False)
