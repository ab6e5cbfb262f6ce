"""Average sums over a padded transform over the rotations of a point group.

It is done once, on the sums: inserting every image once for each rotation would cost as many times
as much as there are rotations, 60 for an icosahedron. Reading the sums between their points blurs
them a little, which fades the density away from the centre; by how much is known and undone.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.fourier.disc import SLACK
from icelens.core.fourier.insertion import SliceSums
from icelens.core.geometry.symmetry import symmetry_operators

_POINTS_AT_ONCE = 1 << 16
_WHOLE = 1e-5
"""Rotations whose entries are this near to 0 and 1 take grid points to grid points."""


def symmetrised(sums: SliceSums, symmetry: str) -> SliceSums:
    """New sums: at each point, what lies at all points equivalent to it.

    Args:
        sums: Of images of particles with this symmetry.
        symmetry: Point group, as `D2`.

    Raises:
        MetadataError: If there is no such group.
    """
    operators = symmetry_operators(symmetry).to(sums.values)
    total = SliceSums.like(sums)
    reach = sums.grid.reach
    source = _complete(sums.values, reach)
    num_z, num_y, num_x = sums.grid.shape
    step = max(1, _POINTS_AT_ONCE // (num_y * num_x))
    y = torch.arange(-reach, num_y - reach, device=source.device)
    x = torch.arange(num_x, device=source.device)
    for start in range(0, num_z, step):
        z = torch.arange(start, min(start + step, num_z), device=source.device) - reach
        points = torch.cartesian_prod(z, y, x)
        is_inside = points.square().sum(1) <= (reach * (1.0 + SLACK)) ** 2
        points_xyz = points[is_inside].flip(1).to(source.dtype)
        values = sum(_read(source, points_xyz @ operator.T, reach) for operator in operators)
        total.values[start : start + step].view(-1, 4)[is_inside] = values
    # sums count the mates of samples near these planes when they are asked for; here they are in
    total.values[:, :, 0] *= 0.5
    if 2 * reach == sums.grid.padded_size:
        total.values[:, :, reach] *= 0.5
    return total


def extra_fade(symmetry: str, fade: Float[Tensor, "n n n"]) -> Float[Tensor, "n n n"]:
    """What `symmetrised` leaves of the density: only rotations that keep the grid leave all.

    Interpolation fades along axes turned with the rotation. Within the box the fade is that of a
    sphere to half a per cent, so that it is taken as the same for all.

    Args:
        symmetry: Point group.
        fade: What one interpolation leaves of the density.
    """
    operators = symmetry_operators(symmetry).double()
    distance = (operators - operators.round()).abs().amax((1, 2))
    share = float((distance > _WHOLE).double().mean())
    return 1.0 - share + share * fade


def _complete(values: Float[Tensor, "z y x 4"], reach: int) -> Float[Tensor, "z y x 4"]:
    """Count the mates of samples near the plane `x = 0`, which are stored there as well."""
    side = 2 * reach + 1
    complete = values.clone()
    conjugate = values.new_tensor([1.0, -1.0, 1.0, 1.0])
    complete[:side, :side, 0] += values[:side, :side, 0].flip(0, 1) * conjugate
    return complete


def _read(
    source: Float[Tensor, "z y x 4"], index_xyz: Float[Tensor, "point 3"], reach: int
) -> Float[Tensor, "point 4"]:
    """Values between the points, `index_xyz` from the zero frequency."""
    sign = torch.where(index_xyz[:, :1] < 0, -1.0, 1.0).to(source.dtype)
    index_xyz = index_xyz * sign
    # whole rotations are meant to hit points; rounding must not read the next one instead
    nearest = index_xyz.round()
    index_xyz = torch.where((index_xyz - nearest).abs() < _WHOLE * reach, nearest, index_xyz)
    base = index_xyz.floor()
    upper = index_xyz - base
    lower = 1.0 - upper
    base = base.long().clamp(min=-reach, max=reach)
    _, num_y, num_x, _ = source.shape
    place = ((base[:, 2] + reach) * num_y + base[:, 1] + reach) * num_x + base[:, 0]
    corners = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    steps = place.new_tensor([(i * num_y + j) * num_x + k for i, j, k in corners])
    parts = (lower, upper)
    weight = torch.stack(
        [parts[i][:, 2] * parts[j][:, 1] * parts[k][:, 0] for i, j, k in corners], dim=1
    )
    values = torch.nn.functional.embedding_bag(
        place[:, None] + steps, source.view(-1, 4), per_sample_weights=weight, mode="sum"
    )
    values[:, 1:2] *= sign
    return values
