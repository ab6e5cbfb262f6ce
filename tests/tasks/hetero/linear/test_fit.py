import numpy as np
import torch
from linear_world import component_volumes, mean_volume, prepared

from icelens.core.events import ignore
from icelens.tasks.hetero.linear.fit import LEAST_AGREEMENT, Fit, LinearFit, stage_radii
from icelens.tasks.hetero.linear.linear_model import model_of_fit, posterior, read_linear_model
from icelens.tasks.hetero.linear.particle_batches import ParticleBatches
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


def test_one_structure_has_no_component_that_halves_agree_on() -> None:
    images = prepared(VOLUMES[:1], np.ones((200, 1)), noise=1.0)
    fit = _fitted(images)
    assert float(fit.agreement.max()) < LEAST_AGREEMENT
    assert len(fit.kept) == 1
    assert torch.isfinite(fit.whole.volumes).all()


def test_particles_that_differ_in_contrast_alone_are_one_structure() -> None:
    contrast = 1.0 + 0.2 * np.random.default_rng(0).normal(size=(300, 1))
    fit = _fitted(prepared(VOLUMES[:1], contrast, noise=1.0))
    assert abs(fit.whole.contrast_std - 0.2) < 0.05
    mean, component = fit.whole.volumes.flatten(1).norm(dim=1)[:2]
    assert float(component) < 0.1 * float(mean)


def test_the_first_round_of_a_half_does_not_see_the_other() -> None:
    images, _ = _two_components(60)
    rows = particle_rows(images.particles, tilts=0, seed=0)
    changed, _ = _two_components(60)
    other = rows.first[rows.half_set == 2]
    changed._stored[other] = changed._stored[other][:, ::-1]
    spaces = []
    for each in (images, changed):
        fit = LinearFit(ParticleBatches(each, rows), contrast_std=0.0, seed=0, on_event=ignore)
        spaces.append(fit.expect(fit._start(fit.grid(8), 2)[0][0], fit.members[0])[0].numbers)
    # only the expected power, which both halves decide, may differ
    assert torch.corrcoef(torch.stack([each[:, :2].flatten() for each in spaces]))[0, 1] > 0.999


def test_radii_grow_to_the_last() -> None:
    assert stage_radii(23) == [8, 12, 18, 23]
    assert stage_radii(5) == [5]
    assert stage_radii(9) == [8, 9]


def test_a_model_is_read_as_it_was_written(tmp_path) -> None:
    from icelens.tasks.hetero.hetero_run import RunFacts

    images, _ = _two_components(60)
    model = model_of_fit(_fitted(images, 2), images, tilts=3)
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
