"""Tell separate modes of a posterior from poses that found the same one, and weigh them."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from icelens.core.refinement.climb import Candidates, curvature
from icelens.core.refinement.matched import TURNS


def ranked(
    candidates: Candidates, num_particles: int
) -> tuple[Int[Tensor, "particle rank"], Bool[Tensor, "particle rank"]]:
    """Numbers of each particle's poses, the likeliest first, and which places are filled."""
    by_score = torch.argsort(candidates.score, descending=True, stable=True)
    order = by_score[torch.argsort(candidates.owner[by_score], stable=True)]
    count = torch.bincount(candidates.owner, minlength=num_particles)
    first = count.cumsum(0) - count
    rank = torch.arange(int(count.max()), device=order.device)
    is_filled = rank < count[:, None]
    place = (first[:, None] + rank).clamp(max=len(order) - 1)
    return order[place], is_filled


def distinct(
    rotation: Float[Tensor, "particle rank 3 3"],
    is_filled: Bool[Tensor, "particle rank"],
    *,
    separation_rad: float,
    operators: Float[Tensor, "operator 3 3"],
) -> Bool[Tensor, "particle rank"]:
    """Which poses have no likelier one within an angle, or within it of a symmetric equivalent."""
    equivalent = rotation[:, :, None] @ operators
    num_particles, num_ranks = is_filled.shape
    # trace(A^T B) over all pairs: the cosine of the angle between them, up to scale
    trace = equivalent.flatten(-2).flatten(1, 2) @ rotation.flatten(-2).transpose(1, 2)
    trace = trace.view(num_particles, num_ranks, len(operators), num_ranks).amax(dim=2)
    is_near = trace > 1.0 + 2.0 * math.cos(separation_rad)
    is_alive = is_filled.clone()
    for rank in range(num_ranks - 1):
        shadow = is_near[:, rank, rank + 1 :] & is_alive[:, rank, None]
        is_alive[:, rank + 1 :] &= ~shadow
    return is_alive


def best_distinct(
    candidates: Candidates,
    num_particles: int,
    *,
    keep: int,
    separation_rad: float,
    operators: Float[Tensor, "operator 3 3"],
) -> Candidates:
    """The likeliest `keep` modes of each particle."""
    number, is_filled = ranked(candidates, num_particles)
    is_alive = distinct(
        candidates.rotation[number],
        is_filled,
        separation_rad=separation_rad,
        operators=operators,
    )
    is_kept = is_alive & (is_alive.cumsum(1) <= keep)
    return candidates.take(number[is_kept])


def widths_and_masses(
    gram: Float[Tensor, "*batch row row"],
) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    """Root mean square angle in degrees of a Gaussian posterior, and log of its volume.

    The volume is that of Laplace's approximation, up to a constant that all poses share.
    """
    hessian, _ = curvature(gram.flatten(0, -3))
    size = hessian.diagonal(dim1=1, dim2=2)
    # scaled to a diagonal of ones, so that degrees and pixels do not spoil each other's digits
    root = size.clamp(min=1e-30).sqrt()
    scaled = (hessian / (root[:, :, None] * root[:, None])).double()
    scaled = scaled + 1e-6 * torch.eye(scaled.shape[-1], device=scaled.device)
    covariance = torch.linalg.inv_ex(scaled).inverse / (root[:, :, None] * root[:, None])
    turning = covariance.diagonal(dim1=1, dim2=2)[:, :TURNS].sum(1)
    width = torch.rad2deg(turning.clamp(min=0.0).sqrt()).clamp(max=180.0).float()
    volume = -0.5 * torch.logdet(scaled).float() - root.log().sum(1)
    shape = gram.shape[:-2]
    return torch.nan_to_num(width, nan=180.0).view(shape), torch.nan_to_num(volume).view(shape)


def entropy(score: Float[Tensor, "particle candidate"]) -> Float[Tensor, " particle"]:
    """Of the posterior over candidates, in nats: 0 if one is certain, log(count) if all equal."""
    log_share = torch.log_softmax(score, dim=1)
    return -(log_share.exp() * log_share).sum(1)
