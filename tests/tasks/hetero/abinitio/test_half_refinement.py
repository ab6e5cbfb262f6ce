"""Local refinement in two half sets."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from pose_world import BOX, PIXEL, make_world, written

from icelens.core.geometry.rotations import relion_angles_to_matrix, rotation_distance
from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.image_source import ImageSource
from icelens.tasks.hetero.abinitio.half_refinement import (
    Reference,
    next_references,
    reconstruct,
    refine_round,
    with_unused,
)
from icelens.tasks.hetero.image_grid import Grid


def test_a_round_brings_poses_nearer_and_maps_come_of_both_halves(tmp_path: Path) -> None:
    world = make_world(40, 1.0)
    particles = written(world, tmp_path)
    started = replace(particles, rotation=world.start(5.0).double().numpy())
    # rounding of single precision
    left, _, right = np.linalg.svd(started.rotation)
    started = replace(started, rotation=left @ right)
    source = ImageSource(started, ImageReader(started), torch.device("cpu"))
    sets = {half: np.flatnonzero(started.half_set == half) for half in (1, 2)}
    reference = Reference(world.volume, PIXEL, 20.0)
    told: list[int] = []
    found = refine_round(
        {1: reference, 2: reference},
        source,
        sets,
        number=0,
        mask_diameter=150.0,
        max_resolution=None,
        on_done=told.append,
    )
    error = rotation_distance(torch.from_numpy(found.rotation).float(), world.rotation)
    assert float(error.median()) < 2.5
    assert told[-1] == 40
    posed = replace(source, particles=found)
    halves = reconstruct(posed, sets, Grid(BOX, PIXEL, 15), 150.0, told.append)
    assert halves.fsc.correlation[2] > 0.8
    references = next_references(halves, PIXEL)
    assert references[1].resolution == halves.resolution
    assert not torch.equal(references[1].density, references[2].density)


def test_images_that_were_not_used_get_their_particles_pose() -> None:
    particles = make_world(4, 1.0).particles
    stage = relion_angles_to_matrix(torch.tensor([[0.0, 20.0, 0.0]] * 4).double()).numpy()
    series = replace(particles, particle=np.array([0, 0, 1, 1]), stage=stage)
    found = with_unused(series, np.array([0, 3]))
    assert np.allclose(found.rotation[1], series.rotation[0])
    assert np.allclose(found.rotation[2], series.rotation[3])
    assert np.allclose(found.rotation[[0, 3]], series.rotation[[0, 3]])
