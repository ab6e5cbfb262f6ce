"""Free energies are those of the density particles were drawn from, with honest errors."""

import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.latents.free_energy import free_energy


def two_wells(num_particles, rng, second=0.25):
    is_second = rng.random(num_particles) < second
    return (rng.normal(0.0, 0.5, num_particles) + 3.0 * is_second)[:, None]


def test_parabola_comes_back_from_a_gaussian():
    points = np.random.default_rng(0).normal(size=(50_000, 1))
    found = free_energy(points, bins=30)
    centre = found.centres()[0]
    inner = np.abs(centre) < 2
    assert found.energy_kT[inner] == pytest.approx(0.5 * centre[inner] ** 2, abs=0.1)
    assert np.nanmin(found.energy_kT) == 0


def test_error_bars_are_the_scatter_between_sets_of_particles():
    rng = np.random.default_rng(0)
    edges_of = free_energy(two_wells(2000, rng), bins=12)
    logs = []
    for _ in range(200):
        count = np.histogram(two_wells(2000, rng)[:, 0], edges_of.edges[0])[0]
        logs.append(np.log(np.maximum(count, 0.5) / count.sum()))
    scatter = np.std(logs, axis=0)
    often = edges_of.count > 10
    assert edges_of.error_kT[often] == pytest.approx(scatter[often], rel=0.4)


def test_two_coordinates_and_empty_bins():
    points = np.random.default_rng(0).normal(size=(500, 2))
    found = free_energy(points, bins=20)
    assert found.energy_kT.shape == (20, 20)
    assert np.isnan(found.energy_kT[found.count == 0]).all()
    assert np.isfinite(found.error_kT[found.count > 0]).all()


def test_weights_count_as_so_many_particles():
    points = np.array([[0.0]] * 30 + [[1.0]] * 10)
    weights = np.array([1.0] * 30 + [3.0] * 10)
    found = free_energy(points, bins=2, weights=weights)
    assert found.energy_kT == pytest.approx([0.0, 0.0])
    assert found.error_kT[1] > found.error_kT[0]


def test_uncertainty_fills_the_barrier_that_was_not_resolved():
    points = two_wells(20_000, np.random.default_rng(0), second=0.5)
    narrow = free_energy(points, bins=40, deviation=np.full_like(points, 0.05))
    wide = free_energy(points, bins=40, deviation=np.full_like(points, 1.2))
    middle = int(np.abs(narrow.centres()[0] - 1.5).argmin())
    assert narrow.widened_kT is not None
    assert wide.widened_kT is not None
    assert narrow.widened_kT[middle] == pytest.approx(narrow.energy_kT[middle], abs=0.4)
    assert wide.widened_kT[middle] < 0.3 * wide.energy_kT[middle]
    assert free_energy(points, deviation=np.full_like(points, np.nan)).widened_kT is None


def test_same_seed_same_errors_and_equal_points_are_one_bin():
    points = np.zeros((10, 1))
    first, second = free_energy(points, bins=5), free_energy(points, bins=5)
    assert first.error_kT[2] == second.error_kT[2]
    assert np.isfinite(first.energy_kT).sum() == 1


@pytest.mark.parametrize("shape", [(5, 3), (0, 1)])
def test_other_coordinates_than_one_or_two_are_refused(shape):
    with pytest.raises(GeometryError, match="expected"):
        free_energy(np.zeros(shape))
