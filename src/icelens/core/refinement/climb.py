"""Climb the likelihood from given poses by damped Newton steps on SO(3) and the shifts.

The Hessian is the one of Gauss and Newton with the scale eliminated (variable projection: Golub &
Pereyra, SIAM J. Numer. Anal. 10 (1973); Kaufman, BIT 15 (1975)), the damping that of Levenberg and
Marquardt (SIAM J. Appl. Math. 11 (1963)). A step that lowers the likelihood is not taken.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from icelens.core.geometry.rotations import rotation_distance
from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.refinement.matched import TURNS, Images, gram_matrices
from icelens.core.refinement.reference import SliceTable

_FIRST_DAMPING = 1e-2
_CALMER, _STRONGER = 0.2, 8.0
_MOST_DAMPING = 1e4
_WORTHLESS_GAIN = 0.02
"""Natural logarithm of the likelihood: a pose that gains less is indistinguishable from before."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Poses under examination, in one list over all particles.

    Attributes:
        owner: Particle that each belongs to.
        start: Which of the particle's given poses it came from.
        rotation: Takes the reference to the particle's frame.
        shift_xyz: In px, in that frame; z is 0 for single images.
        centre_xyz: The given pose's shift, from which it may not move too far.
        score: Logarithm of the likelihood ratio to noise alone; not a number before it is known.
        gram: From `gram_matrices`; empty before it is known.
    """

    owner: Int[Tensor, " pose"]
    start: Int[Tensor, " pose"]
    rotation: Float[Tensor, "pose 3 3"]
    shift_xyz: Float[Tensor, "pose 3"]
    centre_xyz: Float[Tensor, "pose 3"]
    score: Float[Tensor, " pose"]
    gram: Float[Tensor, "pose row row"]

    def take(self, chosen: Tensor) -> "Candidates":
        """Some of the poses: numbers or a mask."""
        return Candidates(*(values[chosen] for values in vars(self).values()))

    @staticmethod
    def joined(*parts: "Candidates") -> "Candidates":
        """Several lists as one."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return Candidates(*(torch.cat(column) for column in columns))


def examined(table: SliceTable, images: Images, candidates: Candidates) -> Candidates:
    """The same poses with their scores at the resolution of these images."""
    gram = gram_matrices(table, images, candidates.owner, candidates.rotation, candidates.shift_xyz)
    known = dict(vars(candidates)) | {"gram": gram, "score": scores(gram)}
    return Candidates(**known)


def scores(gram: Float[Tensor, "pose row row"]) -> Float[Tensor, " pose"]:
    """Logarithm of the likelihood with the best scale that is not negative, against no particle."""
    fit, norm = gram[:, -2, -1], gram[:, -2, -2]
    return 0.5 * fit.clamp(min=0.0).square() / norm.clamp(min=1e-30)


def curvature(
    gram: Float[Tensor, "pose row row"],
) -> tuple[Float[Tensor, "pose p p"], Float[Tensor, "pose p"]]:
    """Gauss-Newton Hessian of minus the score, and the score's gradient, by the pose alone."""
    num = gram.shape[-1] - 2
    norm = gram[:, -2, -2].clamp(min=1e-30)
    # where image and model disagree in sign a small positive scale still points uphill
    least = 0.05 * (gram[:, -1, -1] / norm).clamp(min=0.0).sqrt()
    scale = torch.maximum(gram[:, -2, -1] / norm, least)
    along = gram[:, :num, -2]
    freed = gram[:, :num, :num] - along[:, :, None] * along[:, None] / norm[:, None, None]
    hessian = scale.square()[:, None, None] * freed
    gradient = scale[:, None] * (gram[:, :num, -1] - scale[:, None] * along)
    return hessian, gradient


def climb(
    table: SliceTable,
    images: Images,
    candidates: Candidates,
    *,
    iterations: int,
    max_shift_px: float,
    given: Float[Tensor, "b k 3 3"] | None = None,
    max_turn_rad: float = math.inf,
) -> Candidates:
    """Improve each pose until a step gains nothing worth having or `iterations` are used.

    Args:
        table: The reference.
        images: Particles, at the resolution to climb at.
        candidates: Poses to start from; scores of another resolution are replaced.
        iterations: Most evaluations of the likelihood for each pose.
        max_shift_px: How far a shift may end from its centre.
        given: Rotations that `owner` and `start` count; without them poses turn as they like.
        max_turn_rad: How far a pose may turn away from its given rotation.
    """
    if not len(candidates.owner):
        return candidates
    held = examined(table, images, candidates)
    damping = torch.full_like(held.score, _FIRST_DAMPING)
    active = torch.ones_like(held.owner, dtype=torch.bool)
    for _ in range(iterations):
        numbers = active.nonzero().squeeze(-1)
        if not len(numbers):
            break
        here = held.take(numbers)
        moved, gain = _step(here, damping[numbers], max_shift_px)
        is_worth = gain > _WORTHLESS_GAIN
        active[numbers[~is_worth]] = False
        numbers, here, moved = numbers[is_worth], here.take(is_worth), moved.take(is_worth)
        if not len(numbers):
            break
        moved = examined(table, images, moved)
        is_better = moved.score >= here.score
        if given is not None:
            is_better &= _is_near(moved, given, max_turn_rad)
        damping[numbers] *= torch.where(is_better, _CALMER, _STRONGER)
        active[numbers] &= damping[numbers] < _MOST_DAMPING
        held = _replaced(held, numbers, moved, is_better)
    return held


def _is_near(
    moved: Candidates, given: Float[Tensor, "b k 3 3"], max_turn_rad: float
) -> Bool[Tensor, " pose"]:
    """Which poses are still within reach of the rotation that they were given.

    Where an image says next to nothing a step is long, and leads to any rotation at all.
    """
    away = rotation_distance(moved.rotation, given[moved.owner, moved.start])
    return torch.deg2rad(away) <= max_turn_rad


def _step(
    here: Candidates, damping: Float[Tensor, " pose"], max_shift_px: float
) -> tuple[Candidates, Float[Tensor, " pose"]]:
    """Poses one damped Newton step on, and the gain that the quadratic model promises."""
    hessian, gradient = curvature(here.gram)
    diagonal = hessian.diagonal(dim1=1, dim2=2)
    # an axis that the images cannot see stays where it is
    floor = 1e-6 * diagonal.amax(dim=1, keepdim=True) + 1e-30
    damped = hessian + torch.diag_embed(damping[:, None] * diagonal + floor)
    if max_shift_px == 0.0:
        damped[:, TURNS:] = 0.0
        damped[:, :, TURNS:] = 0.0
        damped[:, TURNS:, TURNS:] = torch.eye(damped.shape[-1] - TURNS, device=damped.device)
        gradient[:, TURNS:] = 0.0
    step = torch.linalg.solve_ex(damped, gradient).result
    gain = (step * (gradient - 0.5 * (hessian @ step[:, :, None]).squeeze(-1))).sum(1)
    gain = torch.nan_to_num(gain, nan=0.0)
    shift = here.shift_xyz.clone()
    num_shifts = step.shape[1] - TURNS
    shift[:, :num_shifts] += step[:, TURNS:]
    away = shift - here.centre_xyz
    excess = (away.norm(dim=1, keepdim=True) / max(max_shift_px, 1e-9)).clamp(min=1.0)
    known = dict(vars(here)) | {
        "rotation": rotation_from_vector(step[:, :TURNS]) @ here.rotation,
        "shift_xyz": here.centre_xyz + away / excess,
    }
    return Candidates(**known), gain


def _replaced(
    held: Candidates,
    numbers: Int[Tensor, " moved"],
    moved: Candidates,
    is_better: Bool[Tensor, " moved"],
) -> Candidates:
    """The list with those poses exchanged that became better."""
    known = dict(vars(held))
    better = numbers[is_better]
    for name in ("rotation", "shift_xyz", "score", "gram"):
        values = known[name].clone()
        values[better] = getattr(moved, name)[is_better]
        known[name] = values
    return Candidates(**known)
