"""The one turn between two reference frames in which the same particles were aligned."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.geometry.rotation_mean import mean_rotation
from icelens.core.metrics.pose_error import angular_error, nearest_equivalent

# Each particle proposes a turn; with a fifth of good poses one of 100 is good almost surely.
_PROPOSALS, _JURY = 200, 1000
# A proposal counts the particles that it brings this near, in degrees.
_NEAR = 10.0
# Rounds of averaging over the particles that agree; the rest are false by any turn.
_ROUNDS = 10
_INLIER_MEDIANS, _LEAST_INLIER = 3.0, 1.0
_FEWEST = 3


@dataclass(frozen=True)
class FrameAlignment:
    """`rotation_1` is about `rotation_2 @ rotation`.

    Attributes:
        rotation: Takes the first reference frame to the second, `(3, 3)`.
        inliers: Share of the particles within 10 degrees after it.
    """

    rotation: Float[Tensor, "3 3"]
    inliers: float


def align_frames(
    rotation_1: Float[Tensor, "row 3 3"],
    rotation_2: Float[Tensor, "row 3 3"],
    operators: Float[Tensor, "operator 3 3"],
    generator: torch.Generator,
) -> FrameAlignment:
    """Find the turn `Q` with `R1 = R2 Q S` for as many particles as possible.

    Two reconstructions of the same particles may differ by a turn as a whole, which no pose error
    should count. Turns proposed by single particles are judged by how many others they bring
    within 10 degrees, and how near, so that wrong poses do no harm as long as a tenth are right;
    the best is then averaged over those that agree with it.

    Args:
        rotation_1: Takes the first reference to the images.
        rotation_2: Takes the second reference to the same images.
        operators: Of the point group, in the first frame.
        generator: Chooses who proposes and who judges.

    Raises:
        GeometryError: If there are no particles.
    """
    count = len(rotation_1)
    if count == 0:
        raise GeometryError("no particle in common, expected some to align two frames by")
    order = torch.randperm(count, generator=generator)
    proposers, jury = order[:_PROPOSALS], order[-_JURY:]
    proposals = rotation_2[proposers].mT @ rotation_1[proposers]
    votes = torch.stack(
        [
            _closeness(rotation_1[jury], rotation_2[jury] @ proposal, operators)
            for proposal in proposals
        ]
    )
    turn = proposals[int(votes.argmax())]
    for _ in range(_ROUNDS):
        turn = _averaged(rotation_1, rotation_2, turn, operators)
    return FrameAlignment(turn, float(_near_share(rotation_1, rotation_2 @ turn, operators)))


def _closeness(
    rotation_1: Float[Tensor, "row 3 3"],
    rotation_2: Float[Tensor, "row 3 3"],
    operators: Float[Tensor, "operator 3 3"],
) -> Float[Tensor, ""]:
    """How many particles are near and how near: 1 for each at no distance, 0 from 10 degrees on."""
    error = angular_error(rotation_1, rotation_2, operators)
    return (1.0 - error / _NEAR).clamp(min=0.0).sum()


def _near_share(
    rotation_1: Float[Tensor, "row 3 3"],
    rotation_2: Float[Tensor, "row 3 3"],
    operators: Float[Tensor, "operator 3 3"],
) -> Float[Tensor, ""]:
    """Share of the particles that are near each other."""
    return (angular_error(rotation_1, rotation_2, operators) < _NEAR).to(rotation_1).mean()


def _averaged(
    rotation_1: Float[Tensor, "row 3 3"],
    rotation_2: Float[Tensor, "row 3 3"],
    turn: Float[Tensor, "3 3"],
    operators: Float[Tensor, "operator 3 3"],
) -> Float[Tensor, "3 3"]:
    """The mean turn of the particles that agree with the present one."""
    # R1 S' next to R2 Q: the operator is applied in the first frame, where it is known
    equivalent = nearest_equivalent(rotation_2 @ turn, rotation_1, operators)
    error = angular_error(rotation_2 @ turn, equivalent, operators[:1])
    near = error[error < _NEAR]
    if not len(near):
        return turn
    limit = max(_LEAST_INLIER, _INLIER_MEDIANS * float(near.median()))
    is_inlier = error < min(limit, _NEAR)
    return mean_rotation(rotation_2[is_inlier].mT @ equivalent[is_inlier])


def origin_offset(
    rotation: Float[Tensor, "row 3 3"], difference_yx: Float[Tensor, "row 2"]
) -> Float[Tensor, "3"]:
    """Place `(x, y, z)` of one map's origin in another, from the shifts of the same particles.

    Centring on a map that was moved by `t` asks for a shift that is larger by `(R t)_yx`. `t` is
    found by least squares; rows that it misses by more than three medians are left out, in a few
    rounds. Fewer than three rows say nothing: the offset is then 0.

    Args:
        rotation: Takes the reference to the images, in the frame in which `t` is sought.
        difference_yx: Shift for the moved map less shift for the other, in any unit.
    """
    axes = rotation[:, [1, 0]]
    kept = torch.ones(len(rotation), dtype=torch.bool)
    offset = torch.zeros(3, dtype=rotation.dtype)
    if len(rotation) < _FEWEST:
        return offset
    for _ in range(_ROUNDS):
        matrix, target = axes[kept].reshape(-1, 3), difference_yx[kept].reshape(-1, 1)
        offset = torch.linalg.lstsq(matrix, target.to(matrix), driver="gelsd").solution[:, 0]
        miss = (difference_yx - axes @ offset).norm(dim=1)
        kept = miss <= _INLIER_MEDIANS * miss.median()
    return offset


def without_offset(
    shift_yx: Float[Tensor, "row 2"],
    rotation: Float[Tensor, "row 3 3"],
    offset_xyz: Float[Tensor, "3"],
) -> Float[Tensor, "row 2"]:
    """Shifts as they would be for the map that was not moved by `offset_xyz`."""
    return shift_yx - rotation[:, [1, 0]] @ offset_xyz
