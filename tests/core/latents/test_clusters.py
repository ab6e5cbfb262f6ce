"""k-means finds groups, numbers them along their similarity and names a particle in each."""

import numpy as np
import pytest

import icelens.core.latents.clusters as clusters_module
from icelens.core.latents.clusters import k_means, similar_order


def line_of_groups(order, each=30):
    rng = np.random.default_rng(1)
    return np.concatenate([rng.normal([10.0 * place, 0.0], 0.5, (each, 2)) for place in order])


def test_groups_are_found_and_neighbours_in_number_are_neighbours_in_space():
    latent = line_of_groups([3, 0, 2, 4, 1])
    found = k_means(latent, 5)
    assert found.sizes().tolist() == [30] * 5
    place = np.round(found.centre[:, 0] / 10)
    assert (np.abs(np.diff(place)) == 1).all()
    assert set(found.label) == {1, 2, 3, 4, 5}


def test_nearest_particle_is_a_member_and_none_is_nearer():
    latent = line_of_groups([0, 1, 2])
    found = k_means(latent, 3)
    assert found.label[found.particle].tolist() == [1, 2, 3]
    distance = np.linalg.norm(latent[:, None] - found.centre, axis=-1)
    assert found.particle.tolist() == distance.argmin(axis=0).tolist()


def test_centres_learnt_from_a_part_serve_all(monkeypatch):
    monkeypatch.setattr(clusters_module, "_MOST_TO_LEARN_FROM", 40)
    found = k_means(line_of_groups([0, 1]), 2)
    assert found.sizes().tolist() == [30, 30]
    assert len(found.label) == 60


def test_same_seed_gives_the_same_groups():
    latent = np.random.default_rng(0).normal(size=(100, 3))
    first, second = k_means(latent, 7, seed=3), k_means(latent, 7, seed=3)
    assert (first.label == second.label).all()
    assert (first.particle == second.particle).all()


@pytest.mark.parametrize(
    ("latent", "expected"), [(np.zeros((6, 2)), 1), (np.array([[0.0], [1.0], [1.0]]), 2)]
)
def test_there_are_no_more_groups_than_different_latents(latent, expected):
    found = k_means(latent, 20)
    assert len(found) == expected
    assert found.label.min() == 1
    assert found.label.max() == expected


def test_order_of_two_stays():
    assert similar_order(np.array([[1.0], [0.0]])).tolist() == [0, 1]


def test_particles_far_away_join_groups_but_get_none_of_their_own():
    latent = np.concatenate([line_of_groups([0, 1]), [[500.0, 0.0], [-500.0, 0.0], [0.0, 500.0]]])
    teaches = np.arange(len(latent)) < 60
    found = k_means(latent, 2, learnt_from=teaches)
    assert sorted(np.round(found.centre[:, 0] / 10)) == [0, 1]
    assert found.sizes().sum() == 63
    assert found.sizes().min() >= 30
    assert len(k_means(latent, 2, learnt_from=np.zeros(63, bool))) == 2


def test_groups_that_nobody_teaches_are_left_out():
    latent = np.array([[0.0], [0.0], [0.0], [5.0]])
    found = k_means(latent, 3, learnt_from=np.array([True, True, True, False]))
    assert found.label.tolist() == [1, 1, 1, 1]
    assert found.centre.tolist() == [[0.0]]
