from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pose_world import BOX, PIXEL, World, make_world, written

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.volume import Volume
from icelens.core.errors import IcelensError
from icelens.core.events import Message, Progress
from icelens.core.io.particle_files import (
    ParticleFile,
    new_particle_file,
    read_particles,
    write_particles,
)
from icelens.core.io.volumes import read_header, write_volume
from icelens.core.volumes.to_box import to_box
from icelens.jobs.run import Run, run_job
from icelens.tasks.pose.refine import refine_particles
from icelens.tasks.pose.refine_jobs import JOBS
from icelens.tasks.pose.refine_settings import RefineConfig

NUM = 24


def _prepared(world: World, folder: Path, degrees: float = 4.0, **changes: object) -> ParticleFile:
    """Write map, stack, and particles some degrees off; returns the truth."""
    particles = replace(written(world, folder), **changes)
    write_volume(folder / "map.mrc", Volume(world.volume.numpy(), particles.optics[0].pixel_size))
    file = new_particle_file(particles)
    start = world.start(degrees).double().numpy()
    write_particles(folder / "start.star", file, rotation=start, shift_yx=0.0 * particles.shift_yx)
    return file


def _config(folder: Path, **settings: object) -> RefineConfig:
    usual = {
        "particles": (folder / "start.star",),
        "map": folder / "map.mrc",
        "output": folder / "refined.star",
        "angular_step": 3.0,
        "max_shift": 12.0,
        "device": "cpu",
        "threads": 1,
    }
    return RefineConfig(**(usual | settings))


def _degrees(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    trace = np.einsum("rij,rij->r", first, second)
    return np.degrees(np.arccos(np.clip(0.5 * (trace - 1.0), -1.0, 1.0)))


def _messages(folder: Path, config: RefineConfig) -> list[str]:
    events: list[object] = []
    refine_particles(config, Run(folder, events.append))
    assert any(isinstance(event, Progress) for event in events)
    return [event.text for event in events if isinstance(event, Message)]


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(NUM, 4.0)


def test_poses_are_refined_and_rows_keep_their_order(world: World, tmp_path: Path) -> None:
    truth = _prepared(world, tmp_path)
    run_job(JOBS[0], _config(tmp_path))
    refined = read_particles(tmp_path / "refined.star")
    errors = _degrees(refined.particles.rotation, truth.particles.rotation)
    assert float(np.median(errors)) < 1.0
    assert float(np.abs(refined.particles.shift_yx - truth.particles.shift_yx).mean()) < 1.0
    assert np.array_equal(refined.particles.slice_index, truth.particles.slice_index)
    assert np.array_equal(refined.particles.defocus_u, truth.particles.defocus_u)
    table = refined.blocks["particles"]
    assert (
        (table["rlnParticleFigureOfMerit"] > 0) & (table["rlnParticleFigureOfMerit"] <= 1)
    ).all()
    assert (table["rlnLogLikeliContribution"] > 0).all()
    assert table["ilPoseWidthDegrees"].between(0.05, 5.0).all()
    assert not (tmp_path / "refined_map.mrc").exists()


def test_given_poses_are_kept(world: World, tmp_path: Path) -> None:
    _prepared(world, tmp_path)
    refine_particles(_config(tmp_path), Run(tmp_path))
    start = read_particles(tmp_path / "start.star").blocks["particles"]
    table = read_particles(tmp_path / "refined.star").blocks["particles"]
    for name in ("Rot", "Tilt", "Psi"):
        given, kept = start[f"rlnAngle{name}"], table[f"ilAngle{name}Given"]
        assert np.allclose(np.asarray(given, float), np.asarray(kept, float), atol=1e-3)
    assert np.allclose(np.asarray(table["ilOriginXGivenAngst"], float), 0.0)


def test_further_poses_have_columns_of_their_own(world: World, tmp_path: Path) -> None:
    _prepared(world, tmp_path)
    refine_particles(_config(tmp_path, top_k=3), Run(tmp_path))
    table = read_particles(tmp_path / "refined.star").blocks["particles"]
    for name in ("rlnAngleRot", "rlnOriginYAngst", "rlnParticleFigureOfMerit"):
        assert f"{name}_top2" in table
        assert f"{name}_top3" in table
        assert f"{name}_top4" not in table
    shares = [table["rlnParticleFigureOfMerit" + end] for end in ("", "_top2", "_top3")]
    total = sum(np.asarray(share, float) for share in shares)
    assert (total <= 1.0 + 1e-5).all()


def test_map_of_another_sampling_is_resampled_and_said(world: World, tmp_path: Path) -> None:
    truth = _prepared(world, tmp_path)
    finer = to_box(world.volume, pixel_size=PIXEL, box_size=52, new_pixel_size=4.0)
    write_volume(tmp_path / "finer.mrc", Volume(finer.numpy(), 4.0))
    told = _messages(tmp_path, _config(tmp_path, map=tmp_path / "finer.mrc"))
    assert any("resampled to the images' 32 px of 6 Å" in text for text in told)
    refined = read_particles(tmp_path / "refined.star").particles
    assert float(np.median(_degrees(refined.rotation, truth.particles.rotation))) < 1.0


def test_pixel_size_is_honoured(tmp_path: Path) -> None:
    """1.7 Å/px: shifts in Å, the CTF at its frequencies, the mask's diameter in Å."""
    world = make_world(20, None, optics=OpticsGroup("one", 1.7, BOX))
    truth = _prepared(world, tmp_path)
    refine_particles(_config(tmp_path, mask_diameter=54.0), Run(tmp_path))
    refined = read_particles(tmp_path / "refined.star").particles
    assert float(_degrees(refined.rotation, truth.particles.rotation).max()) < 0.5
    assert float(np.abs(refined.shift_yx - truth.particles.shift_yx).max()) < 0.1


def test_half_sets_are_refined_in_turns_with_their_maps(world: World, tmp_path: Path) -> None:
    truth = _prepared(world, tmp_path, degrees=2.0)
    config = _config(
        tmp_path, halves=True, iterations=2, initial_resolution=15.0, mask_diameter=180.0
    )
    told = _messages(tmp_path, config)
    assert sum("half maps agree" in text for text in told) == 2
    for name in ("half_1", "half_2", "map"):
        header = read_header(tmp_path / f"refined_{name}.mrc")
        assert header.shape == (BOX,) * 3
        assert header.pixel_size == pytest.approx(PIXEL)
    assert (
        (tmp_path / "refined_fsc.csv")
        .read_text()
        .startswith("shell,spatial_frequency,resolution,fsc")
    )
    refined = read_particles(tmp_path / "refined.star").particles
    assert float(np.median(_degrees(refined.rotation, truth.particles.rotation))) < 2.0


def test_half_maps_know_nothing_of_each_other(tmp_path: Path) -> None:
    """Other images in half 2 leave half 1 as it was, map and poses."""
    kept = []
    for number in (0, 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        world = make_world(24, 1.0)
        images = world.images.clone()
        images[1::2] += number * torch.randn(12, BOX, BOX) * images.std()
        _prepared(replace(world, images=images), folder, degrees=2.0)
        # one optics group for each half: they share no noise estimate either way
        refine_particles(_config(folder, halves=True, initial_resolution=15.0), Run(folder))
        refined = read_particles(folder / "refined.star").particles
        kept.append(((folder / "refined_half_1.mrc").read_bytes()[1024:], refined.rotation[::2]))
    assert kept[0][0] == kept[1][0]
    assert np.array_equal(kept[0][1], kept[1][1])


def test_particles_without_half_sets_are_dealt_and_it_is_said(world: World, tmp_path: Path) -> None:
    _prepared(world, tmp_path, half_set=np.zeros(NUM, np.int64))
    told = _messages(tmp_path, _config(tmp_path, halves=True, initial_resolution=15.0))
    assert any("have no half set" in text for text in told)
    half_set = read_particles(tmp_path / "refined.star").particles.half_set
    assert np.bincount(half_set).tolist() == [0, NUM // 2, NUM // 2]


def test_shared_first_map_is_filtered_and_it_is_said(world: World, tmp_path: Path) -> None:
    _prepared(world, tmp_path)
    told = _messages(tmp_path, _config(tmp_path, halves=True))
    assert any("low-passed to 20 Å" in text for text in told)


def _refused(folder: Path, config: RefineConfig, words: str) -> None:
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(IcelensError, match=words) as caught:
        refine_particles(config, Run(folder))
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"iterations": 2}, "needs --halves"),
        ({"map_half_2": Path("b.mrc")}, "give --halves as well"),
        ({"output": Path("poses.csv")}, "ends in .star or .cs"),
        ({"symmetry": "X2"}, "unknown symmetry"),
        ({"map": Path("absent.mrc")}, "no such file"),
        ({"particles": (Path("absent.star"),)}, "no such STAR file"),
        ({"max_resolution": 5000.0}, "no Fourier samples"),
        ({"angular_range": 180.0, "angular_step": 0.5}, "choose a larger step"),
    ],
)
def test_impossible_settings_are_refused_and_nothing_is_written(
    world: World, tmp_path: Path, settings: dict[str, object], words: str
) -> None:
    _prepared(world, tmp_path)
    _refused(tmp_path, _config(tmp_path, **settings), words)


def test_particles_are_never_overwritten(world: World, tmp_path: Path) -> None:
    _prepared(world, tmp_path)
    _refused(
        tmp_path, _config(tmp_path, output=tmp_path / "start.star"), "would be written over itself"
    )


def test_map_that_is_no_cube_is_refused(world: World, tmp_path: Path) -> None:
    _prepared(world, tmp_path)
    flat = Volume(np.random.default_rng(0).normal(size=(8, 12, 12)).astype(np.float32), PIXEL)
    write_volume(tmp_path / "flat.mrc", flat)
    _refused(tmp_path, _config(tmp_path, map=tmp_path / "flat.mrc"), "expected a cube")


def test_particles_without_poses_are_refused(world: World, tmp_path: Path) -> None:
    particles = replace(written(world, tmp_path), has_poses=False)
    write_volume(tmp_path / "map.mrc", Volume(world.volume.numpy(), PIXEL))
    write_particles(tmp_path / "start.star", new_particle_file(particles))
    _refused(tmp_path, _config(tmp_path), "rlnAngle")


def test_empty_half_set_is_refused(world: World, tmp_path: Path) -> None:
    _prepared(world, tmp_path, half_set=np.ones(NUM, np.int64))
    _refused(tmp_path, _config(tmp_path, halves=True), "half set 2 is empty")


def test_poses_that_go_as_far_as_they_may_are_told(tmp_path: Path) -> None:
    _prepared(make_world(NUM, 1.0, seed=5), tmp_path, degrees=12.0)
    told = _messages(tmp_path, _config(tmp_path, angular_range=3.0))
    assert any("of the poses turned as far as --angular-range 3" in text for text in told)


def test_images_of_inverted_contrast_are_told(tmp_path: Path) -> None:
    world = make_world(NUM, 1.0, seed=5)
    _prepared(world, tmp_path)
    assert not any("inverted" in text for text in _messages(tmp_path, _config(tmp_path)))
    write_volume(tmp_path / "map.mrc", Volume(-world.volume.numpy(), PIXEL))
    assert any("inverted" in text for text in _messages(tmp_path, _config(tmp_path)))
