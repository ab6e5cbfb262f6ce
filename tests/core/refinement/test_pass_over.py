from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import torch
from pose_world import PIXEL, World, make_world, written

from icelens.core.fourier.transforms import image_from_rfft
from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.volumes import open_volume
from icelens.core.optics.image_source import ImageSource
from icelens.core.refinement.noise import noise_spectrum
from icelens.core.refinement.pass_over import batches_of, refine_rows
from icelens.core.refinement.pose_table import PoseTable
from icelens.core.refinement.refiner import Refiner
from icelens.core.refinement.refiner_settings import RefinerSettings

SETTINGS = RefinerSettings(angular_range=6.0, angular_step=3.0, max_shift=12.0)


def _refiner(world: World) -> Refiner:
    return Refiner(world.volume, pixel_size=PIXEL, noise_power=world.noise_power, settings=SETTINGS)


def _errors(poses: PoseTable, truth: np.ndarray) -> np.ndarray:
    trace = np.einsum("rij,rij->r", poses.rotation[:, 0], truth)
    return np.degrees(np.arccos(np.clip(0.5 * (trace - 1.0), -1.0, 1.0)))


def test_every_row_is_in_one_batch_with_its_particle(noisy_world: World) -> None:
    lengths = [1, 5, 2, 40]
    particle = np.repeat([7, 3, 9, 1], lengths)
    particles = replace(noisy_world.particles, particle=particle)
    rows = np.random.default_rng(0).permutation(48)[:45]
    batches = list(batches_of(particles, rows))
    found = np.concatenate([batch.rows[batch.rows >= 0] for batch in batches])
    assert sorted(found.tolist()) == sorted(rows.tolist())
    for batch in batches:
        for series in batch.rows:
            assert len(set(particle[series[series >= 0]])) == 1


def test_optics_groups_are_not_mixed(noisy_world: World) -> None:
    particles = noisy_world.particles
    group = np.arange(48) % 2
    two = replace(particles, optics=particles.optics * 2, optics_index=group)
    for batch in batches_of(two, np.arange(48)):
        assert (group[batch.rows] == batch.group).all()


def test_poses_of_single_images_are_refined(tmp_path: Path) -> None:
    world = make_world(10, None)
    particles = written(world, tmp_path)
    start = particles.with_poses(
        world.start(4.0).double().numpy(), np.zeros_like(particles.shift_yx)
    )
    poses, told = PoseTable.unrefined(start, 1), []
    source = ImageSource(start, ImageReader(start), torch.device("cpu"))
    refine_rows({0: _refiner(world)}, source, np.arange(8), poses, top_k=1, on_done=told.append)
    assert told == [8]
    errors = _errors(poses, particles.rotation)
    assert errors[:8].max() < 0.1
    assert errors[8:].min() > 3.9
    assert np.abs(poses.shift_yx[:8, 0] - particles.shift_yx[:8]).max() < 0.2


def test_images_of_one_particle_keep_one_pose(tmp_path: Path) -> None:
    world = make_world(12, None)
    particle = np.array([0] * 5 + [1] * 4 + [2] * 3)
    own = world.particles.rotation[particle]
    stage = world.particles.rotation @ np.swapaxes(own, 1, 2)
    particles = replace(written(world, tmp_path), particle=particle, stage=stage)
    off = rotation_from_vector(torch.tensor([0.03, -0.05, 0.04])).double().numpy()
    start = particles.with_poses(stage @ off @ own, particles.shift_yx)
    poses = PoseTable.unrefined(start, 1)
    source = ImageSource(start, ImageReader(start), torch.device("cpu"))
    refine_rows(
        {0: _refiner(world)}, source, np.arange(12), poses, top_k=1, on_done=lambda done: None
    )
    assert _errors(poses, particles.rotation).max() < 0.1
    found = np.swapaxes(stage, 1, 2) @ poses.rotation[:, 0]
    for number in range(3):
        assert np.allclose(found[particle == number], found[particle == number][0], atol=1e-6)


def test_images_that_are_not_finite_keep_their_poses(tmp_path: Path) -> None:
    world = make_world(101, 1.0)
    particles = written(world, tmp_path)
    with mrcfile.open(tmp_path / "images.mrcs", mode="r+") as stack:
        stack.data[17, 3, 3] = np.nan
    start = particles.with_poses(world.start(4.0).double().numpy(), particles.shift_yx)
    poses = PoseTable.unrefined(start, 1)
    source = ImageSource(start, ImageReader(start), torch.device("cpu"))
    rows = np.arange(10, 20)
    refine_rows({0: _refiner(world)}, source, rows, poses, top_k=1, on_done=lambda done: None)
    assert np.array_equal(poses.rotation[17, 0], start.rotation[17])
    assert poses.probability[17, 0] == 0.0
    assert (poses.probability[[16, 18], 0] > 0).all()


def test_real_tilt_series_return_to_their_poses(shared_data: Path) -> None:
    """Ribosomes of one tomogram, 10 degrees off.

    The shipped map is the mirror image of what these tilt angles give, hence the flip.
    """
    folder = shared_data / "subtomo_real"
    name = "warptools_test_4-tomos_10-ptcls_box-32_angpix-12_optimisation_set.star"
    file = read_particles(folder / name, stack_root=folder, skip_missing=True)
    particles = file.particles.take(file.particles.optics_index == 0)
    shipped = open_volume(folder / "warptools_test_box-32_angpix-12_reconstruct.mrc")
    volume = torch.from_numpy(np.array(shipped.array[::-1], np.float32)).roll(1, 0)
    axis = torch.randn(len(particles), 3, generator=torch.Generator().manual_seed(0))
    axis = torch.nn.functional.normalize(axis, dim=1)[particles.particle - particles.particle.min()]
    off = rotation_from_vector(axis * np.deg2rad(10.0)).double().numpy()
    own = np.swapaxes(particles.stage, 1, 2) @ particles.rotation
    start = particles.with_poses(particles.stage @ off @ own, particles.shift_yx)
    source = ImageSource(start, ImageReader(start), torch.device("cpu"))
    spectrum, _ = source.read(np.arange(len(start)))
    refiner = Refiner(
        volume,
        pixel_size=12.0,
        noise_power=noise_spectrum(image_from_rfft(spectrum, 32), None),
        settings=RefinerSettings(
            angular_range=15.0, angular_step=4.0, max_shift=24.0, mask_diameter=320.0
        ),
    )
    poses = PoseTable.unrefined(start, 1)
    rows = np.arange(len(start))
    refine_rows({0: refiner}, source, rows, poses, top_k=1, on_done=lambda done: None)
    assert float(np.median(_errors(poses, particles.rotation))) < 8.0
