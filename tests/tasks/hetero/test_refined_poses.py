"""Poses that were learnt lie nearer to the truth, and the run's particle file says them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hetero_world import PIXEL, TINY, random_particles, states, write_images, write_list

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import new_particle_file
from icelens.core.optics.image_source import ImageSource
from icelens.core.simulate.particles import simulator_for
from icelens.jobs.run import run_job
from icelens.tasks.hetero import train as training
from icelens.tasks.hetero.hetero_run import open_hetero_run
from icelens.tasks.hetero.image_batches import batch_of
from icelens.tasks.hetero.image_grid import choose_grid
from icelens.tasks.hetero.latent_weight import LatentWeight
from icelens.tasks.hetero.learning_images import LearningImages
from icelens.tasks.hetero.network.build import build_network
from icelens.tasks.hetero.objective import HeteroObjective
from icelens.tasks.hetero.particle_rows import particle_rows
from icelens.tasks.hetero.preparation import prepare
from icelens.tasks.hetero.prepared_images import CACHE_NAME
from icelens.tasks.hetero.refined_poses import refined_poses
from icelens.tasks.hetero.train_jobs import train
from icelens.tasks.hetero.train_settings import TrainConfig

COUNT = 60
GROUP = OpticsGroup("one", PIXEL, 20)


def wrong_poses(true: Particles, degrees: float, angstrom: float) -> Particles:
    """Each turned about a random axis and moved in a random direction, as far as that."""
    generator = torch.Generator().manual_seed(4)
    axis = torch.nn.functional.normalize(torch.randn(len(true), 3, generator=generator), dim=1)
    turn = rotation_from_vector(axis.double() * np.deg2rad(degrees)).numpy()
    angle = 2.0 * np.pi * torch.rand(len(true), generator=generator).double().numpy()
    step = angstrom * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return true.with_poses(turn @ true.rotation, true.shift_yx + step)


def simulated(folder: Path, *, snr: float, group: OpticsGroup = GROUP) -> Particles:
    """Images of the first state at true poses."""
    true = random_particles(COUNT, optics=(group,))
    generator = torch.Generator().manual_seed(2)
    images = simulator_for(states()[0], true, snr=snr).images(true, generator)
    return write_images(folder, true, {0: images})


def errors(found: Any, true: Particles) -> tuple[float, float]:
    """Median distance from the true poses, in degrees and Å."""
    cosine = 0.5 * (np.einsum("nij,nij->n", found.rotation, true.rotation) - 1.0)
    turned = np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0)))
    moved = np.linalg.norm(found.shift_yx - true.shift_yx, axis=1)
    return float(np.median(turned)), float(np.median(moved))


@pytest.mark.parametrize(
    ("magnification", "wrong", "most"),
    [
        # 1.5 degrees are a quarter of a pixel at the finest shell
        ((1.0, 0.0, 0.0, 1.0), (4.0, 0.0), (1.6, 0.6)),
        ((1.04, 0.0, 0.01, 0.97), (4.0, 0.0), (1.6, 0.6)),
        # turns go astray as long as shifts are wrong
        ((1.0, 0.0, 0.0, 1.0), (0.0, 6.0), (5.0, 1.8)),
    ],
)
def test_errors_of_poses_shrink_against_the_true_map(
    magnification: tuple[float, float, float, float],
    wrong: tuple[float, float],
    most: tuple[float, float],
    tmp_path: Path,
) -> None:
    true = simulated(tmp_path, snr=30.0, group=replace(GROUP, magnification=magnification))
    start = wrong_poses(true, *wrong)
    device = torch.device("cpu")
    images, halves = prepare(
        ImageSource(start, ImageReader(start), device),
        choose_grid(start, None, None),
        mask_diameter=500.0,
        contrast="keep",
        folder=tmp_path,
        seed=0,
        on_event=lambda _: None,
    )
    network = build_network(
        {
            "model": "homogeneous", "box_size": 20, "radius": 9, "latent_dim": 0,
            "num_particles": COUNT, "num_images": COUNT, "has_poses": True,
            "decoder_settings": {"width": 4, "num_layers": 0},
        }
    )  # fmt: skip
    network.decoders[0].start.set_channels(states()[0][None])  # type: ignore[union-attr, operator]
    rows = particle_rows(start, tilts=0, seed=0)
    every = (torch.arange(len(images.samples.index)), torch.ones(len(images.samples.index)))
    nothing = torch.zeros(COUNT, 0)
    own = batch_of(images, rows, np.arange(COUNT), nothing, torch.zeros(COUNT, 0, 2), every)
    objective = HeteroObjective(
        LatentWeight(), num_samples=1, independence=1.0, turn_deviation=1.0, shift_deviation=1.0
    )
    learnt = [network.turns, network.shifts]
    optimiser = torch.optim.Adam(learnt, lr=0.03)
    for step in range(50):
        optimiser.param_groups[0]["lr"] = 0.03 * 0.93**step
        optimiser.zero_grad()
        objective(network, network, own).total.backward()
        optimiser.step()
    file = new_particle_file(start)
    found = refined_poses(network, LearningImages(file, images, rows, halves))
    degrees, angstrom = errors(start.with_poses(*found), true)
    assert degrees < most[0]
    assert angstrom < most[1]


@pytest.fixture
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "report_training", lambda *_: None)


@pytest.mark.usefixtures("_no_pictures")
def test_runs_write_the_poses_they_learnt_and_use_them(tmp_path: Path) -> None:
    true = simulated(tmp_path, snr=10.0)
    start = wrong_poses(true, 2.0, 6.0)
    write_list(tmp_path / "wrong.star", start)
    given = {
        "particles": (tmp_path / "wrong.star",), "output": tmp_path / "run", "start": "map",
        "model": "homogeneous", "refine_poses": True, "epochs": 30, "learning_rate": 5e-3,
        "shift_deviation": 6.0, "keep_every": 50,
    }  # fmt: skip
    run_job(train, TrainConfig(**{**TINY, **given}))
    run = open_hetero_run(tmp_path / "run")
    assert run.facts.is_posed
    file = run.particle_file()
    assert file.path == run.folder / "particles.star"
    before, after = errors(start, true), errors(file.particles, true)
    assert before == pytest.approx((2.0, 6.0), abs=0.01)
    assert after[1] < 0.6 * before[1]
    # 2 degrees are a third of a pixel at the finest shell: the map is not better known
    assert after[0] < 4.0
    network = run.volume_model().network  # type: ignore[attr-defined]
    turned = rotation_from_vector(network.learnt_turns.detach().double()).numpy() @ start.rotation
    assert np.allclose(file.particles.rotation, turned, atol=1e-4)
    # images are centred by what was learnt, whether they are kept or made again
    images = run.images()
    values = images.values(np.arange(COUNT))
    assert np.allclose(images.particles.shift_yx, file.particles.shift_yx)
    (run.folder / CACHE_NAME).unlink()
    assert torch.equal(run.images().values(np.arange(COUNT)), values)


@pytest.mark.usefixtures("_no_pictures")
def test_images_that_were_not_used_keep_their_poses(tmp_path: Path) -> None:
    true = random_particles(20, tilts=3, optics=(GROUP,))
    generator = torch.Generator().manual_seed(2)
    images = simulator_for(states()[0], true, snr=5.0).images(true, generator)
    true = write_images(tmp_path, true, {0: images})
    write_list(tmp_path / "tilts.star", true)
    given = {
        "particles": (tmp_path / "tilts.star",), "output": tmp_path / "run", "start": "map",
        "model": "homogeneous", "refine_poses": True, "tilts": 2, "epochs": 3,
    }  # fmt: skip
    run_job(train, TrainConfig(**{**TINY, **given}))
    run = open_hetero_run(tmp_path / "run")
    particles = run.particle_file().particles
    assert len(np.unique(particles.particle)) == 20
    is_used = np.tile([True, True, False], 20)
    is_moved = np.abs(particles.shift_yx - true.shift_yx).max(1) > 1e-4
    assert np.array_equal(is_moved, is_used)
