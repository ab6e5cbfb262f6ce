"""Tilt series are searched jointly."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from pose_world import PIXEL, make_world, written

from icelens.core.events import ignore
from icelens.core.geometry.rotations import relion_angles_to_matrix, rotation_distance
from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.image_source import ImageSource
from icelens.core.pose_search.grid_search import RotationGrid
from icelens.core.simulate.particles import simulator_for
from icelens.core.volumes.to_box import to_box
from icelens.tasks.hetero.abinitio.found_poses import is_tilt_series, with_found
from icelens.tasks.hetero.abinitio.search_images import SearchImages, without_poses
from icelens.tasks.hetero.abinitio.search_pass import search_pass
from icelens.tasks.hetero.abinitio.unposed_images import coarse_grid, prepare_unposed
from icelens.tasks.hetero.particle_rows import particle_rows

TILTS = (0.0, 30.0, -30.0)
COUNT = 12


def test_a_series_has_one_pose_and_one_shift_in_space(tmp_path: Path) -> None:
    world = make_world(COUNT * len(TILTS), 1.0)
    particle = np.repeat(np.arange(COUNT), len(TILTS))
    angles = torch.tensor([[0.0, tilt, 20.0] for tilt in TILTS] * COUNT)
    stage = relion_angles_to_matrix(angles.double()).numpy()
    own = world.particles.rotation[:: len(TILTS)][particle]
    generator = torch.Generator().manual_seed(7)
    place = ((torch.rand(COUNT, 3, generator=generator) - 0.5) * 12.0).double().numpy()[particle]
    truth = replace(
        world.particles,
        particle=particle,
        stage=stage,
        rotation=stage @ own,
        shift_yx=(stage @ place[:, :, None])[:, [1, 0], 0],
        half_set=1 + particle % 2,
        ctf_scale=np.cos(np.deg2rad(angles[:, 1].numpy())).astype(np.float64),
    )
    images = simulator_for(world.volume, truth, snr=0.5).images(truth, generator)
    particles = written(replace(world, particles=truth, images=images), tmp_path)
    rows = particle_rows(particles, tilts=0, seed=0)
    plain = without_poses(particles, rows)
    source = ImageSource(plain, ImageReader(plain), torch.device("cpu"))
    grid = coarse_grid(plain, 16.0)
    prepared = prepare_unposed(
        source, grid, mask_diameter=None, contrast="keep", folder=tmp_path, on_event=ignore
    )
    search = SearchImages(prepared, rows)
    assert is_tilt_series(search)
    volume = to_box(
        world.volume,
        pixel_size=PIXEL,
        box_size=grid.box_size,
        new_pixel_size=grid.pixel_size,
    )
    poses = search_pass(
        search,
        volume * (grid.pixel_size / PIXEL),
        np.arange(COUNT),
        RotationGrid.of_order(1),
        first_radius=5,
        last_radius=grid.radius,
        max_shift=9.0,
        sums=None,
        on_done=lambda done: None,
    )
    found = with_found(particles, search, poses)
    error = rotation_distance(torch.from_numpy(found.rotation), torch.from_numpy(truth.rotation))
    assert float(error.median()) < 3.0
    own_found = np.swapaxes(stage, -1, -2) @ found.rotation
    assert np.abs(own_found - own_found[:: len(TILTS)][particle]).max() < 1e-5
    missed = np.linalg.norm(found.shift_yx - truth.shift_yx, axis=1)
    assert np.median(missed) < 3.0
