"""Convolutions of side three that give what `conv3d` gives, along whichever path is fastest.

Two facts about PyTorch on a CPU decide: it leaves oneDNN for a plain matrix product, up to four
times slower, when one small float32 map is alone in its batch; and a convolution to one channel
costs as much as one to sixteen, unless it is written as a matrix product over the 27 taps.
"""

from collections.abc import Sequence
from itertools import product

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

KERNEL_SIDE = 3
"""Of every convolution here."""
ONEDNN_MIN_VALUES = 20480
"""ATen's `use_mkldnn` (Convolution.cpp) sends a batch of one to the slow path up to this many
values of channel x z x y; it does not look at the length along x."""


def convolve_same(
    features: Float[Tensor, "batch channel z y x"],
    weight: Float[Tensor, "out channel 3 3 3"],
    bias: Float[Tensor, " out"] | None = None,
) -> Float[Tensor, "batch out z y x"]:
    """Convolve with zero padding of one; equals `conv3d(features, weight, bias, padding=1)`.

    A single small map on a CPU is handed over as two halves that overlap by two planes: each half
    computes only its own planes, so no work is added, and a batch of two takes the fast path
    forwards and backwards.
    """
    if is_misread(features.shape[2:], features.device):
        with torch.autocast("cpu", enabled=False):
            offset = None if bias is None else bias.float()
            return F.conv3d(features.float(), weight.float(), offset, padding=1)
    if not _is_left_to_slow_path(features):
        return F.conv3d(features, weight, bias, padding=1)
    half = features.shape[2] // 2
    padded = F.pad(features, (0, 0, 0, 0, 1, 1))
    halves = torch.cat([padded[:, :, : half + 2], padded[:, :, half:]])
    halves = halves.contiguous(memory_format=torch.channels_last_3d)
    lower, upper = F.conv3d(halves, weight, bias, padding=(0, 1, 1)).chunk(2)
    return torch.cat([lower, upper], dim=2)


def is_misread(sides: Sequence[int], device: torch.device) -> bool:
    """Say whether oneDNN's bfloat16 would read memory that nobody wrote, for maps of these sides.

    It does so, forwards and in the gradient of the weights, where a side is shorter than the
    kernel; the numbers are finite or not by chance (seen with PyTorch 2.13 on AVX-512 BF16).
    """
    is_bfloat16 = device.type == "cpu" and torch.is_autocast_enabled("cpu")
    return is_bfloat16 and min(sides) < KERNEL_SIDE


def _is_left_to_slow_path(features: Tensor) -> bool:
    """Say whether `conv3d` would pass this map by oneDNN though two half maps would not."""
    batch, channels, num_planes, num_rows = features.shape[:4]
    return (
        features.device.type == "cpu"
        and features.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and batch == 1
        and num_planes % 2 == 0
        and channels * num_planes * num_rows <= ONEDNN_MIN_VALUES
    )


def convolve_to_one(
    features: Float[Tensor, "batch channel z y x"],
    weight: Float[Tensor, "1 channel 3 3 3"],
    bias: Float[Tensor, "1"] | None = None,
) -> Float[Tensor, "batch 1 z y x"]:
    """Convolve many channels to a single one; equals `conv3d(..., padding=1)`."""
    is_plain_cpu = features.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
    if not is_plain_cpu:
        return F.conv3d(features, weight, bias, padding=1)
    convolved: Tensor = _ConvolveToOne.apply(features, weight)  # type: ignore[no-untyped-call]
    return convolved if bias is None else convolved + bias.view(1, 1, 1, 1, 1)


class _ConvolveToOne(torch.autograd.Function):
    """Project each voxel's channels on the 27 taps, then add every tap to its neighbour."""

    @staticmethod
    def forward(ctx: FunctionCtx, features: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(features, weight)
        batch, _, z, y, x = features.shape
        voxels = _as_voxels(features)
        # bmm rather than matmul: three times faster for this tall, transposed operand.
        kernel = _as_taps(weight).expand(batch, -1, -1)
        taps = torch.bmm(kernel, voxels.transpose(1, 2)).view(batch, 27, z, y, x)
        return _scatter(taps).unsqueeze(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, Tensor]:
        features, weight = ctx.saved_tensors  # type: ignore[attr-defined]
        batch, channels, z, y, x = features.shape
        taps = _gather(grad.squeeze(1)).flatten(2)
        kernel = _as_taps(weight).expand(batch, -1, -1)
        grad_voxels = torch.bmm(taps.transpose(1, 2), kernel).view(batch, z, y, x, channels)
        grad_kernel = torch.bmm(taps, _as_voxels(features)).sum(dim=0)
        grad_weight = grad_kernel.flip(0).t().reshape(weight.shape)
        return grad_voxels.permute(0, 4, 1, 2, 3), grad_weight


def _as_voxels(features: Tensor) -> Tensor:
    """View a channels-last map as (batch, voxel, channel)."""
    batch, channels = features.shape[:2]
    return features.permute(0, 2, 3, 4, 1).reshape(batch, -1, channels)


def _as_taps(weight: Tensor) -> Tensor:
    """Give the kernel as (tap, channel), reversed: what reads at +1 is written at -1."""
    return weight.reshape(-1, 27).flip(1).t()


def _gather(volume: Tensor) -> Tensor:
    """Give each voxel its 27 neighbours, zero outside: (batch, 27, z, y, x)."""
    batch, z, y, x = volume.shape
    padded = F.pad(volume, (1, 1, 1, 1, 1, 1))
    taps = volume.new_empty(batch, 27, z, y, x)
    for tap, (a, b, c) in enumerate(product(range(3), repeat=3)):
        taps[:, tap] = padded[:, a : a + z, b : b + y, c : c + x]
    return taps


def _scatter(taps: Tensor) -> Tensor:
    """Add each voxel's 27 values to its neighbours: the adjoint of `_gather`."""
    batch, _, z, y, x = taps.shape
    padded = taps.new_zeros(batch, z + 2, y + 2, x + 2)
    for tap, (a, b, c) in enumerate(product(range(3), repeat=3)):
        padded[:, a : a + z, b : b + y, c : c + x] += taps[:, tap]
    return padded[:, 1:-1, 1:-1, 1:-1]
