"""`icelens tools reconstruct` finds the map that images were made of."""

import csv
import warnings
from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import torch

from icelens.apps import cli
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.io.particle_files import new_particle_file, write_particles
from icelens.core.simulate.particles import simulate_images
from icelens.core.simulate.poses import random_poses
from icelens.tasks.tools import reconstruct_sums
from icelens.tasks.tools.reconstruct_plan import Plan
from icelens.tasks.tools.reconstruct_sums import pieces, sums_of

BOX, SIZE, COUNT = 20, 4.0, 300


def truth() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    axis = torch.arange(BOX) - BOX // 2
    grid_zyx = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).float()
    volume = torch.zeros(BOX, BOX, BOX)
    for _ in range(10):
        centre = (torch.rand(3, generator=generator) - 0.5) * BOX / 2.5
        volume += torch.exp(-((grid_zyx - centre) ** 2).sum(-1) / (2 * 1.5**2))
    return volume


def particles_in(folder: Path, **optics: object) -> Particles:
    rng = np.random.default_rng(1)
    return Particles(
        stacks=(folder / "images.mrcs",),
        stack=np.zeros(COUNT, np.int64),
        slice_index=np.arange(COUNT),
        optics=(OpticsGroup("one", SIZE, BOX, **optics),),  # type: ignore[arg-type]
        rotation=random_poses(COUNT, rng),
        shift_yx=rng.uniform(-8, 8, (COUNT, 2)),
        defocus_u=rng.uniform(5e3, 2e4, COUNT),
        half_set=1 + np.arange(COUNT) % 2,
    )


def write_stack(path: Path, images: np.ndarray) -> None:
    # mrcfile warns of the values that some tests want to be bad
    with warnings.catch_warnings(), mrcfile.new(path, overwrite=True) as file:
        warnings.simplefilter("ignore", RuntimeWarning)
        file.set_data(images.astype(np.float32))
        file.voxel_size = SIZE


def star_in(
    folder: Path, particles: Particles | None = None, columns: dict[str, object] | None = None
) -> Path:
    """Images of the truth with a little noise, and their STAR file."""
    particles = particles_in(folder) if particles is None else particles
    generator = torch.Generator().manual_seed(2)
    images = simulate_images(truth(), particles, snr=50.0, generator=generator)
    write_stack(folder / "images.mrcs", images.numpy())
    path = folder / "particles.star"
    write_particles(path, new_particle_file(particles, columns))  # type: ignore[arg-type]
    return path


def reconstruct(star: Path, *words: str) -> int:
    output = star.with_name("map.mrc")
    command = ["tools", "reconstruct", "--particles", str(star), "--output", str(output)]
    return cli.main([*command, *words])


def read(path: Path) -> np.ndarray:
    with warnings.catch_warnings(), mrcfile.open(path) as file:
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.array(file.data)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_the_map_comes_back_with_its_pixel_size(tmp_path: Path) -> None:
    assert reconstruct(star_in(tmp_path)) == 0
    assert correlation(read(tmp_path / "map.mrc"), truth().numpy()) > 0.98
    with mrcfile.open(tmp_path / "map.mrc") as file:
        assert abs(float(file.voxel_size.x) - SIZE) < 1e-4
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "images.mrcs", "map.mrc", "particles.star",
    ]  # fmt: skip


def test_halves_are_made_of_different_images(tmp_path: Path) -> None:
    particles = particles_in(tmp_path)
    star = star_in(tmp_path, particles)
    images = read(tmp_path / "images.mrcs")
    images[particles.half_set == 2] = np.random.default_rng(0).normal(size=(COUNT // 2, BOX, BOX))
    write_stack(tmp_path / "images.mrcs", images)
    assert reconstruct(star, "--halves") == 0
    assert correlation(read(tmp_path / "map_half_1.mrc"), truth().numpy()) > 0.95
    assert abs(correlation(read(tmp_path / "map_half_2.mrc"), truth().numpy())) < 0.3


def test_halves_say_how_far_they_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reconstruct(star_in(tmp_path), "--halves", "--mask-diameter", "60") == 0
    said = capsys.readouterr()
    assert "Half maps of 150 and 150 images agree to" in said.out + said.err
    with (tmp_path / "map_fsc.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == BOX // 2 + 1
    assert float(rows[3]["half_maps"]) > 0.9
    assert (tmp_path / "map_fsc.png").stat().st_size > 1000
    # the sphere is that of the map, not of the halves
    assert read(tmp_path / "map.mrc")[0, 0, 0] == 0.0
    assert read(tmp_path / "map_half_1.mrc")[0, 0, 0] != 0.0


def test_unknown_halves_are_dealt_by_seed_and_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    particles = replace(particles_in(tmp_path), half_set=np.zeros(COUNT, np.int64))
    star = star_in(tmp_path, particles)
    maps = []
    for seed in ("1", "1", "2"):
        assert reconstruct(star, "--halves", "--seed", seed) == 0
        maps.append(read(tmp_path / "map_half_1.mrc"))
    said = capsys.readouterr()
    assert "300 of 300 images have no half set" in said.out + said.err
    assert np.array_equal(maps[0], maps[1])
    assert not np.array_equal(maps[0], maps[2])


def test_map_may_have_another_pixel_size_and_box(tmp_path: Path) -> None:
    star = star_in(tmp_path)
    assert reconstruct(star, "--pixel-size", "5") == 0
    assert read(tmp_path / "map.mrc").shape == (16, 16, 16)
    assert reconstruct(star, "--box-size", "26") == 0
    large = read(tmp_path / "map.mrc")
    assert large.shape == (26, 26, 26)
    assert correlation(large[3:23, 3:23, 3:23], truth().numpy()) > 0.97


def test_resolution_can_be_limited(tmp_path: Path) -> None:
    assert reconstruct(star_in(tmp_path), "--max-resolution", "16") == 0
    power = np.abs(np.fft.fftn(read(tmp_path / "map.mrc"))) ** 2
    k = np.fft.fftfreq(BOX)
    radius = np.sqrt(k[:, None, None] ** 2 + k[:, None] ** 2 + k**2) / SIZE
    assert power[radius > 1 / 13].sum() < 1e-3 * power[radius < 1 / 16].sum()


def test_weights_leave_out_images(tmp_path: Path) -> None:
    score = np.where(np.arange(COUNT) % 3 == 0, -1.0, 9.0)
    star = star_in(tmp_path, columns={"rlnParticleFigureOfMerit": score})
    images = read(tmp_path / "images.mrcs")
    images[::3] = 50 * np.random.default_rng(0).normal(size=images[::3].shape)
    write_stack(tmp_path / "images.mrcs", images)
    assert reconstruct(star) == 0
    assert correlation(read(tmp_path / "map.mrc"), truth().numpy()) < 0.9
    assert reconstruct(star, "--weight-column", "rlnParticleFigureOfMerit") == 0
    assert correlation(read(tmp_path / "map.mrc"), truth().numpy()) > 0.97


def test_premultiplied_images_and_images_without_ctf(tmp_path: Path) -> None:
    star = star_in(tmp_path, particles_in(tmp_path, is_premultiplied=True))
    assert reconstruct(star) == 0
    assert correlation(read(tmp_path / "map.mrc"), truth().numpy()) > 0.97
    assert reconstruct(star, "--no-ctf") == 0
    assert correlation(read(tmp_path / "map.mrc"), truth().numpy()) < 0.97


def test_symmetry_is_that_of_the_map(tmp_path: Path) -> None:
    assert reconstruct(star_in(tmp_path), "--symmetry", "C2", "--halves") == 0
    density = read(tmp_path / "map.mrc")[1:, 1:, 1:]  # even boxes: index 0 has no mate
    assert correlation(density, density[:, ::-1, ::-1]) > 0.999


def plan_for(folder: Path) -> Plan:
    particles = particles_in(folder)
    star_in(folder, particles)
    sets = tuple(np.flatnonzero(particles.half_set == half) for half in (1, 2))
    return Plan(
        particles,
        sets,
        box_size=BOX,
        pixel_size=SIZE,
        max_radius=BOX // 2,
        padding=2,
        is_ctf_used=True,
        device="cpu",
        threads=1,
    )


def test_sums_do_not_depend_on_who_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_for(tmp_path)
    monkeypatch.setattr(reconstruct_sums, "_PIXELS_IN_PIECE", 40 * BOX**2)
    alone = sums_of(plan, 1, tmp_path, lambda event: None)
    monkeypatch.setattr(
        reconstruct_sums,
        "run_in_processes",
        lambda work, shares, on_event: [work(share, on_event) for share in shares],
    )
    events: list[object] = []
    shared = sums_of(plan, 3, tmp_path, events.append)
    for one, other in zip(alone, shared, strict=True):
        assert torch.allclose(one.values, other.values, atol=1e-4)
    assert events[-1].done == events[-1].total == COUNT  # type: ignore[attr-defined]
    assert not list(tmp_path.glob(".sums*"))


def test_every_row_is_in_one_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_for(tmp_path)
    monkeypatch.setattr(reconstruct_sums, "_PIXELS_IN_PIECE", 40 * BOX**2)
    parts = pieces(plan.particles, plan.sets[0])
    assert len(parts) == 4
    assert np.array_equal(np.sort(np.concatenate(parts)), plan.sets[0])


@pytest.mark.slow
def test_processes_make_the_same_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    star = star_in(tmp_path)
    assert reconstruct(star, "--halves") == 0
    alone = read(tmp_path / "map.mrc")
    assert reconstruct(star, "--halves", "--workers", "2") == 0
    assert np.allclose(alone, read(tmp_path / "map.mrc"), atol=1e-4)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--symmetry", "C0"), "unknown symmetry"),
        (("--max-resolution", "3"), "cannot be held"),
        (("--max-resolution", "900"), "--max-resolution is 900"),
        (("--mask-diameter", "200"), "--mask-diameter is 200"),
        (("--weight-column", "rlnNothing"), "has no column rlnNothing"),
        (("--weight-column", "rlnImageName"), "holds text"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], expected: str
) -> None:
    assert reconstruct(star_in(tmp_path), *words) == 2
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "map.mrc").exists()


def test_files_that_do_not_hold_images_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    star = star_in(tmp_path)
    images = read(tmp_path / "images.mrcs")
    images[:30] = np.nan
    write_stack(tmp_path / "images.mrcs", images)
    assert reconstruct(star) == 2
    assert "not finite" in capsys.readouterr().err
    write_stack(tmp_path / "images.mrcs", images[:100])
    assert reconstruct(star) == 2
    assert "there are 100" in capsys.readouterr().err
    (tmp_path / "images.mrcs").unlink()
    assert reconstruct(star) == 2
    assert "no such stack" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["particles.star"]


def test_one_bad_image_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    star = star_in(tmp_path)
    images = read(tmp_path / "images.mrcs")
    images[7] = np.inf
    write_stack(tmp_path / "images.mrcs", images)
    assert reconstruct(star) == 0
    said = capsys.readouterr()
    assert "not finite" in said.out + said.err
    assert correlation(read(tmp_path / "map.mrc"), truth().numpy()) > 0.97


def test_a_half_without_images_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    star = star_in(tmp_path, replace(particles_in(tmp_path), half_set=np.ones(COUNT, np.int64)))
    assert reconstruct(star, "--halves") == 2
    assert "half set 2 is empty" in capsys.readouterr().err


def test_poses_and_endings_are_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    star = star_in(tmp_path)
    command = [
        "tools",
        "reconstruct",
        "--particles",
        str(star),
        "--output",
        str(tmp_path / "m.txt"),
    ]
    assert cli.main(command) == 2
    assert "expected .mrc" in capsys.readouterr().err
    lines = star.read_text().replace("_rlnAngle", "_rlnOther")
    star.write_text(lines)
    assert reconstruct(star) == 2
    assert "rlnAngle" in capsys.readouterr().err


def test_stacks_and_lists_are_never_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    star = star_in(tmp_path)
    stack = (tmp_path / "images.mrcs").read_bytes()
    output = ["--output", str(tmp_path / "images.mrcs")]
    assert cli.main(["tools", "reconstruct", "--particles", str(star), *output]) == 2
    assert "images.mrcs: would be written over itself" in capsys.readouterr().err
    assert (tmp_path / "images.mrcs").read_bytes() == stack


def test_images_in_both_halves_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once = particles_in(tmp_path)
    star_in(tmp_path, once)
    twice = once.take(np.repeat(np.arange(20), 2))
    star = tmp_path / "twice.star"
    twice = replace(twice, half_set=1 + np.arange(40) % 2)
    write_particles(star, new_particle_file(twice))
    assert reconstruct(star, "--halves") == 0
    assert "20 images are in both half sets" in capsys.readouterr().err


def test_a_half_set_without_weights_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    particles = particles_in(tmp_path)
    star = star_in(tmp_path, particles, {"rlnScore": (particles.half_set == 1).astype(float)})
    assert reconstruct(star, "--halves", "--weight-column", "rlnScore") == 2
    assert "half set 2 has no weight above 0" in capsys.readouterr().err


def test_a_file_in_the_place_of_a_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    star = star_in(tmp_path)
    output = ["--output", str(star / "map.mrc")]
    assert cli.main(["tools", "reconstruct", "--particles", str(star), *output]) == 2
    assert "cannot write here" in capsys.readouterr().err


def test_images_without_a_stack_are_left_out_where_asked(tmp_path: Path) -> None:
    first = star_in(tmp_path)
    text = first.read_text().replace("000001@images.mrcs", "000001@gone.mrcs")
    first.write_text(text)
    assert reconstruct(first) == 2
    assert reconstruct(first, "--skip-missing") == 0
    assert correlation(read(tmp_path / "map.mrc"), truth().numpy()) > 0.9


def test_empty_images_make_no_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    star = star_in(tmp_path)
    write_stack(tmp_path / "images.mrcs", np.zeros((COUNT, BOX, BOX)))
    assert reconstruct(star, "--halves") == 2
    assert "its images add up to nothing" in capsys.readouterr().err
    assert not list(tmp_path.glob("map*"))
