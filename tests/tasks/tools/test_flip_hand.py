"""`icelens tools flip-hand`: exact mirrors, and poses that belong to them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from image_stars import write_cs, write_noise_star

from icelens.apps import cli
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.geometry.mirrored_poses import mirrored_poses
from icelens.core.io.particle_files import new_particle_file, read_particles, write_particles
from icelens.core.io.star import read_star, write_star
from icelens.core.io.volumes import open_volume, write_volume
from icelens.core.simulate.particles import simulate_images
from icelens.core.simulate.poses import random_poses
from icelens.core.volumes.mirror import mirrored

BOX, SIZE, COUNT = 20, 4.0, 200


def flip(*words: object) -> int:
    return cli.main(["tools", "flip-hand", *map(str, words)])


def write_map(
    path: Path, shape: tuple[int, int, int] = (8, 9, 10), dtype: str = "f4"
) -> np.ndarray:
    values = np.random.default_rng(0).normal(0.0, 50.0, shape).astype(dtype)
    write_volume(path, Volume(values, 1.5, (3.0, 4.0, 5.0)), dtype=dtype)
    return values


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("dtype", ["f4", "i2"])
def test_twice_is_the_map_again_with_its_header(tmp_path, axis, dtype):
    values = write_map(tmp_path / "a.mrc", dtype=dtype)
    assert flip(tmp_path / "a.mrc", "--output", tmp_path / "b.mrc", "--axis", axis) == 0
    assert flip(tmp_path / "b.mrc", "--output", tmp_path / "c.mrc", "--axis", axis) == 0
    once, twice = open_volume(tmp_path / "b.mrc"), open_volume(tmp_path / "c.mrc")
    assert np.array_equal(twice.array, values)
    assert np.array_equal(once.array, mirrored(values, axis))
    assert (once.pixel_size, once.origin_xyz) == (1.5, (3.0, 4.0, 5.0))


def test_several_maps_go_to_a_folder(tmp_path):
    (tmp_path / "mit Leerzeichen ä").mkdir()
    paths = [tmp_path / "a.mrc", tmp_path / "mit Leerzeichen ä" / "b c.mrc"]
    values = [write_map(path) for path in paths]
    assert flip(*paths, "--output", tmp_path / "out") == 0
    for path, before in zip(paths, values, strict=True):
        after = open_volume(tmp_path / "out" / path.name).array
        assert np.array_equal(after, mirrored(before))


def blobs() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    axis = torch.arange(BOX) - BOX // 2
    grid_zyx = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).float()
    volume = torch.zeros(BOX, BOX, BOX)
    for _ in range(10):
        centre = (torch.rand(3, generator=generator) - 0.5) * BOX / 2.5
        volume += torch.exp(-((grid_zyx - centre) ** 2).sum(-1) / (2 * 1.5**2))
    return volume


def test_map_of_mirrored_poses_is_the_mirrored_map(tmp_path):
    rng = np.random.default_rng(1)
    particles = Particles(
        (tmp_path / "images.mrcs",),
        np.zeros(COUNT, np.int64),
        np.arange(COUNT),
        (OpticsGroup("one", SIZE, BOX),),
        rotation=random_poses(COUNT, rng),
        shift_yx=rng.uniform(-8, 8, (COUNT, 2)),
        defocus_u=rng.uniform(5e3, 2e4, COUNT),
    )
    images = simulate_images(blobs(), particles, snr=50.0, generator=torch.Generator())
    write_volume(tmp_path / "images.mrcs", Volume(images.numpy(), SIZE))
    write_particles(tmp_path / "a.star", new_particle_file(particles))
    assert flip("--particles", tmp_path / "a.star", "--output", tmp_path / "b.star") == 0
    maps = []
    for name in ("a", "b"):
        words = ["--particles", tmp_path / f"{name}.star", "--output", tmp_path / f"{name}.mrc"]
        assert cli.main(["tools", "reconstruct", *map(str, words)]) == 0
        maps.append(np.array(open_volume(tmp_path / f"{name}.mrc").array))
    # the first section has no mate in an even box
    difference = maps[1][1:] - mirrored(maps[0])[1:]
    assert np.abs(difference).max() < 1e-3 * np.abs(maps[0]).max()
    assert np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1] < 0.9


def test_only_angles_change_and_priors_follow(tmp_path):
    group = OpticsGroup("one", 2.0, 8)
    star = write_noise_star(tmp_path / "a.star", (4,), (group,), rlnClassNumber=range(4))
    blocks = read_star(star)
    priors = {
        f"rlnAngle{name}Prior": blocks["particles"][f"rlnAngle{name}"] for name in ("Tilt", "Psi")
    }
    write_star(star, {**blocks, "particles": blocks["particles"].assign(**priors)})
    assert flip("--particles", star, "--output", tmp_path / "b.star", "--axis", "x") == 0
    old, new = read_star(star)["particles"], read_star(tmp_path / "b.star")["particles"]
    angles = [name for name in old.columns if name.startswith("rlnAngle")]
    assert old.drop(columns=angles).equals(new.drop(columns=angles))
    assert np.allclose(new["rlnAngleTiltPrior"], new["rlnAngleTilt"], atol=1e-5)
    assert np.allclose(new["rlnAnglePsiPrior"], new["rlnAnglePsi"], atol=1e-5)
    before, after = (read_particles(path).particles for path in (star, tmp_path / "b.star"))
    assert np.allclose(after.rotation, mirrored_poses(before.rotation, "x"), atol=1e-6)
    assert np.allclose(after.shift_yx, before.shift_yx)


def test_records_of_cryosparc_get_mirrored_poses(tmp_path):
    source = write_cs(tmp_path / "a.cs", 3, side=8, pixel_size=2.0)
    assert flip("--particles", source, "--output", tmp_path / "b.cs") == 0
    before, after = (read_particles(tmp_path / f"{n}.cs").particles for n in "ab")
    assert np.allclose(after.rotation, mirrored_poses(before.rotation), atol=1e-5)


def hostile(kind: str, folder: Path) -> list[object]:
    map_path, output = folder / "a.mrc", folder / "b.mrc"
    write_map(map_path)
    if kind == "NaN":
        write_volume(map_path, Volume(np.full((4, 4, 4), np.nan, np.float32), 1.5))
    star = write_noise_star(folder / "p.star", (2,), (OpticsGroup("one", 2.0, 8),))
    words: dict[str, list[object]] = {
        "nothing": ["--output", output],
        "both": [map_path, "--particles", star, "--output", output],
        "over itself": [map_path, "--output", map_path],
        "into its folder": [map_path, folder / "p_0.mrcs", "--output", folder],
        "two into one": [map_path, folder / "p_0.mrcs", "--output", output],
        "missing": [folder / "absent.mrc", "--output", output],
        "star over itself": ["--particles", star, "--output", star],
        "star to map": ["--particles", star, "--output", output],
    }
    return words.get(kind, [map_path, "--output", output])


@pytest.mark.parametrize(
    ("kind", "piece"),
    [
        ("nothing", "expected either"),
        ("both", "expected either"),
        ("over itself", "over itself"),
        ("into its folder", "over itself"),
        ("two into one", "name of a folder"),
        ("missing", "no such file"),
        ("NaN", "NaN"),
        ("star over itself", "over itself"),
        ("star to map", ".star or .cs"),
    ],
)
def test_what_cannot_be_flipped_is_one_line_and_leaves_nothing(kind, piece, tmp_path, capsys):
    words = hostile(kind, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert flip(*words) == 2
    said = capsys.readouterr().err
    assert piece in said
    assert len(said.strip().splitlines()) == 1
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_tables_without_poses_are_refused(tmp_path, capsys):
    star = write_noise_star(tmp_path / "a.star", (2,), (OpticsGroup("one", 2.0, 8),))
    blocks = read_star(star)
    write_star(star, {**blocks, "particles": blocks["particles"].drop(columns="rlnAngleTilt")})
    assert flip("--particles", star, "--output", tmp_path / "b.star") == 2
    assert "rlnAngleTilt is missing" in capsys.readouterr().err
