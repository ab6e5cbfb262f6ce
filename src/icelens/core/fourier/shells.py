"""Sums over the shells of a half transform, in which most samples stand for two.

Shell `k` holds the frequencies `k - 1/2 <= |f| * n < k + 1/2`, f in cycles/px, n the longest side.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from icelens.core.fourier.frequencies import Device, Shape, frequency_axes, num_shells

_SAMPLES_AT_ONCE = 1 << 22  # keeps the shells' numbers of a large volume from filling the memory


def column_weights(num_x: int, *, device: Device = "cpu") -> Float[Tensor, " x_half"]:
    """How many samples of the full transform each column of a half transform stands for.

    Two, for the sample and its Friedel mate; one at zero and, if `num_x` is even, at Nyquist.
    """
    weights = torch.full((num_x // 2 + 1,), 2.0, device=device)
    weights[0] = 1.0
    if num_x % 2 == 0:
        weights[-1] = 1.0
    return weights


def shell_sums(
    values: Float[Tensor, "*batch z y x_half"], num_x: int
) -> Float[Tensor, "*batch shell"]:
    """Sum over every shell of the full transform that a half transform stands for, in float64.

    Args:
        values: Any quantity that agrees between Friedel mates, such as power.
        num_x: Length along x of the box in real space; tells an even from an odd one.
    """
    num_z, num_y, x_half = values.shape[-3:]
    shape = (num_z, num_y, num_x)
    flat = values.reshape(-1, num_z, num_y, x_half)
    # MPS has no float64; a shell of a tomogram adds up millions of values
    device = values.device if values.device.type != "mps" else torch.device("cpu")
    weights = column_weights(num_x, device=device).double()
    sums = torch.zeros(len(flat), num_shells(shape) + 1, dtype=torch.float64, device=device)
    for planes, index in _shells_by_planes(shape, device):
        weighted = flat[:, planes].to(device, torch.float64) * weights
        sums.scatter_add_(1, index.expand(len(flat), -1), weighted.flatten(1))
    return sums[:, :-1].reshape(*values.shape[:-3], num_shells(shape))


def shell_counts(shape: Shape, *, device: Device = "cpu") -> Float[Tensor, " shell"]:
    """Samples of the full transform in each shell."""
    half = (shape[0], shape[1], shape[2] // 2 + 1)
    return shell_sums(torch.ones((), device=device).expand(half), shape[2])


def _shells_by_planes(
    shape: Shape, device: Device
) -> Iterator[tuple[slice, Int[Tensor, " sample"]]]:
    """Shell of each sample, some planes at a time; corners get the number after the last."""
    z, y, x = frequency_axes(shape, device=device)
    step = max(1, _SAMPLES_AT_ONCE // (y.numel() * x.numel()))
    for start in range(0, shape[0], step):
        planes = slice(start, start + step)
        radius = (z[planes] ** 2 + y**2 + x**2).sqrt() * max(shape)
        yield planes, (radius + 0.5).long().clamp(max=num_shells(shape)).flatten()
