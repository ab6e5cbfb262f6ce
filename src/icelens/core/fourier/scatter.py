"""Share samples among the eight points of a grid around them, fast.

What takes time is not arithmetic but reaching into a grid that no cache can hold. On a CPU the
samples are therefore sorted by their place first, roughly, so that those of many images meet in
the same piece of the grid.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor

try:
    # a compiled loop over `y[row] += weight * x[column]` for rows of several numbers, in place;
    # the public sparse product makes a new grid every time
    from scipy.sparse._sparsetools import csc_matvecs
except ImportError:  # a scipy without it: slower, otherwise the same
    csc_matvecs = None

Array = npt.NDArray[Any]

_SAMPLES_AT_ONCE = 1 << 14
"""Samples whose corners are worked out together: their arrays stay in the cache."""
_NUM_PIECES = 1 << 16
"""Pieces of the grid that samples are sorted into; 16 bits are sorted in two passes."""

RECORD = 8
"""Numbers of a sample: four to add, the way from its cell's lowest corner along x, y and z, and,
as the bits of a whole number, that corner's place. Side by side they are fetched at once."""


def place_of(records: Float[Tensor, "*batch 8"]) -> Int[Tensor, "*batch"]:
    """Number of the lowest corner's point in the flattened grid; a view to read or write."""
    kind = torch.int32 if records.dtype == torch.float32 else torch.int64
    return records[..., 7:].view(kind).squeeze(-1)


def add_to_corners(grid: Float[Tensor, "z y x 4"], records: Float[Tensor, "sample 8"]) -> None:
    """Add samples to the eight corners of their cells, with the weights of interpolation.

    Args:
        grid: Changed in place; contiguous.
        records: See `RECORD`.
    """
    if grid.device.type == "cpu" and csc_matvecs is not None:
        _add_sorted(grid, records)
    else:
        _add_on_device(grid, records)


def _add_sorted(grid: Float[Tensor, "z y x 4"], records: Float[Tensor, "sample 8"]) -> None:
    num_points = grid.numel() // 4
    flat = grid.numpy().reshape(-1)
    place = place_of(records).numpy()
    order = np.argsort((place // (num_points // _NUM_PIECES + 1)).astype(np.uint16), kind="stable")
    numbers, corners = records.numpy(), _corners(grid)
    size = min(len(order), _SAMPLES_AT_ONCE)
    fetched = np.empty((size, RECORD), numbers.dtype)
    terms = np.empty((size, 4), numbers.dtype)
    weight = np.empty((size, 8), numbers.dtype)
    index = np.empty((size, 8), place.dtype)
    first = np.arange(0, 8 * size + 1, 8, dtype=place.dtype)
    for start in range(0, len(order), _SAMPLES_AT_ONCE):
        chosen = order[start : start + _SAMPLES_AT_ONCE]
        n = len(chosen)
        # "clip" writes into `out` directly, "raise" through a copy
        numbers.take(chosen, axis=0, out=fetched[:n], mode="clip")
        x, y, z, bits = np.ascontiguousarray(fetched[:n, 4:].T)
        np.copyto(terms[:n], fetched[:n, :4])
        _fill_weights(weight[:n], x, y, z)
        lowest = bits.view(place.dtype)
        for corner, step in enumerate(corners):
            np.add(lowest, step, out=index[:n, corner])
        csc_matvecs(
            num_points,
            n,
            4,
            first[: n + 1],
            index[:n].ravel(),
            weight[:n].ravel(),
            terms[:n].ravel(),
            flat,
        )


def _fill_weights(weight: Array, x: Array, y: Array, z: Array) -> None:
    """Write the weights `(sample, 8)` of the corners, x fastest."""
    zy = z * y
    for pair, both in enumerate((1.0 - z - y + zy, y - zy, z - zy, zy)):
        upper = both * x
        np.subtract(both, upper, out=weight[:, 2 * pair])
        weight[:, 2 * pair + 1] = upper


def _corners(grid: Float[Tensor, "z y x 4"]) -> list[int]:
    """Distance of the corners from the lowest one in the flattened grid, x fastest."""
    _, num_y, num_x, _ = grid.shape
    return [(z * num_y + y) * num_x + x for z in (0, 1) for y in (0, 1) for x in (0, 1)]


def _add_on_device(grid: Float[Tensor, "z y x 4"], records: Float[Tensor, "sample 8"]) -> None:
    flat = grid.view(-1, 4)
    place = place_of(records).long()
    upper = records[:, 4:7]
    lower = 1.0 - upper
    for corner, step in enumerate(_corners(grid)):
        weight = torch.ones_like(upper[:, :1])
        for axis in range(3):
            chosen = upper if corner >> axis & 1 else lower
            weight = weight * chosen[:, axis : axis + 1]
        flat.index_add_(0, place + step, records[:, :4] * weight)
