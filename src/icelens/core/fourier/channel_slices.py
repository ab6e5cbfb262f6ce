"""Cut central slices out of several transforms at once, and its adjoint: add samples to several.

The transforms lie beside one another at each point of a grid, so that the places of samples are
worked out and fetched once for all of them.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

try:
    # as in `scatter`: `y[row] += weight * x[column]` for rows of several numbers, in place
    from scipy.sparse._sparsetools import csc_matvecs
except ImportError:  # a scipy without it: slower, otherwise the same
    csc_matvecs = None


@dataclass(frozen=True, eq=False)
class Corners:
    """The eight grid points around each sample and what linear interpolation weighs them with.

    Attributes:
        index: Number of the point in the flattened half grid.
        weight: Sums to 1.
        sign: -1 for samples that are read at their Friedel mate, else 1.
    """

    index: Int[Tensor, "place 8"]
    weight: Float[Tensor, "place 8"]
    sign: Float[Tensor, " place"]


def corners_of(
    axes: Float[Tensor, "row 2 3"], frequency_xy: Float[Tensor, "2 sample"], size: int
) -> Corners:
    """Where samples of images lie in the half transform, rfft order, of a padded box.

    Args:
        axes: Rows 0 and 1 of the rotations from reference to image.
        frequency_xy: In points of the padded transform; all nearer to zero than its Nyquist
            frequency by one point or more.
        size: Side of the padded box, in px.
    """
    place = (axes.mT @ frequency_xy).transpose(0, 1).flatten(1)
    sign = torch.where(place[0] < 0, -1.0, 1.0).to(place.dtype)
    place = place * sign
    base = place.floor()
    x_up, y_up, z_up = place - base
    x, y, z = base.to(torch.int32)
    half = size // 2 + 1
    index = torch.empty(len(sign), 8, dtype=torch.int32, device=axes.device)
    weight = torch.empty(len(sign), 8, dtype=place.dtype, device=axes.device)
    zy = z_up * y_up
    for step_z in (0, 1):
        plane = (z + step_z).remainder_(size).mul_(size)
        for step_y in (0, 1):
            line = (plane + (y + step_y).remainder_(size)).mul_(half)
            first = 4 * step_z + 2 * step_y
            # the last column is reached with no more than rounding
            torch.add(line, x.clamp(max=half - 1), out=index[:, first])
            torch.add(line, (x + 1).clamp(max=half - 1), out=index[:, first + 1])
            both = (1.0 - z_up - y_up + zy, y_up - zy, z_up - zy, zy)[2 * step_z + step_y]
            upper = both * x_up
            if place.requires_grad:
                # poses that are learnt
                weight[:, first] = both - upper
            else:
                torch.sub(both, upper, out=weight[:, first])
            weight[:, first + 1] = upper
    return Corners(index, weight, sign)


def read_channels(
    table: Float[Tensor, "point number"], corners: Corners
) -> Float[Tensor, "place number"]:
    """Interpolated numbers of each sample, as they are stored: mates are not conjugated."""
    return torch.nn.functional.embedding_bag(
        corners.index, table, per_sample_weights=corners.weight, mode="sum"
    )


def add_channels(
    table: Float[Tensor, "point number"],
    corners: Corners,
    numbers: Float[Tensor, "place number"],
) -> None:
    """Share the numbers of each sample among its corners; the table is changed in place."""
    if table.device.type == "cpu" and csc_matvecs is not None:
        first = torch.arange(0, 8 * len(numbers) + 1, 8, dtype=torch.int32)
        csc_matvecs(
            len(table),
            len(numbers),
            table.shape[1],
            first.numpy(),
            corners.index.flatten().numpy(),
            corners.weight.flatten().numpy(),
            numbers.contiguous().flatten().numpy(),
            table.view(-1).numpy(),
        )
        return
    for corner in range(8):
        table.index_add_(
            0, corners.index[:, corner].long(), numbers * corners.weight[:, corner, None]
        )
