"""How far two sets of poses are apart: angle, viewing direction, in-plane angle and shift."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.geometry.rotations import matrix_to_quaternion, rotation_distance

# Products of a point group of 60 with many poses stay within some tens of MB.
_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class PoseErrors:
    """Errors of each row, in degrees and Å, all for the nearest of the equivalent poses.

    Attributes:
        angle: Of the turn from one rotation to the other.
        view: Between the viewing directions: the part of the turn that tilts the beam.
        in_plane: The part of the turn about the beam; 180 where the view is opposite.
        shift: Length of the difference between the shifts, in Å.
    """

    angle: Float[Tensor, " row"]
    view: Float[Tensor, " row"]
    in_plane: Float[Tensor, " row"]
    shift: Float[Tensor, " row"]


def pose_errors(
    rotation_1: Float[Tensor, "row 3 3"],
    rotation_2: Float[Tensor, "row 3 3"],
    *,
    shift_yx_1: Float[Tensor, "row 2"],
    shift_yx_2: Float[Tensor, "row 2"],
    operators: Float[Tensor, "operator 3 3"],
) -> PoseErrors:
    """Compare poses row by row.

    Args:
        rotation_1: Takes the reference to the image.
        rotation_2: The same by someone else.
        shift_yx_1: In Å.
        shift_yx_2: In Å.
        operators: Of the point group; the identity alone for none.
    """
    nearest = nearest_equivalent(rotation_1, rotation_2, operators)
    # the turn in the frame of the image: its twist about z is in-plane, the rest moves the view
    turn = rotation_1 @ nearest.mT
    w, _, _, z = matrix_to_quaternion(turn).unbind(-1)
    twist = torch.rad2deg(2.0 * torch.atan2(z.abs(), w.abs()))
    view = torch.rad2deg(torch.atan2(torch.hypot(turn[:, 0, 2], turn[:, 1, 2]), turn[:, 2, 2]))
    return PoseErrors(
        angle=rotation_distance(rotation_1, nearest),
        view=view,
        in_plane=twist,
        shift=(shift_yx_1 - shift_yx_2).norm(dim=-1),
    )


def angular_error(
    rotation_1: Float[Tensor, "row 3 3"],
    rotation_2: Float[Tensor, "row 3 3"],
    operators: Float[Tensor, "operator 3 3"],
) -> Float[Tensor, " row"]:
    """Geodesic angle in degrees, the least over `rotation_1` and every `rotation_2 @ operator`."""
    return rotation_distance(rotation_1, nearest_equivalent(rotation_1, rotation_2, operators))


def nearest_equivalent(
    rotation_1: Float[Tensor, "row 3 3"],
    rotation_2: Float[Tensor, "row 3 3"],
    operators: Float[Tensor, "operator 3 3"],
) -> Float[Tensor, "row 3 3"]:
    """Of all `rotation_2 @ operator`, which show a symmetric map alike, the one next to the first.

    The trace of `R1^T R2 S` is `1 + 2 cos(angle)`: the largest belongs to the smallest angle.
    """
    operators = operators.to(rotation_2)
    if len(operators) == 1:
        return rotation_2
    flat = operators.mT.flatten(1).mT
    best = torch.cat(
        [
            ((first.mT @ second).flatten(1) @ flat).argmax(dim=1)
            for first, second in zip(
                torch.split(rotation_1.to(rotation_2), _ROWS_AT_ONCE),
                torch.split(rotation_2, _ROWS_AT_ONCE),
                strict=True,
            )
        ]
    )
    return rotation_2 @ operators[best]
