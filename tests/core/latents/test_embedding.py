"""UMAP of latents, where it is installed."""

import numpy as np
import pytest

from icelens.core.latents.embedding import has_umap, umap_embedding

needs_umap = pytest.mark.skipif(not has_umap(), reason="umap-learn is not installed")


def two_groups():
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(0, 1, (40, 4)), rng.normal(20, 1, (40, 4))])


@needs_umap
def test_groups_stay_apart_and_a_seed_repeats():
    first = umap_embedding(two_groups(), seed=1)
    assert first is not None
    middle = np.stack([first[:40].mean(axis=0), first[40:].mean(axis=0)])
    radius = np.linalg.norm(first[:40] - middle[0], axis=1).max()
    assert np.linalg.norm(middle[0] - middle[1]) > radius
    again = umap_embedding(two_groups(), seed=1)
    assert (first == again).all()


@needs_umap
def test_particles_that_were_not_drawn_have_no_coordinates():
    found = umap_embedding(two_groups(), most=30)
    assert found is not None
    assert np.isfinite(found).all(axis=1).sum() == 30


@pytest.mark.parametrize("latent", [np.ones((50, 3)), np.arange(10.0).reshape(5, 2)])
def test_latents_that_are_few_or_all_alike_are_not_embedded(latent):
    assert umap_embedding(latent) is None
