"""The poses that a refinement found, ranked and weighed."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from icelens.core.refinement.climb import Candidates
from icelens.core.refinement.matched import Images
from icelens.core.refinement.modes import distinct, ranked, widths_and_masses


@dataclass(frozen=True, eq=False)
class Refined:
    """Poses of each particle, the likeliest first.

    Where a particle has fewer separate modes than were asked for, poses are repeated with
    probability 0.

    Attributes:
        rotation: Takes the reference to the image (of a tilt series: to the particle's frame).
        shift_yx_px: Centres the particle, in px; of a tilt series the shift of each image.
        shift_xyz_px: The same in the particle's frame; z is 0 for single images.
        score: Logarithm of the likelihood against an image of noise alone.
        probability: Share of the posterior among all modes that were found (Laplace's method).
        width_degrees: Root mean square angle by which the pose may be off, if it is the right mode.
        start: Number of the given pose that each came from.
        entropy: Of the search's posterior over its candidates, in nats.
    """

    rotation: Float[Tensor, "particle pose 3 3"]
    shift_yx_px: Float[Tensor, "particle pose ..."]
    shift_xyz_px: Float[Tensor, "particle pose 3"]
    score: Float[Tensor, "particle pose"]
    probability: Float[Tensor, "particle pose"]
    width_degrees: Float[Tensor, "particle pose"]
    start: Int[Tensor, "particle pose"]
    entropy: Float[Tensor, " particle"]

    def take(self, chosen: Tensor) -> "Refined":
        """Some of the particles: numbers or a mask."""
        device = self.score.device
        return Refined(*(values[chosen.to(device)] for values in vars(self).values()))


def ranked_poses(
    found: Candidates,
    images: Images,
    spread: Float[Tensor, " b"],
    *,
    top_k: int,
    separation_rad: float,
    operators: Float[Tensor, "operator 3 3"],
) -> Refined:
    """The likeliest `top_k` modes of each particle, weighed against all that were found."""
    number, is_filled = ranked(found, len(spread))
    rotation = found.rotation[number]
    is_mode = distinct(rotation, is_filled, separation_rad=separation_rad, operators=operators)
    width, volume = widths_and_masses(found.gram[number])
    score = found.score[number]
    mass = torch.where(is_mode, score + volume, -torch.inf)
    share = torch.softmax(mass, dim=1)
    # separate modes first; then what repeats them, to fill the places that were asked for
    order = torch.argsort(torch.where(is_mode, 0, torch.where(is_filled, 1, 2)), dim=1, stable=True)
    place = torch.arange(top_k, device=order.device)
    is_beyond = place >= is_filled.sum(1, keepdim=True)
    order = order[:, place.clamp(max=order.shape[1] - 1)]
    order = torch.where(is_beyond, order[:, :1], order)
    row = torch.arange(len(order), device=order.device)[:, None]
    chosen = number[row, order]
    shift_xyz = found.shift_xyz[chosen]
    return Refined(
        rotation[row, order],
        _seen_shifts(images, shift_xyz),
        shift_xyz,
        score[row, order],
        torch.where(is_beyond, 0.0, share[row, order]),
        width[row, order],
        found.start[chosen],
        spread,
    )


def _seen_shifts(images: Images, shift_xyz: Float[Tensor, "b k 3"]) -> Tensor:
    """Shifts (y, x) of the images: `(b, k, 2)`, or `(b, k, image, 2)` of tilt series."""
    if images.stage is None:
        return shift_xyz[..., :2].flip(-1)
    moved = (images.stage[:, None] @ shift_xyz[:, :, None, :, None]).squeeze(-1)
    return (images.shift_xy[:, None] + moved[..., :2]).flip(-1)
