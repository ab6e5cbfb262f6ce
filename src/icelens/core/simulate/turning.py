"""Turn the density of a molecule, with little loss below Nyquist."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

# Voxels weaker than this part of the maximum do not count towards a molecule's reach.
_FAINT = 0.02


def rotated(
    fine: Float[Tensor, "m m m"],
    rotation: Float[Tensor, "3 3"],
    offset_zyx: Float[Tensor, "3"],
) -> Float[Tensor, "n n n"]:
    """Turn a density about its centre voxel and shift it by a part of a voxel.

    Args:
        fine: From `prepared`: sampled twofold, which makes linear interpolation good enough.
        rotation: `x_turned = rotation @ x_reference`.
        offset_zyx: Shift in voxels of the result.
    """
    box_size = fine.shape[0] // 2
    axis = torch.arange(box_size, dtype=torch.float32) - box_size // 2
    grid_zyx = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1) - offset_zyx
    # x_turned = R x_reference, so the value at x_turned comes from R^T x_turned: rows times R.
    index_xyz = 2.0 * (grid_zyx.flip(-1) @ rotation + box_size // 2)
    normal = 2.0 * index_xyz / (2 * box_size - 1) - 1.0
    return torch.nn.functional.grid_sample(
        fine[None, None], normal[None], mode="bilinear", padding_mode="zeros", align_corners=True
    )[0, 0]


def prepared(density: Float[Tensor, "z y x"]) -> Float[Tensor, "m m m"]:
    """Put a density into the smallest cube that holds it in any orientation, sampled twofold.

    Both centres are voxel `n // 2`; values between voxels are interpolated in Fourier space.
    """
    centre = torch.tensor([n // 2 for n in density.shape])
    reach = (torch.nonzero(density > _FAINT * density.max()) - centre).float().norm(dim=1).max()
    half = math.ceil(float(reach)) + 2
    pads: list[int] = []
    for n in reversed(density.shape):
        pads += [half - n // 2, half - (n - n // 2)]
    spectrum = torch.fft.fftshift(torch.fft.fftn(torch.nn.functional.pad(density, pads)))
    wide = torch.nn.functional.pad(spectrum, [half, half] * 3)
    fine: Tensor = torch.fft.ifftn(torch.fft.ifftshift(wide)).real * 8.0
    return fine
