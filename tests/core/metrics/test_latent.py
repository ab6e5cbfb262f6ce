import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.metrics.latent import (
    adjusted_mutual_information,
    adjusted_rand_index,
    information_imbalance,
    neighbourhood_similarity,
    rank_correlation,
)

RNG = np.random.default_rng(0)
ANGLE = RNG.uniform(0.0, 360.0, 400)
CIRCLE = np.stack([np.cos(np.deg2rad(ANGLE)), np.sin(np.deg2rad(ANGLE))], axis=1)
LINE = RNG.uniform(-1.0, 1.0, 400)
UNRELATED = RNG.normal(size=(400, 2))


def turned(points: np.ndarray, dimension: int = 5) -> np.ndarray:
    """The same points in a space of more dimensions, in no direction that is special."""
    frame = np.linalg.qr(np.random.default_rng(1).normal(size=(dimension, dimension)))[0]
    return points @ frame[: points.shape[1]]


def test_partitions_are_the_same_whatever_their_names() -> None:
    truth = np.arange(60) % 3
    for index in (adjusted_rand_index, adjusted_mutual_information):
        assert index(["b", "c", "a"] * 20, truth) == pytest.approx(1.0)
        assert abs(index(RNG.permutation(truth), truth)) < 0.1
        with pytest.raises(GeometryError, match="one for each particle"):
            index(truth[1:], truth)


def test_order_on_a_line_is_found_in_any_direction_and_any_sense() -> None:
    latent = turned(np.stack([-(LINE**3), 0.1 * UNRELATED[:, 0]], axis=1))
    assert rank_correlation(latent, LINE) > 0.98
    assert rank_correlation(-LINE, LINE) == pytest.approx(1.0)
    assert rank_correlation(UNRELATED, LINE) < 0.15
    assert rank_correlation(np.zeros((400, 3)), LINE) == 0.0


def test_equal_latents_of_equal_truth_are_no_disorder() -> None:
    state = RNG.integers(2, size=101)
    latent = turned((state[:, None] + 0.01) * np.array([[0.3, 0.7]]))
    assert rank_correlation(latent, 60.0 * state - 30.0) == pytest.approx(1.0)


def test_order_on_a_circle_is_found_where_a_line_would_lose_it() -> None:
    latent = turned(CIRCLE)
    assert rank_correlation(latent, ANGLE, period=360.0) > 0.98
    assert rank_correlation(latent * [1, -1, 1, 1, 1], ANGLE + 90.0, period=360.0) > 0.9
    assert rank_correlation(UNRELATED, ANGLE, period=360.0) < 0.15
    assert rank_correlation(ANGLE, ANGLE, period=360.0) > 0.999
    assert rank_correlation(latent, ANGLE) < 0.9


def test_neighbours_are_kept_by_any_turn_of_the_latents_and_lost_by_chance() -> None:
    chance = 10 / 399
    assert neighbourhood_similarity(turned(CIRCLE), CIRCLE, num_neighbours=10) == pytest.approx(1.0)
    on_circle = neighbourhood_similarity(CIRCLE, ANGLE, num_neighbours=10, period=360.0)
    assert on_circle == pytest.approx(1.0)
    assert neighbourhood_similarity(CIRCLE, ANGLE, num_neighbours=10) < on_circle
    lost = neighbourhood_similarity(UNRELATED, ANGLE, num_neighbours=10)
    assert lost == pytest.approx(chance, abs=0.02)


def test_particles_of_one_state_are_no_misses_for_each_other() -> None:
    state = np.repeat(np.arange(4), 25)
    latent = state[:, None] + 0.01 * RNG.normal(size=(100, 2))
    assert neighbourhood_similarity(latent, state, num_neighbours=5) == 1.0
    with pytest.raises(GeometryError, match="expected 1 to 99"):
        neighbourhood_similarity(latent, state, num_neighbours=100)


def test_imbalance_tells_which_space_knows_the_other() -> None:
    plane = np.stack([LINE, UNRELATED[:, 0]], axis=1)
    assert information_imbalance(plane, LINE) < 0.2
    assert information_imbalance(LINE, plane) > 2.0 * information_imbalance(plane, LINE)
    # no neighbour is nearer than the nearest: rank 1 of 400, twice over 400
    assert information_imbalance(CIRCLE, ANGLE, period_asked=360.0) == pytest.approx(2 / 400)
    assert information_imbalance(ANGLE, UNRELATED, period_known=360.0) == pytest.approx(
        1.0, abs=0.1
    )
    assert information_imbalance(np.zeros(400), LINE) == pytest.approx(1.0, abs=0.02)


def test_tables_of_other_particles_are_refused() -> None:
    with pytest.raises(GeometryError, match="row for each"):
        information_imbalance(LINE, LINE[1:])
    with pytest.raises(GeometryError, match="has no order"):
        rank_correlation(UNRELATED, CIRCLE)
