"""Images of particles by number, in the frame of the least tilted one."""

from dataclasses import replace

import numpy as np
import torch
from pose_world import make_world

from icelens.core.geometry.rotations import relion_angles_to_matrix
from icelens.tasks.hetero.abinitio.search_images import (
    SearchImages,
    places_of_rows,
    sphere,
    without_poses,
)
from icelens.tasks.hetero.image_grid import Grid
from icelens.tasks.hetero.particle_rows import particle_rows


def test_single_images_have_the_identity_as_their_frame() -> None:
    particles = make_world(5, 1.0).particles
    plain = without_poses(particles, particle_rows(particles, tilts=0, seed=0))
    assert np.array_equal(plain.rotation, np.broadcast_to(np.eye(3), (5, 3, 3)))
    assert not plain.shift_yx.any()


def test_tilt_series_are_seen_from_their_least_tilted_image() -> None:
    particles = make_world(4, 1.0).particles
    angles = torch.tensor([[10.0, 40.0, 5.0], [10.0, 5.0, 5.0], [3.0, 60.0, 1.0], [3.0, 2.0, 1.0]])
    stage = relion_angles_to_matrix(angles.double()).numpy()
    tilted = replace(
        particles,
        particle=np.array([7, 7, 3, 3]),
        stage=stage,
        ctf_scale=np.array([0.7, 1.0, 0.5, 1.0]),
    )
    rows = particle_rows(tilted, tilts=0, seed=0)
    plain = without_poses(tilted, rows)
    assert np.allclose(plain.rotation[[1, 3]], np.eye(3))
    assert np.allclose(plain.rotation[0], stage[0] @ stage[1].T)
    assert places_of_rows(tilted, rows).tolist() == [0, 0, 1, 1]


def test_images_without_weight_are_left_out(search_images: SearchImages) -> None:
    prepared = search_images.prepared
    weight = np.ones(60)
    weight[[2, 5]] = 0.0
    lighter = prepared.with_poses(replace(prepared.particles, weight=weight))
    series = SearchImages(lighter, search_images.rows).series(np.array([1, 2, 3]), radius=5)
    assert series.owner.tolist() == [0, 2]
    assert series.num_particles == 3


def test_a_sphere_is_round_and_soft() -> None:
    inside = sphere(Grid(16, 2.0, 7), 20.0)
    assert inside[8, 8, 8] == 1.0
    assert inside[8, 8, 0] == 0.0
    assert torch.equal(inside, inside.transpose(0, 2))
