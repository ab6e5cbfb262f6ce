"""Poses that a search keeps for each particle, subdivided round by round, ever finer."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.pose_search.series_images import SeriesImages
from icelens.core.refinement.reference import SliceTable

_SAMPLES_AT_ONCE = 1 << 21


@dataclass(frozen=True, eq=False)
class PoseCandidates:
    """Several poses of each particle.

    Attributes:
        rotation: Takes the reference to the particle's frame.
        shift_xyz: Centres the particle, in Å in that frame.
        score: Logarithm of the likelihood against noise alone.
    """

    rotation: Float[Tensor, "particle pose 3 3"]
    shift_xyz: Float[Tensor, "particle pose 3"]
    score: Float[Tensor, "particle pose"]

    def best(self, keep: int) -> "PoseCandidates":
        """The likeliest of each particle, in order."""
        score, place = self.score.topk(min(keep, self.score.shape[1]), dim=1)
        row = torch.arange(len(place), device=place.device)[:, None]
        return PoseCandidates(self.rotation[row, place], self.shift_xyz[row, place], score)

    @property
    def weight(self) -> Float[Tensor, "particle pose"]:
        """Share of the likelihood."""
        return torch.softmax(self.score, dim=1)


def candidate_scores(
    table: SliceTable,
    images: SeriesImages,
    rotation: Float[Tensor, "particle pose 3 3"],
    shift_xyz: Float[Tensor, "particle pose 3"],
) -> Float[Tensor, "particle pose"]:
    """Logarithm of the likelihood of a few poses of each particle, against noise alone."""
    num_poses = rotation.shape[1]
    score = rotation.new_zeros(images.num_particles, num_poses)
    step = max(1, _SAMPLES_AT_ONCE // (num_poses * images.values.shape[1]))
    for chosen in torch.split(torch.arange(len(images.values), device=rotation.device), step):
        owner = images.owner[chosen]
        seen = images.frame[chosen, None] @ rotation[owner]
        slices = table.nearest(seen.flatten(0, 1), images.frequency_xy)
        slices = slices.view(len(chosen), num_poses, -1)
        moved = images.moved(
            chosen.repeat_interleave(num_poses), shift_xyz[owner].flatten(0, 1)
        ).view(len(chosen), num_poses, -1)
        parts, model = torch.view_as_real(moved), torch.view_as_real(slices)
        fit = torch.einsum("mpsc,mpsc->mp", parts, model)
        weight = images.transfer[chosen].square()
        norm = torch.einsum("ms,mps->mp", weight, slices.abs().square())
        score.index_add_(0, owner, (2.0 * fit - norm) * images.independence)
    return score


def child_turns(step: float) -> Float[Tensor, "child 3"]:
    """Rotation vectors in radians of the eight cells that halve a cell of `step` degrees."""
    signs = torch.tensor([-0.25, 0.25])
    return torch.cartesian_prod(signs, signs, signs) * math.radians(step)


def subdivided(
    table: SliceTable,
    images: SeriesImages,
    held: PoseCandidates,
    *,
    step: float,
    shift_step: float,
    keep: int,
) -> PoseCandidates:
    """Halve the cells of the held poses: first their rotations, then their shifts.

    Args:
        table: The reference.
        images: At the resolution of this round.
        held: Centres of the cells.
        step: Width of the cells in degrees.
        shift_step: Width of the shifts' cells in Å.
        keep: Poses that are kept of each particle.
    """
    turn = rotation_from_vector(child_turns(step).to(held.rotation))
    rotation = (turn @ held.rotation[:, :, None]).flatten(1, 2)
    shift = held.shift_xyz.repeat_interleave(len(turn), dim=1)
    score = candidate_scores(table, images, rotation, shift)
    turned = PoseCandidates(rotation, shift, score).best(keep)
    num_axes = 3 if images.is_tilted else 2
    quarter = torch.tensor([-0.25, 0.25]) * shift_step
    moves = torch.cartesian_prod(*[quarter] * num_axes).to(shift)
    moves = torch.cat([moves.new_zeros(1, num_axes), moves])
    moves = torch.nn.functional.pad(moves, (0, 3 - num_axes))
    shift = (turned.shift_xyz[:, :, None] + moves).flatten(1, 2)
    rotation = turned.rotation.repeat_interleave(len(moves), dim=1)
    score = candidate_scores(table, images, rotation, shift)
    return PoseCandidates(rotation, shift, score).best(keep)
