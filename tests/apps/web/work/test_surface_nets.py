"""Tests of apps/web/work/surface_nets.py."""

import numpy as np
import pytest

from icelens.apps.web.work import surface_nets as module
from icelens.apps.web.work.surface_nets import TooManyVertices, surface_nets


def ball(side=32, radius=10.0):
    z, y, x = np.indices((side,) * 3) - (side - 1) / 2
    return (radius - np.sqrt(z * z + y * y + x * x)).astype(np.float32)


def corners(mesh):
    xyz = mesh.vertex_zyx[:, ::-1].astype(np.float64)
    return (xyz[mesh.triangles[:, place]] for place in range(3))


def test_the_surface_of_a_ball_lies_at_its_radius_and_encloses_its_volume():
    mesh = surface_nets(ball(), 0.0)
    distance = np.linalg.norm(mesh.vertex_zyx - 15.5, axis=1)
    # the mean of the crossings of a cell lies a little within a curved surface
    np.testing.assert_allclose(distance, 10.0, atol=0.12)
    a, b, c = corners(mesh)
    enclosed = np.einsum("ij,ij->", a - 15.5, np.cross(b - 15.5, c - 15.5)) / 6
    assert enclosed == pytest.approx(4 / 3 * np.pi * 1000, rel=0.02)


def test_every_edge_belongs_to_two_triangles():
    triangles = surface_nets(ball(), 0.0).triangles
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    counts = np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)[1]
    assert set(counts) == {2}


def test_normals_point_outwards_as_triangles_do():
    mesh = surface_nets(ball(), 0.0)
    outwards = (mesh.vertex_zyx - 15.5) / np.linalg.norm(mesh.vertex_zyx - 15.5, axis=1)[:, None]
    assert ((mesh.normal_zyx * outwards).sum(axis=1) > 0.98).all()
    a, b, c = corners(mesh)
    facing = np.cross(b - a, c - a)[:, ::-1]
    assert ((facing * mesh.normal_zyx[mesh.triangles[:, 0]]).sum(axis=1) > 0).all()


def test_density_at_the_border_is_closed_just_outside_it():
    mesh = surface_nets(np.ones((4, 5, 6), np.float32), 0.0)
    assert mesh.vertex_zyx.min(axis=0).tolist() == pytest.approx([-0.5, -0.5, -0.5])
    assert mesh.vertex_zyx.max(axis=0).tolist() == pytest.approx([3.5, 4.5, 5.5])
    assert surface_nets(np.ones((1, 1, 1), np.float32), 0.0).triangles.shape == (12, 3)


def test_a_level_that_nothing_reaches_gives_an_empty_mesh():
    mesh = surface_nets(ball(), 100.0)
    assert len(mesh.vertex_zyx) == len(mesh.triangles) == 0


def test_a_surface_in_the_noise_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setattr(module, "LARGEST_MESH", 500)
    with pytest.raises(TooManyVertices, match="raise the level"):
        surface_nets(ball(), 0.0)
