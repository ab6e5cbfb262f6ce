"""Weighted back-projection of a tilt series: the plain reconstruction every package offers."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.simulate.projection import back_project, upsample_detector

_PLANES = 8


def weighted_back_projection(
    images: Float[Tensor, "tilt y x"],
    tilt_angles: Sequence[float],
    *,
    num_z: int,
    soft_from: float = 0.4,
) -> Float[Tensor, "{num_z} y x"]:
    """Reconstruct a tomogram; scratch memory is the upsampled images and a few planes.

    Args:
        images: Aligned tilt images, tilt axis along y, in the contrast wanted of the tomogram.
        tilt_angles: In degrees, one for each image.
        num_z: Thickness of the tomogram in voxels.
        soft_from: Frequency in cycles/px from where the ramp falls to zero at Nyquist (Hann).

    References:
        Radermacher, in Electron Tomography (2006), weighted back-projection with a ramp.
    """
    num_tilts, num_y, num_x = images.shape
    fine = torch.stack([upsample_detector(ramp_filtered(image, soft_from)) for image in images])
    tomogram = images.new_zeros(num_z, num_y, num_x)
    for start in range(0, num_z, _PLANES):
        planes = tomogram[start : start + _PLANES]
        for image, angle in zip(fine, tilt_angles, strict=True):
            planes += back_project(image, angle, planes=planes, start=start, num_z=num_z)
    return tomogram / num_tilts


def ramp_filtered(image: Float[Tensor, "y x"], soft_from: float = 0.4) -> Float[Tensor, "y x"]:
    """Weigh frequencies across the tilt axis by `|f_x|`, which undoes the crowding of slices there.

    The image is mirrored at its left and right edge, so that a step between them leaves no trace.
    """
    num_x = image.shape[-1]
    mirrored = torch.cat([image, image.flip(-1)], dim=-1)
    frequency = torch.fft.rfftfreq(2 * num_x, device=image.device)
    fall = ((frequency - soft_from) / (0.5 - soft_from)).clamp(0.0, 1.0)
    ramp = frequency * (0.5 + 0.5 * torch.cos(math.pi * fall))
    # Half a sample, not zero: the mean density survives (Kak & Slaney 1988, eq. 3.61).
    ramp[0] = 0.25 * frequency[1]
    filtered: Tensor = torch.fft.irfft(torch.fft.rfft(mirrored) * ramp, n=2 * num_x)
    return filtered[..., :num_x]
