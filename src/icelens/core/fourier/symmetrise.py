"""Average sums over a padded transform over the rotations of a point group.

It is done once, on the sums: inserting every image once for each rotation would cost as many times
as much as there are rotations, 60 for an icosahedron. Reading the sums between their points blurs
them a little, which fades the density away from the centre; by how much is known and undone.
"""

import torch
from jaxtyping import Float, Int
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
    exact, others = _split(symmetry_operators(symmetry).to(sums.values))
    total = SliceSums.like(sums)
    # the turns that keep the grid lose nothing and cost little: they come first, all others after
    source = _complete(sums.values, sums.grid.reach)
    total.values = _summed(source, exact, total)
    if len(others):
        # copies on the two sides of the plane x = 0 are equal by now but for the grid's margin
        total.values = _summed(total.values, others, total)
    # sums count the mates of samples near these planes when they are asked for; here they are in
    total.values[:, :, 0] *= 0.5
    if 2 * sums.grid.reach == sums.grid.padded_size:
        total.values[:, :, sums.grid.reach] *= 0.5
    return total


def extra_fade(symmetry: str, fade: Float[Tensor, "n n n"]) -> Float[Tensor, "n n n"]:
    """What `symmetrised` leaves of the density: only rotations that keep the grid leave all.

    Interpolation fades along axes turned with the rotation. Within the box the fade is that of a
    sphere to half a per cent, so that it is taken as the same for all.

    Args:
        symmetry: Point group.
        fade: What one interpolation leaves of the density.
    """
    _, others = _split(symmetry_operators(symmetry))
    share = 1.0 - 1.0 / (1 + len(others)) if len(others) else 0.0
    return 1.0 - share + share * fade


def _split(
    operators: Float[Tensor, "operator 3 3"],
) -> tuple[Float[Tensor, "exact 3 3"], Float[Tensor, "other 3 3"]]:
    """The subgroup that takes grid points to grid points, and one rotation of each other coset.

    `g = exact @ other` runs through the group, the identity as `other` included.
    """
    is_exact = (operators - operators.round()).abs().amax((1, 2)) < _WHOLE
    exact = operators[is_exact].round()
    others: list[Tensor] = []
    for candidate in operators[~is_exact]:
        # in one coset if `candidate = exact @ other`
        known = [(candidate @ other.T).sub(exact).abs().amax((1, 2)).min() for other in others]
        if all(float(distance) > 1e-3 for distance in known):
            others.append(candidate)
    return exact, torch.stack(others) if others else operators[:0]


def _summed(
    source: Float[Tensor, "z y x 4"], operators: Float[Tensor, "operator 3 3"], like: SliceSums
) -> Float[Tensor, "z y x 4"]:
    """Sum over turned copies of a grid, within the radius; the identity is added if it is not one.

    Returns:
        A new grid, empty beyond the radius.
    """
    reach = like.grid.reach
    num_z, num_y, num_x = like.grid.shape
    identity = torch.eye(3).to(operators)
    if not (operators == identity).all((1, 2)).any():
        operators = torch.cat([identity[None], operators])
    total = torch.zeros_like(source)
    step = max(1, _POINTS_AT_ONCE // (num_y * num_x))
    y = torch.arange(-reach, num_y - reach, device=source.device)
    x = torch.arange(num_x, device=source.device)
    for start in range(0, num_z, step):
        z = torch.arange(start, min(start + step, num_z), device=source.device) - reach
        points = torch.cartesian_prod(z, y, x)
        is_inside = points.square().sum(1) <= (reach * (1.0 + SLACK)) ** 2
        points_xyz = points[is_inside].flip(1).to(source.dtype)
        values = source.new_zeros(len(points_xyz), 4)
        for operator in operators:
            is_exact = bool((operator == operator.round()).all())
            read = _at_points if is_exact else _between_points
            values += read(source, points_xyz @ operator.T, reach)
        total[start : start + step].view(-1, 4)[is_inside] = values
    return total


def _complete(values: Float[Tensor, "z y x 4"], reach: int) -> Float[Tensor, "z y x 4"]:
    """Count the mates of samples near the plane `x = 0`, which are stored there as well."""
    side = 2 * reach + 1
    complete = values.clone()
    conjugate = values.new_tensor([1.0, -1.0, 1.0, 1.0])
    complete[:side, :side, 0] += values[:side, :side, 0].flip(0, 1) * conjugate
    return complete


def _at_points(
    source: Float[Tensor, "z y x 4"], index_xyz: Float[Tensor, "point 3"], reach: int
) -> Float[Tensor, "point 4"]:
    """Values at points, `index_xyz` from the zero frequency."""
    sign = torch.where(index_xyz[:, :1] < 0, -1.0, 1.0).to(source.dtype)
    place = _place((index_xyz * sign).round().long(), source, reach)
    values = source.view(-1, 4)[place]
    values[:, 1:2] *= sign
    return values


def _between_points(
    source: Float[Tensor, "z y x 4"], index_xyz: Float[Tensor, "point 3"], reach: int
) -> Float[Tensor, "point 4"]:
    """Values between points, `index_xyz` from the zero frequency."""
    sign = torch.where(index_xyz[:, :1] < 0, -1.0, 1.0).to(source.dtype)
    index_xyz = index_xyz * sign
    base = index_xyz.floor()
    upper = index_xyz - base
    parts = (1.0 - upper, upper)
    _, num_y, num_x, _ = source.shape
    corners = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    place = _place(base.long().clamp(min=-reach, max=reach), source, reach)
    steps = place.new_tensor([(i * num_y + j) * num_x + k for i, j, k in corners])
    weight = torch.stack(
        [parts[i][:, 2] * parts[j][:, 1] * parts[k][:, 0] for i, j, k in corners], dim=1
    )
    values = torch.nn.functional.embedding_bag(
        place[:, None] + steps, source.view(-1, 4), per_sample_weights=weight, mode="sum"
    )
    values[:, 1:2] *= sign
    return values


def _place(
    index_xyz: Int[Tensor, "point 3"], source: Float[Tensor, "z y x 4"], reach: int
) -> Int[Tensor, " point"]:
    _, num_y, num_x, _ = source.shape
    x, y, z = index_xyz.unbind(1)
    return ((z + reach) * num_y + y + reach) * num_x + x
