"""Distances to masks and local normals: planes, spheres, several membranes, both sides."""

import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.volumes.surface import stand, surface_of

SIDE = 40
GRID = np.stack(np.meshgrid(*[np.arange(SIDE)] * 3, indexing="ij"), axis=-1) - SIDE / 2
REACH = 4.5


def angle(first, second) -> np.ndarray:
    return np.degrees(np.arccos(np.clip((first * second).sum(axis=-1), -1, 1)))


def test_both_sides_of_a_sheet_face_away_from_it():
    mask = np.zeros((20, 12, 12), bool)
    mask[8:12] = True  # its faces are at 7.5 and 11.5
    points = np.array([[14.0, 6, 6], [5.0, 6, 6], [11.5, 6, 6], [10.0, 6.0, 6.0]])
    found = stand(surface_of(mask), points, reach_px=REACH)
    np.testing.assert_allclose(found.distance, [2.5, 2.5, 0.0, -1.5], atol=1e-9)
    np.testing.assert_allclose(found.foot[:2], [[11.5, 6, 6], [7.5, 6, 6]])
    np.testing.assert_allclose(found.normal, [[1, 0, 0], [-1, 0, 0], [1, 0, 0], [1, 0, 0]])
    assert found.voxel[:2].tolist() == [[11, 6, 6], [8, 6, 6]]


@pytest.mark.parametrize("seed", range(5))
def test_inclined_sheet_has_its_normal_and_distance(seed):
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal(3)
    normal /= np.linalg.norm(normal)
    surface = surface_of(np.abs(GRID @ normal) <= 2.0)
    along = np.cross(normal, rng.standard_normal(3))
    side = np.array([1.0, -1.0, 1.0, -1.0])
    height = np.array([1.0, 3.0, 5.0, 8.0])
    points = 3 * along + ((2.0 + height) * side)[:, None] * normal + SIDE / 2
    found = stand(surface, points, reach_px=REACH)
    # Measured 0.8 degrees and 0.1 voxels on average over many sheets; more beside the surface.
    assert angle(found.normal, side[:, None] * normal).max() < 5
    assert np.abs(found.distance - height).max() < 0.7


@pytest.mark.parametrize("side", [1, -1])
def test_shell_faces_out_of_it_on_either_side(side):
    mask = np.abs(np.linalg.norm(GRID, axis=-1) - 12) <= 2
    radial = np.random.default_rng(0).standard_normal((40, 3))
    radial /= np.linalg.norm(radial, axis=-1, keepdims=True)
    points = (12 + side * 5.0) * radial + SIDE / 2
    found = stand(surface_of(mask), points, reach_px=REACH)
    # Inside, the shell's radius is but twice the reach.
    assert angle(found.normal, side * radial).mean() < (4 if side > 0 else 7)
    assert found.distance.mean() == pytest.approx(3.0, abs=0.3)


def test_nearest_of_several_membranes_counts():
    mask = np.zeros((30, 10, 10), bool)
    mask[5:8], mask[20:23] = True, True
    points = np.array([[10.0, 5, 5], [17.0, 5, 5]])
    found = stand(surface_of(mask), points, reach_px=REACH)
    np.testing.assert_allclose(found.normal[:, 0], [1, -1])
    np.testing.assert_allclose(found.distance, [2.5, 2.5])


def test_points_beyond_the_volume_are_outside_the_mask():
    mask = np.zeros((6, 6, 6), bool)
    mask[3:] = True
    found = stand(surface_of(mask), np.array([[-4.0, 3, 3]]), reach_px=REACH)
    np.testing.assert_allclose(found.distance, [6.5])
    np.testing.assert_allclose(found.normal, [[-1, 0, 0]])


def test_lone_voxel_and_no_points_do_no_harm():
    mask = np.zeros((5, 5, 5), bool)
    mask[2, 2, 2] = True
    found = stand(surface_of(mask), np.array([[2.0, 2.0, 2.0], [2.0, 2.0, 4.0]]), reach_px=REACH)
    np.testing.assert_allclose(np.linalg.norm(found.normal, axis=-1), 1.0)
    np.testing.assert_allclose(found.normal[1], [0, 0, 1], atol=1e-9)
    assert len(stand(surface_of(mask), np.empty((0, 3)), reach_px=REACH).distance) == 0


@pytest.mark.parametrize("mask", [np.zeros((4, 4, 4), bool), np.ones((4, 4, 4), bool)])
def test_mask_without_surface_is_refused(mask):
    with pytest.raises(GeometryError, match="empty or full"):
        surface_of(mask)
    with pytest.raises(GeometryError, match=r"shape \(4, 4\)"):
        surface_of(mask[0])
