"""Spheres are painted where they are, crop by crop as in the whole."""

import numpy as np
import pytest

from icelens.core.volumes.spheres import label_spheres


def brute_force(shape, centres, radii, labels):
    """Every voxel asks every sphere."""
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    painted = np.zeros(shape, np.uint8)
    nearest = np.full(shape, np.inf)
    for centre, radius, label in zip(centres, radii, labels, strict=True):
        distance = np.linalg.norm(grid - centre, axis=-1) / radius
        # the surface belongs to the sphere, to seven digits
        is_won = (distance <= 1 + 5e-7) & (distance < nearest)
        nearest[is_won] = distance[is_won]
        painted[is_won] = label
    return painted


@pytest.fixture(scope="module")
def spheres():
    rng = np.random.default_rng(3)
    return rng.uniform(-3, 27, (25, 3)), rng.uniform(1.5, 6, 25), rng.integers(1, 6, 25)


def test_overlaps_go_to_the_nearer_centre_in_units_of_its_radius(spheres):
    shape = (20, 22, 24)
    np.testing.assert_array_equal(
        label_spheres(shape, (0, 0, 0), *spheres), brute_force(shape, *spheres)
    )


@pytest.mark.parametrize("start", [(0, 0, 0), (5, 7, 3), (-4, -2, 12)])
def test_a_crop_is_a_piece_of_the_whole(spheres, start):
    centres, radii, labels = spheres
    whole = label_spheres((40, 40, 40), (-8, -8, -8), centres, radii, labels)
    corner = tuple(slice(s + 8, s + 18) for s in start)
    np.testing.assert_array_equal(
        label_spheres((10, 10, 10), start, centres, radii, labels), whole[corner]
    )


def test_the_order_of_spheres_does_not_matter(spheres):
    centres, radii, labels = spheres
    backwards = label_spheres((24, 24, 24), (0, 0, 0), centres[::-1], radii[::-1], labels[::-1])
    forwards = label_spheres((24, 24, 24), (0, 0, 0), *spheres)
    np.testing.assert_array_equal(forwards, backwards)


def test_volume_and_centre_are_those_of_the_sphere():
    centre = np.array([[10.3, 11.7, 9.45]])
    painted = label_spheres((22, 22, 22), (0, 0, 0), centre, np.array([6.0]), np.array([7]))
    # a ball of 6 voxels counted on a grid: its surface of 450 voxels is uncertain by about 1 %
    assert (painted == 7).sum() == pytest.approx(4 / 3 * np.pi * 216, rel=0.02)
    np.testing.assert_allclose(np.argwhere(painted).mean(axis=0), centre[0], atol=0.05)


def test_no_sphere_leaves_background():
    painted = label_spheres((3, 4, 5), (0, 0, 0), np.empty((0, 3)), np.empty(0), np.empty(0, int))
    assert painted.shape == (3, 4, 5)
    assert not painted.any()


def test_a_sphere_that_holds_no_voxel_paints_none():
    centre = np.array([[1.5, 1.5, 1.5]])
    assert not label_spheres((4, 4, 4), (0, 0, 0), centre, np.array([0.4]), np.array([1])).any()
