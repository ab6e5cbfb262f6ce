"""The convolution of a one-channel image as a matrix product over its 27 neighbours.

PyTorch hands a float32 image that is alone in its batch to its slow path on a CPU, whose result is
not channels-last: every layer above then copies. Two convolutions of one image share the taps.
"""

from itertools import product

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import GeometryError


def are_taps_faster(image: Tensor) -> bool:
    """Say whether this image is better convolved by its taps: float32 on a CPU, one channel."""
    return (
        image.device.type == "cpu"
        and image.dtype == torch.float32
        and image.shape[1] == 1
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


def gather_taps(
    image: Float[Tensor, "batch 1 z y x"], stride: int
) -> Float[Tensor, "batch 27 z_out y_out x_out"]:
    """Give every `stride`-th voxel its 27 neighbours, zero outside.

    Raises:
        GeometryError: If the sides are no multiples of the stride.
    """
    batch, _, *sides = image.shape
    if any(side % stride for side in sides):
        raise GeometryError(
            f"an image of (z, y, x) = {tuple(sides)} voxels cannot be read in steps of {stride}; "
            f"each side must be a multiple of {stride}"
        )
    padded = F.pad(image[:, 0], (1, 1, 1, 1, 1, 1))
    z, y, x = sides
    taps = image.new_empty(batch, 27, *(side // stride for side in sides))
    for tap, (a, b, c) in enumerate(product(range(3), repeat=3)):
        taps[:, tap] = padded[:, a : a + z : stride, b : b + y : stride, c : c + x : stride]
    return taps


def convolve_taps(
    taps: Float[Tensor, "batch 27 z y x"],
    weight: Float[Tensor, "out 1 3 3 3"],
    bias: Float[Tensor, " out"],
) -> Float[Tensor, "batch out z y x"]:
    """Equal `conv3d(image, weight, bias, stride, padding=1)` of the image with these taps."""
    batch, _, z, y, x = taps.shape
    kernel = weight.reshape(len(weight), 27).t().expand(batch, -1, -1)
    voxels = torch.baddbmm(bias, taps.flatten(2).transpose(1, 2), kernel)
    return voxels.view(batch, z, y, x, -1).permute(0, 4, 1, 2, 3)
