"""`icelens hetero abinitio` from end to end, on few images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pose_world import World, make_world, written

from icelens.core.errors import IcelensError, MetadataError
from icelens.core.events import Event, Message, OnEvent, Progress
from icelens.core.geometry.frame_alignment import align_frames
from icelens.core.geometry.mirrored_poses import mirrored_poses
from icelens.core.geometry.rotations import rotation_distance
from icelens.core.io.particle_files import new_particle_file, read_particles, write_particles
from icelens.core.io.volumes import open_volume
from icelens.jobs.run import run_job
from icelens.jobs.validation import make_config
from icelens.tasks.hetero.abinitio_jobs import abinitio, estimate_abinitio
from icelens.tasks.hetero.abinitio_settings import AbinitioConfig
from icelens.tasks.hetero.hetero_run import open_hetero_run


def star_of(world: World, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "particles.star"
    write_particles(path, new_particle_file(written(world, folder)))
    return path


def small(star: Path, output: Path, **changes: object) -> AbinitioConfig:
    settings: dict[str, object] = {
        "particles": (star,),
        "output": output,
        "starts": 2,
        "iterations": 3,
        "batch_size": 20,
        "passes": 1,
        "rounds": 1,
        "max_shift": 9.0,
        "search_resolution": 24.0,
        "device": "cpu",
        "threads": 1,
    }
    return AbinitioConfig.model_validate(settings | changes)


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return star_of(make_world(40, 1.0), tmp_path_factory.mktemp("few"))


def errors(found: np.ndarray, truth: torch.Tensor) -> torch.Tensor:
    """Degrees, in the better of both hands."""
    same = torch.eye(3)[None]
    results = []
    plain = torch.from_numpy(found).float()
    for rotation in (plain, torch.from_numpy(mirrored_poses(found)).float()):
        frame = align_frames(truth, rotation, same, torch.Generator().manual_seed(0))
        results.append(rotation_distance(truth, rotation @ frame.rotation))
    return min(results, key=lambda each: float(each.median()))


def interrupter(stage: str) -> OnEvent:
    """Somebody who interrupts the run once it is at a stage."""

    def interrupt(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == stage:
            raise KeyboardInterrupt

    return interrupt


@pytest.mark.slow
def test_a_stopped_run_goes_on_to_the_same_result(star: Path, tmp_path: Path) -> None:
    heard: list[Event] = []
    run_job(abinitio, small(star, tmp_path / "whole"), on_event=heard.append)
    words = [each.text for each in heard if isinstance(each, Message)]
    assert any("do not tell the hand" in each for each in words)

    resume = False
    for stage in ("start 2", "pass 1 over all", "refine 1"):
        with pytest.raises(KeyboardInterrupt):
            run_job(
                abinitio,
                small(star, tmp_path / "cut"),
                resume=resume,
                on_event=interrupter(stage),
            )
        assert not (tmp_path / "cut" / "hetero.json").exists()
        resume = True
    run_job(abinitio, small(star, tmp_path / "cut"), resume=True)
    for name in ("map.mrc", "half_1.mrc", "half_2.mrc"):
        first, second = (open_volume(tmp_path / each / name).array for each in ("whole", "cut"))
        assert np.array_equal(first, second)
    run = open_hetero_run(tmp_path / "cut")
    assert (run.kind, run.latent_dim) == ("abinitio", 0)
    assert len(list(run.volume_model().volumes(torch.zeros(1, 0)))) == 1
    assert len(run.images()) == 40
    assert (tmp_path / "cut" / "report.html").is_file()


def test_too_few_particles_are_refused(tmp_path: Path) -> None:
    few = star_of(make_world(8, 1.0), tmp_path / "data")
    with pytest.raises(MetadataError, match="8 particles, expected 20 or more"):
        run_job(abinitio, small(few, tmp_path / "run"))
    assert not (tmp_path / "run" / "hetero.json").exists()


def test_negative_latent_dimensions_are_refused(tmp_path: Path) -> None:
    given = {"particles": ["a.star"], "output": "run", "latent_dim": -1}
    with pytest.raises(IcelensError, match="latent-dim"):
        make_config(AbinitioConfig, given)


def test_an_estimate_counts_particles(star: Path, tmp_path: Path) -> None:
    cost = estimate_abinitio(small(star, tmp_path / "run"))
    more = estimate_abinitio(small(star, tmp_path / "run", iterations=30))
    assert 0.0 < cost.seconds < more.seconds
    absent = small(tmp_path / "absent.star", tmp_path / "run")
    assert estimate_abinitio(absent).seconds == 0.0


@pytest.mark.slow
def test_clean_images_give_the_structure_without_poses(tmp_path: Path) -> None:
    world = make_world(200, 2.0)
    config = small(
        star_of(world, tmp_path / "data"),
        tmp_path / "run",
        starts=3,
        iterations=40,
        batch_size=100,
        passes=2,
        rounds=2,
        search_resolution=14.0,
    )
    run_job(abinitio, config)
    found = read_particles(tmp_path / "run" / "particles.star").particles
    assert float(errors(found.rotation, world.rotation).median()) < 6.0
