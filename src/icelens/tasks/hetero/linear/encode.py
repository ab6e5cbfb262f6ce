"""Latents of particles under a linear model that is finished."""

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.tasks.hetero.linear.particle_batches import ParticleBatches
from icelens.tasks.hetero.linear.posterior import (
    Coefficients,
    normal_equations,
    place_samples,
    predicted,
    solve_coefficients,
)
from icelens.tasks.hetero.linear.subspace import Subspace

Integers = npt.NDArray[np.int64]


def coefficients_of(
    space: Subspace, batches: ParticleBatches, particles: Integers | None = None
) -> Coefficients:
    """Posterior of the coefficients, all images of a particle taken together.

    Args:
        space: The model.
        batches: Its images.
        particles: Places of those that are wanted; the others are left at zero.
    """
    grid, channels = space.grid, len(space.volumes)
    table = grid.table(space.volumes)
    count = batches.num_particles
    mean = torch.zeros(count, channels, dtype=torch.float64, device=grid.device)
    covariance = torch.zeros(count, channels, channels, dtype=torch.float64, device=grid.device)
    frequency_xy = batches.images.samples.frequency_xy
    for batch in batches.batches(grid.radius, particles):
        parts = predicted(table, batch, place_samples(batch, frequency_xy, grid))
        own, found = of_particles(space, normal_equations(parts, batch), batch.owner, batches)
        mean[own], covariance[own] = found.mean, found.covariance
    return Coefficients(mean, covariance)


def of_particles(
    space: Subspace,
    of_images: tuple[Float[Tensor, "row channel channel"], Float[Tensor, "row channel"]],
    owner: Tensor,
    batches: ParticleBatches,
) -> tuple[Tensor, Coefficients]:
    """Which particles a batch holds, and what all their images say of their coefficients."""
    gram, product = of_images
    own, place = torch.unique(owner, return_inverse=True)
    channels = gram.shape[-1]
    grams = gram.new_zeros(len(own), channels, channels).index_add_(0, place, gram)
    products = product.new_zeros(len(own), channels).index_add_(0, place, product)
    found = solve_coefficients(
        grams,
        products,
        independence=batches.images.facts.independence,
        contrast_std=space.contrast_std,
    )
    return own, found
