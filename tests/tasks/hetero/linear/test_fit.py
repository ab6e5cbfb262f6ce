from pathlib import Path

import numpy as np
import pytest
import torch
from linear_world import component_volumes, mean_volume, prepared

from icelens.core.events import ignore
from icelens.tasks.hetero.hetero_run import RunFacts
from icelens.tasks.hetero.linear.fit import Fit, LinearFit
from icelens.tasks.hetero.linear.fitted_model import model_of_fit
from icelens.tasks.hetero.linear.held_out import LEAST_SCORE
from icelens.tasks.hetero.linear.linear_model import posterior, read_linear_model
from icelens.tasks.hetero.linear.particle_batches import ParticleBatches
from icelens.tasks.hetero.linear.stage_grid import stage_radii
from icelens.tasks.hetero.particle_rows import particle_rows
from icelens.tasks.hetero.prepared_images import PreparedImages

VOLUMES = torch.cat([mean_volume()[None], component_volumes()])


def _fitted(images: PreparedImages, components: int = 3) -> Fit:
    rows = particle_rows(images.particles, tilts=0, seed=0)
    batches = ParticleBatches(images, rows)
    return LinearFit(batches, contrast_std=0.1, seed=0, on_event=ignore).run(components)


def _two_components(count: int = 300, noise: float = 0.5) -> tuple[PreparedImages, np.ndarray]:
    latent = np.random.default_rng(3).normal(size=(count, 2))
    coefficients = np.concatenate([np.ones((count, 1)), latent], axis=1)
    return prepared(VOLUMES, coefficients, noise=noise), latent


def test_a_model_of_two_components_is_found_again() -> None:
    images, latent = _two_components()
    model = model_of_fit(_fitted(images), images)
    assert model.latent_dim == 2
    own = torch.linalg.qr(model.components.flatten(1).T).Q
    true = torch.linalg.qr(component_volumes().flatten(1).T).Q
    assert torch.linalg.svdvals(own.T @ true).min() > 0.95
    table = model.encode(images)
    found = np.linalg.lstsq(table.latent, latent, rcond=None)[0]
    left = latent - table.latent @ found
    assert left.var() < 0.15
    # latents are scaled as their volumes are: the first has a variance of 1 with its posterior
    assert abs(table.latent[:, 0].var() + (table.deviation[:, 0] ** 2).mean() - 1.0) < 0.1
    mean, covariance = posterior(model, images, [5, 2])
    np.testing.assert_allclose(mean.numpy(), table.latent[[5, 2]], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        covariance.diagonal(dim1=1, dim2=2).sqrt().numpy(), table.deviation[[5, 2]], rtol=1e-4
    )


@pytest.mark.parametrize(
    ("contrast", "turned_by"), [(0.0, 0.0), (0.2, 0.0), (0.0, 3.0)], ids=["", "contrast", "poses"]
)
def test_one_structure_has_no_component_but_noise(contrast: float, turned_by: float) -> None:
    strength = 1.0 + contrast * np.random.default_rng(0).normal(size=(160, 1))
    images = prepared(VOLUMES[:1], strength, noise=1.0, turned_by=turned_by)
    fit = _fitted(images, 2)
    assert float(fit.tried.score.max()) < LEAST_SCORE
    model = model_of_fit(fit, images)
    assert model.num_significant == 0
    # one is written nevertheless, and is small
    assert model.latent_dim == 1
    mean, component = fit.whole.volumes.flatten(1).norm(dim=1)
    assert float(component) < 0.15 * float(mean)
    if contrast:
        assert abs(fit.whole.contrast_std - contrast) < 0.05


def test_more_components_than_there_are_change_nothing() -> None:
    images, _ = _two_components(160)
    fit = _fitted(images, 5)
    assert fit.tried.num_significant == 2
    assert len(fit.tried.score) == 5
    assert len(fit.whole.volumes) == 3


def test_components_know_nothing_of_the_other_half_set_before_they_are_tested() -> None:
    images, _ = _two_components(60)
    rows = particle_rows(images.particles, tilts=0, seed=0)
    changed, _ = _two_components(60)
    other = rows.first[rows.half_set == 2]
    changed._stored[other] = changed._stored[other][:, ::-1]
    fits = [
        LinearFit(ParticleBatches(each, rows), contrast_std=0.0, seed=0, on_event=ignore)
        for each in (images, changed)
    ]
    pair, power = fits[0]._start(fits[0].grid(8), 2)
    (own, seen), (same, other_seen) = (fit._refitted(pair, power)[0] for fit in fits)
    torch.testing.assert_close(own.volumes, same.volumes)
    assert not torch.allclose(seen.volumes, other_seen.volumes)


def test_radii_grow_to_the_last() -> None:
    assert stage_radii(23) == [8, 12, 18, 23]
    assert stage_radii(5) == [5]
    assert stage_radii(9) == [8, 9]


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    images, _ = _two_components(40)
    model = model_of_fit(_fitted(images, 1), images, tilts=3)
    model.save(tmp_path)
    facts = RunFacts("linear", model.latent_dim, images.box_size, images.pixel_size, ("a.star",))
    again = read_linear_model(tmp_path, facts)
    latent = torch.ones(1, model.latent_dim)
    for half in (0, 1, 2):
        for box_size in (None, 16):
            first, second = (
                next(each.volumes(latent, half=half, box_size=box_size)) for each in (model, again)
            )
            torch.testing.assert_close(first, second)
    assert again.tilts == 3
    assert again.tried == model.tried
    assert again.num_significant == model.num_significant
