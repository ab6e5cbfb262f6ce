"""Translate square images by any fraction of a pixel: a phase ramp over their transforms."""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.errors import GeometryError


def shift_images(
    image_rfft: Complex[Tensor, "*batch n n_half"], shift_yx_px: Float[Tensor, "*batch 2"]
) -> Complex[Tensor, "*batch n n_half"]:
    """Half transforms of images translated by `+shift_yx_px`, as on a ring.

    What was at pixel `p` lies at `p + shift` afterwards. The Nyquist row and column of an even box
    cannot tell the direction of a shift; they get the ramp of the negative and the positive one.

    Args:
        image_rfft: Of square images, in the order of `rfftn`; any phase origin.
        shift_yx_px: In pixels, y first.

    Raises:
        GeometryError: If the half transform is not that of a square image.
    """
    box_size, half = image_rfft.shape[-2:]
    if half != box_size // 2 + 1:
        raise GeometryError(
            f"a half transform of {box_size} x {half} samples is not that of a square image, "
            f"expected {box_size} x {box_size // 2 + 1}"
        )
    device, dtype = image_rfft.device, image_rfft.real.dtype
    y = torch.fft.fftfreq(box_size, device=device, dtype=dtype)
    x = torch.fft.rfftfreq(box_size, device=device, dtype=dtype)
    angle_rad = -2.0 * math.pi * shift_yx_px.to(image_rfft.real)
    ramp_y = _unit(angle_rad[..., 0, None] * y)
    ramp_x = _unit(angle_rad[..., 1, None] * x)
    return image_rfft * ramp_y[..., :, None] * ramp_x[..., None, :]


def _unit(phase: Float[Tensor, "*batch n"]) -> Complex[Tensor, "*batch n"]:
    return torch.complex(torch.cos(phase), torch.sin(phase))
