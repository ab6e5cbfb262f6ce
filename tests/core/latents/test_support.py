"""A latent where no particle lies is said to be extrapolated."""

import numpy as np
import pytest

from icelens.core.data.latents import LatentTable
from icelens.core.errors import MetadataError
from icelens.core.latents.support import support_measure, support_of


def ring(num_particles=600, width=0.05):
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, num_particles)
    radius = 1.0 + width * rng.normal(size=num_particles)
    return LatentTable(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1))


def test_centre_of_a_ring_is_extrapolated_and_the_ring_is_supported():
    found = support_of([[0.0, 0.0], [1.0, 0.0], [0.0, -1.0], [4.0, 0.0]], ring())
    assert found.flag == ("extrapolated", "supported", "supported", "extrapolated")
    assert found.num_near[[0, 3]].tolist() == [0, 0]
    assert (found.num_near[1:3] > 10).all()
    assert found.density_percentile[0] == 0.0


def test_junk_far_away_does_not_make_the_hole_of_a_ring_less_empty():
    junk = 20.0 * np.random.default_rng(1).normal(size=(30, 2))
    table = LatentTable(np.concatenate([ring().latent, junk]))
    assert support_of([[0.0, 0.0], [1.0, 0.0]], table).flag == ("extrapolated", "supported")
    assert set(support_of(junk, table).flag) == {"sparse"}


def test_no_latent_without_a_particle_near_is_supported():
    table = ring()
    points = np.random.default_rng(2).uniform(-1.5, 1.5, (500, 2))
    found = support_of(points, table)
    assert all(n > 0 for n, f in zip(found.num_near, found.flag, strict=True) if f == "supported")
    assert {"supported", "sparse", "extrapolated"} == set(found.flag)


def test_typical_particle_has_k_neighbours_and_percentiles_are_even():
    table = LatentTable(np.random.default_rng(0).normal(size=(1500, 3)))
    measure = support_measure(table)
    found = measure.of(table.latent)
    # the particle itself is near its own latent
    assert np.median(found.num_near) == pytest.approx(measure.neighbours + 1, abs=1)
    assert np.quantile(found.density_percentile, [0.25, 0.75]) == pytest.approx([25, 75], abs=8)
    assert (found.nearest == np.arange(1500)).all()
    assert "extrapolated" not in found.flag
    assert 0.01 < np.mean(np.asarray(found.flag) == "sparse") < 0.1


def test_point_between_two_states_is_extrapolated():
    rng = np.random.default_rng(0)
    latent = np.concatenate([rng.normal(0, 0.2, (300, 8)), rng.normal(3, 0.2, (300, 8))])
    found = support_of(np.full((1, 8), 1.5), LatentTable(latent))
    assert found.flag == ("extrapolated",)
    assert found.num_near.tolist() == [0]


def test_direction_that_posteriors_do_not_know_is_forgiven():
    rng = np.random.default_rng(0)
    latent = np.stack([rng.normal(size=400), 0.001 * rng.normal(size=400)], axis=1)
    query = [[0.0, 0.1]]
    deviation = np.broadcast_to([0.1, 1.0], (400, 2))
    assert support_of(query, LatentTable(latent)).flag == ("extrapolated",)
    assert support_of(query, LatentTable(latent, deviation=deviation)).flag == ("supported",)


@pytest.mark.parametrize("latent", [np.zeros((5, 2)), np.zeros((1, 2))])
def test_equal_latents_support_their_own_place_alone(latent):
    found = support_of([[0.0, 0.0], [1.0, 0.0]], LatentTable(latent))
    assert found.flag == ("supported", "extrapolated")
    assert found.num_near.tolist() == [len(latent), 0]


@pytest.mark.parametrize(
    ("latent", "piece"),
    [([[0.0]], "1 dimensions, expected 2"), ([[np.nan, 0.0]], "not finite"), ([], "expected one")],
)
def test_latents_of_another_dimension_or_without_numbers_are_refused(latent, piece):
    with pytest.raises(MetadataError, match=piece):
        support_of(latent, ring())
