import numpy as np
import torch
from linear_world import component_volumes, mean_volume, prepared

from icelens.core.fourier.slices import central_slices, slice_source
from icelens.tasks.hetero.linear.encode import coefficients_of
from icelens.tasks.hetero.linear.particle_batches import ParticleBatches
from icelens.tasks.hetero.linear.posterior import ChannelSums, place_samples
from icelens.tasks.hetero.linear.stage_grid import StageGrid
from icelens.tasks.hetero.linear.subspace import Subspace
from icelens.tasks.hetero.linear.volume_solver import (
    VolumePrior,
    normal_equations_of,
    solve_volumes,
)
from icelens.tasks.hetero.particle_rows import particle_rows
from icelens.tasks.hetero.prepared_images import PreparedImages

VOLUMES = torch.cat([mean_volume()[None], component_volumes()])


def _space(images: PreparedImages, contrast_std: float = 0.0) -> Subspace:
    share = images.facts.mask_diameter / (images.box_size * images.pixel_size)
    grid = StageGrid(images.box_size, images.facts.radius, share, torch.device("cpu"))
    return Subspace(grid, grid.narrowed(VOLUMES), grid.narrowed(VOLUMES) * 0, contrast_std)


def _batches(images: PreparedImages, tilts: int = 0) -> ParticleBatches:
    return ParticleBatches(images, particle_rows(images.particles, tilts=tilts, seed=0))


def _drawn(count: int, seed: int = 1) -> np.ndarray:
    latent = np.random.default_rng(seed).normal(size=(count, 2))
    return np.concatenate([np.ones((count, 1)), latent], axis=1)


def test_posterior_is_that_of_a_dense_gaussian_of_all_images_of_a_particle() -> None:
    images = prepared(VOLUMES, _drawn(4), noise=3.0, images_each=3)
    space = _space(images, contrast_std=0.2)
    found = coefficients_of(space, _batches(images))
    volumes = space.grid.widened(space.volumes)
    for particle in range(4):
        rows = np.arange(3 * particle, 3 * particle + 3)
        slices = torch.stack(
            [
                images.samples.of(central_slices(slice_source(v), images.rotation(rows)))
                for v in volumes
            ]
        )
        model = (slices * images.transfer(rows)).flatten(1)
        # real and imaginary parts have a variance of one half each
        design = torch.view_as_real(model).flatten(1).double().T * 2**0.5
        data = torch.view_as_real(images.values(rows).flatten()).flatten().double() * 2**0.5
        prior = torch.tensor([0.2**-2, 1.0, 1.0], dtype=torch.float64)
        covariance = torch.linalg.inv(design.T @ design + torch.diag(prior))
        mean = covariance @ (design.T @ data + prior * torch.tensor([1.0, 0.0, 0.0]).double())
        torch.testing.assert_close(found.mean[particle], mean, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(found.covariance[particle], covariance, rtol=1e-3, atol=1e-4)


def test_posteriors_are_as_wide_as_the_latents_are_wrong() -> None:
    truth = _drawn(400)
    images = prepared(VOLUMES, truth, noise=2.0)
    found = coefficients_of(_space(images), _batches(images))
    variance = found.covariance.diagonal(dim1=1, dim2=2)[:, 1:]
    score = (found.mean[:, 1:].numpy() - truth[:, 1:]) / variance.sqrt().numpy()
    # 800 scores: their deviation is known to 2.5 %
    assert abs(score.std() - 1.0) < 0.1
    assert 0.05 < float(variance.mean()) < 0.95


def test_only_the_asked_tilts_count() -> None:
    images = prepared(VOLUMES, _drawn(5), noise=3.0, images_each=3)
    space = _space(images)
    all_three = coefficients_of(space, _batches(images))
    one = coefficients_of(space, _batches(images, tilts=1))
    wider = one.covariance.diagonal(dim1=1, dim2=2)[:, 1:]
    assert (wider > all_three.covariance.diagonal(dim1=1, dim2=2)[:, 1:]).all()


def test_images_of_zeros_or_not_finite_say_nothing() -> None:
    images = prepared(VOLUMES, _drawn(6), noise=3.0)
    images._stored[0] = 0
    images._stored[1] = np.nan
    found = coefficients_of(_space(images), _batches(images))
    expected = torch.zeros(2, 2, dtype=torch.float64)
    torch.testing.assert_close(found.mean[:2, 1:], expected)
    torch.testing.assert_close(found.covariance[0, 1:, 1:], torch.eye(2, dtype=torch.float64))
    assert torch.isfinite(found.mean).all()


def test_solved_volumes_are_the_least_of_the_objective() -> None:
    truth = _drawn(60)
    images = prepared(VOLUMES, truth, noise=1.0)
    space = _space(images)
    grid, batches = space.grid, _batches(images)
    coefficients = torch.from_numpy(truth)
    sums = ChannelSums(grid, 3)
    moments = coefficients[:, :, None] * coefficients[:, None, :]
    for batch in batches.batches(grid.radius):
        corners = place_samples(batch, images.samples.frequency_xy, grid)
        sums.insert(batch, corners, coefficients[batch.owner], moments[batch.owner])
    equations = normal_equations_of(sums, 1.0)
    power = torch.full((3, grid.radius + 2), 50.0)
    prior = VolumePrior(grid, power, grid.sphere[None])
    _, white = solve_volumes(equations, prior, tolerance=1e-5)
    white.requires_grad_()
    made = grid.widened(prior.made(white))
    rows = np.arange(60)
    slices = torch.stack(
        [images.samples.of(central_slices(slice_source(v), images.rotation(rows))) for v in made],
        dim=1,
    )
    model = (slices * coefficients.float()[..., None]).sum(1) * images.transfer(rows)
    (0.5 * white.square().sum() + (images.values(rows) - model).abs().square().sum()).backward()
    assert white.grad is not None
    # next to that of no volumes at all; slices interpolate, the convolution does not
    start = 2.0 * prior.grid.sphere * equations.right
    assert float(white.grad.norm()) < 0.02 * float(white.detach().norm())
    assert float(start.norm()) > 0
