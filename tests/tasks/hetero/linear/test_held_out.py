import numpy as np
import pytest
import torch
from linear_world import BOX, blob, component_volumes, mean_volume, prepared
from scipy.spatial.transform import Rotation

from icelens.tasks.hetero.linear import held_out
from icelens.tasks.hetero.linear.held_out import (
    Products,
    evidence,
    held_out_gains,
    pose_errors,
    scores,
)
from icelens.tasks.hetero.linear.particle_batches import ParticleBatches
from icelens.tasks.hetero.linear.stage_grid import StageGrid
from icelens.tasks.hetero.linear.subspace import Subspace
from icelens.tasks.hetero.particle_rows import particle_rows
from icelens.tasks.hetero.prepared_images import PreparedImages

CPU = torch.device("cpu")
VOLUMES = torch.cat([mean_volume()[None], component_volumes()])


def _world(images: PreparedImages, radius: int = 8) -> tuple[Subspace, ParticleBatches]:
    share = images.facts.mask_diameter / (images.box_size * images.pixel_size)
    grid = StageGrid(images.box_size, radius, share, CPU)
    volumes = grid.narrowed(grid.resampled(VOLUMES))
    batches = ParticleBatches(images, particle_rows(images.particles, tilts=0, seed=0))
    return Subspace(grid, volumes, torch.zeros_like(volumes), 0.1), batches


def _latent(count: int) -> np.ndarray:
    latent = np.random.default_rng(4).normal(size=(count, 1))
    return np.concatenate([np.ones((count, 1)), latent, np.zeros((count, 1))], axis=1)


def test_evidence_is_that_of_a_dense_gaussian() -> None:
    rng = np.random.default_rng(0)
    design = torch.from_numpy(rng.normal(size=(3, 9, 4)))
    data = torch.from_numpy(rng.normal(size=(3, 9)))
    variance = torch.tensor([0.04, 1.0, 0.5, 2.0], dtype=torch.float64)
    products = Products(design.mT @ design, (design.mT @ data[..., None])[..., 0])
    found = evidence(products, variance)
    for row in range(3):
        covariance = torch.eye(9) + design[row] @ torch.diag(variance) @ design[row].T
        full = torch.distributions.MultivariateNormal(design[row, :, 0], covariance)
        alone = torch.distributions.MultivariateNormal(
            design[row, :, 0], torch.eye(9, dtype=torch.float64)
        )
        expected = full.log_prob(data[row]) - alone.log_prob(data[row])
        torch.testing.assert_close(found[row], expected)


def test_pose_errors_are_the_changes_of_a_volume_that_turns_and_moves() -> None:
    grid = StageGrid(BOX, BOX // 2 - 1, 1.0, CPU)
    place_xyz, step = np.array([3.0, -2.0, 4.0]), 0.01
    found = pose_errors(grid, blob(*place_xyz[::-1]))
    for number in range(6):
        turn = Rotation.from_rotvec(step * np.eye(3)[number % 3]).as_matrix()
        moved = turn @ place_xyz if number < 3 else place_xyz + step * np.eye(3)[number - 3]
        back = turn.T @ place_xyz if number < 3 else place_xyz - step * np.eye(3)[number - 3]
        expected = (blob(*moved[::-1]) - blob(*back[::-1])) / (2 * step)
        error = (found[number] - expected).norm() / expected.norm()
        assert float(error) < 1e-2, number


def test_a_component_that_is_there_gains_and_one_that_is_not_loses() -> None:
    images = prepared(VOLUMES, _latent(200), noise=1.0)
    space, batches = _world(images)
    gains = held_out_gains(space, space.components, batches, np.arange(200))
    assert gains.shape == (200, 2)
    there, absent = scores(gains).tolist()
    assert there > 5.0
    assert absent < 0.0


@pytest.mark.parametrize("what", ["contrast", "poses"])
def test_contrast_and_wrong_poses_are_no_components(what: str) -> None:
    contrast = 1.0 + 0.2 * np.random.default_rng(0).normal(size=(200, 1))
    if what == "contrast":
        images = prepared(VOLUMES[:1], contrast, noise=1.0)
    else:
        images = prepared(VOLUMES[:1], np.ones((200, 1)), noise=1.0, turned_by=5.0)
    space, batches = _world(images)
    mean = space.volumes[0]
    faults = torch.stack([0.2 * mean, *(np.deg2rad(5.0) * pose_errors(space.grid, mean)[:3])])
    assert float(scores(held_out_gains(space, faults, batches, np.arange(200))).max()) < 1.0


def test_a_sample_of_many_particles_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out, "_MOST_PARTICLES", 30)
    images = prepared(VOLUMES, _latent(100), noise=1.0)
    space, batches = _world(images)
    gains = held_out_gains(space, space.components, batches, np.arange(10, 100))
    assert gains.shape == (30, 2)
    assert float(scores(gains)[0]) > 2.0


def test_empty_images_gain_nothing() -> None:
    images = prepared(VOLUMES, _latent(20), noise=1.0)
    images._stored[:] = 0
    space, batches = _world(images)
    gains = held_out_gains(space, space.components, batches, np.arange(20))
    assert torch.isfinite(gains).all()
    assert scores(gains).tolist() == [0.0, 0.0]
    assert scores(gains[:1]).tolist() == [0.0, 0.0]
