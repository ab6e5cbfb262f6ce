"""The models of two half sets: fitted apart, then brought to each other."""

from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from icelens.tasks.hetero.linear.posterior import Coefficients
from icelens.tasks.hetero.linear.stage_grid import StageGrid
from icelens.tasks.hetero.linear.subspace import (
    Subspace,
    aligning_turn,
    principal_turn,
    standardised,
)

Pair = tuple[Subspace, Subspace]


def with_own_axes(space: Subspace) -> Subspace:
    """Components orthogonal, the largest first."""
    return space.turned(principal_turn(space.products(space)))


def with_common_axes(first: Subspace, second: Subspace) -> Pair:
    """Components turned so that each agrees with its fellow, and orthogonal on the whole."""
    second = second.turned(aligning_turn(first.products(second)))
    both = first.products(second)
    both = both + both.T + first.products(first) + second.products(second)
    turn = principal_turn(both)
    return first.turned(turn), second.turned(turn)


def squared_norms(pair: Pair) -> Float[Tensor, "half component"]:
    """Of the components."""
    return torch.stack([each.products(each).diagonal() for each in pair])


def with_components(space: Subspace, places: Int[Tensor, " kept"]) -> Subspace:
    """The mean and these components."""
    channels = torch.cat([torch.zeros_like(places[:1]), 1 + places]).to(space.volumes.device)
    return replace(space, volumes=space.volumes[channels], white=space.white[channels])


def on_grid(space: Subspace, grid: StageGrid) -> Subspace:
    """The same at another stage."""
    volumes = grid.taken_from(space.grid, space.volumes)
    # noise of another sampling makes other volumes: the solution starts anew
    return replace(space, grid=grid, volumes=volumes, white=torch.zeros_like(volumes))


def joined(first: Coefficients, second: Coefficients) -> Coefficients:
    """Of two sets of particles, each zero where the other is not."""
    return Coefficients(first.mean + second.mean, first.covariance + second.covariance)


def principal(space: Subspace, whole: Subspace, coefficients: Coefficients) -> Subspace:
    """Standardised and turned as the whole model has to be to get orthogonal components."""
    mean = coefficients.mean.mean(0)
    second_moment = coefficients.second_moment.mean(0)
    model = standardised(whole, mean, second_moment)
    turned = standardised(space, mean, second_moment)
    turned = turned.turned(principal_turn(model.products(model)))
    return replace(turned, contrast_std=whole.contrast_std)
