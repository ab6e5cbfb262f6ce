import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.geometry.healpix import (
    MAX_ORDER,
    cell_angles,
    healpix_cell,
    healpix_directions,
    num_cells,
)


def _random_directions(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 5])
def test_centres_lie_in_their_own_cells(order: int) -> None:
    centres = healpix_directions(order)
    assert np.array_equal(healpix_cell(centres, order), np.arange(num_cells(order)))
    # of any length
    assert np.array_equal(healpix_cell(7.5 * centres, order), np.arange(num_cells(order)))


@pytest.mark.parametrize("order", [0, 2, 4, 11])
def test_children_lie_in_their_parents(order: int) -> None:
    directions = _random_directions(20000)
    child = healpix_cell(directions, order + 1)
    assert np.array_equal(child // 4, healpix_cell(directions, order))


def test_cells_have_equal_areas() -> None:
    num_points = 480_000
    found = np.bincount(healpix_cell(_random_directions(num_points), 1), minlength=48)
    expected = num_points / 48
    # the counts are Poisson: five standard deviations of the worst of 48
    assert np.abs(found - expected).max() < 5.0 * np.sqrt(expected)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_points_are_no_further_from_their_centre_than_a_cell_reaches(order: int) -> None:
    directions = _random_directions(5000)
    cell = healpix_cell(directions, order)
    own = healpix_directions(order)[cell]
    angle = np.rad2deg(np.arccos((directions * own).sum(axis=1).clip(-1, 1)))
    # 48.2 degrees at order 0, where the cap's cells reach from their centres to the pole; finer
    # cells are a little longer for their size
    assert angle.max() < 55.0 / 2**order


@pytest.mark.parametrize("order", [0, 1, 2, 6])
def test_poles_belong_to_cells_that_touch_them(order: int) -> None:
    for z in (1.0, -1.0):
        cell = int(healpix_cell([0.0, 0.0, z], order))
        side = 2**order
        faces = range(4) if z > 0 else range(8, 12)
        assert cell // side**2 in faces
        polar, _ = cell_angles(order, cell)
        nearest = np.arccos(np.abs(healpix_directions(order)[:, 2]).max())
        assert min(float(polar), np.pi - float(polar)) == pytest.approx(float(nearest))


def test_known_centres_are_healpixs() -> None:
    # Gorski et al. 2005, equations 4 and 8, for the first rings of order 1
    polar, longitude = cell_angles(1)
    first = np.flatnonzero(np.isclose(np.cos(polar), 1.0 - 1.0 / 12.0))
    assert first.tolist() == [3, 7, 11, 15]
    assert np.allclose(longitude[first], np.pi * np.array([0.25, 0.75, 1.25, 1.75]))
    equator = np.flatnonzero(np.isclose(np.cos(polar), 0.0))
    assert len(equator) == 8


def test_directions_are_unit_vectors_of_the_angles() -> None:
    polar, longitude = cell_angles(2, [0, 17, 191])
    vectors = healpix_directions(2)[[0, 17, 191]]
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0)
    assert np.allclose(vectors[:, 2], np.cos(polar))
    assert np.allclose(np.arctan2(vectors[:, 1], vectors[:, 0]) % (2 * np.pi), longitude)


@pytest.mark.parametrize("order", [-1, MAX_ORDER + 1])
def test_orders_out_of_range_are_refused(order: int) -> None:
    with pytest.raises(GeometryError, match="expected 0 to 12"):
        healpix_cell([0.0, 0.0, 1.0], order)
