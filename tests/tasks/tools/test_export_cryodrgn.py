"""`icelens tools export-cryodrgn` writes what the reference unpickles, and what comes back."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from particle_stars import GROUP, write_star

from icelens.apps import cli
from icelens.core.data.latents import LatentTable
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.io.cryodrgn_files import read_cryodrgn_ctf, read_cryodrgn_poses
from icelens.core.io.cryodrgn_images import read_image_list
from icelens.core.io.cryodrgn_particles import CryodrgnData, cryodrgn_particles
from icelens.core.io.latent_table import write_latents
from icelens.core.io.particle_files import read_particles, write_particles

Capture = pytest.CaptureFixture[str]


def export(star: Path, *words: str) -> int:
    command = ["tools", "export-cryodrgn", "--particles", str(star)]
    return cli.main([*command, "--output", str(star.parent / "out"), *words])


def loaded(path: Path) -> list[Any]:
    """As cryoDRGN reads it."""
    parts = []
    with path.open("rb") as stream:
        while stream.peek(1):
            parts.append(pickle.load(stream))
    return parts


def refused(star: Path, capsys: Capture, *words: str) -> str:
    assert export(star, *words) == 2
    assert not list((star.parent / "out").glob("*.pkl"))
    return capsys.readouterr().err


def tilts(path: Path) -> Path:
    columns = {"rlnGroupName": ["b", "b", "a", "c", "a"], "rlnCtfScalefactor": [1, 0.9, 1, 1, 0.8]}
    star = write_star(path, **columns)
    file = read_particles(star)
    # in the form of M's exports there is no optics table
    table = file.blocks["particles"].drop(columns="rlnOpticsGroup")
    table = table.assign(rlnImagePixelSize=3.0, rlnVoltage=300.0)
    write_particles(star, replace(file, blocks={"particles": table}))
    assert len(np.unique(read_particles(star).particles.particle)) == 3
    return star


def test_ctf_and_poses_are_those_of_the_rows(tmp_path: Path) -> None:
    star = write_star(tmp_path / "mit Umlaut ä.star")
    particles = read_particles(star).particles
    assert export(star) == 0
    (ctf,), (poses,) = loaded(tmp_path / "out" / "ctf.pkl"), loaded(tmp_path / "out" / "pose.pkl")
    assert ctf.shape == (5, 9)
    assert ctf[:, :2].tolist() == [[8.0, 3.0]] * 5
    assert np.allclose(ctf[:, 2], particles.defocus_u)
    assert np.allclose(ctf[0, 5:], [300, 2.7, 0.1, 0])
    assert np.allclose(poses[0], particles.rotation, atol=1e-6)
    assert np.allclose(poses[1] * 8 * 3.0, particles.shift_yx[:, ::-1], atol=1e-5)


def test_what_is_exported_comes_back(tmp_path: Path) -> None:
    optics = (GROUP, OpticsGroup("two", 2.5, 8, 200.0, 1.4, 0.07))
    star = write_star(tmp_path / "all.star", optics=optics)
    file = read_particles(star)
    shift = np.random.default_rng(0).uniform(-5, 5, (5, 2))
    write_particles(star, file, shift_yx=shift, columns={"rlnPhaseShift": np.arange(5.0)})
    assert export(star) == 0
    data = CryodrgnData(
        read_image_list(star),
        read_cryodrgn_ctf(tmp_path / "out" / "ctf.pkl"),
        read_cryodrgn_poses(tmp_path / "out" / "pose.pkl"),
    )
    back, own = cryodrgn_particles(data).particles, read_particles(star).particles
    for name in ("rotation", "shift_yx", "defocus_u", "astigmatism_angle", "phase_shift"):
        assert np.allclose(getattr(back, name), getattr(own, name), rtol=1e-6, atol=1e-5), name
    assert np.array_equal(back.pixel_size(), own.pixel_size())
    assert [group.voltage for group in back.optics] == [300.0, 200.0]


@pytest.mark.parametrize("has_deviation", [True, False])
def test_latents_are_written_in_the_order_of_the_particles(
    tmp_path: Path, *, has_deviation: bool
) -> None:
    star = write_star(tmp_path / "all.star")
    latent = np.arange(10.0).reshape(5, 2)
    order = np.array([3, 0, 4, 1, 2])
    deviation = latent + 1 if has_deviation else np.full((5, 2), np.nan)
    table = LatentTable(latent[order], particle=order, row=order, deviation=deviation[order])
    write_latents(tmp_path / "latents.csv", table)
    assert export(star, "--latents", str(tmp_path / "latents.csv")) == 0
    parts = loaded(tmp_path / "out" / "z.pkl")
    assert np.allclose(parts[0], latent)
    assert len(parts) == (2 if has_deviation else 1)
    assert not has_deviation or np.allclose(np.exp(parts[1] / 2), latent + 1)


def test_an_index_is_of_the_larger_file(tmp_path: Path) -> None:
    parent = write_star(tmp_path / "all.star")
    chosen = tmp_path / "chosen.star"
    write_particles(chosen, read_particles(parent), rows=[4, 1, 3])
    assert export(chosen, "--parent", str(parent)) == 0
    assert loaded(tmp_path / "out" / "ind.pkl")[0].tolist() == [4, 1, 3]


def test_an_index_of_tilt_series_counts_particles(tmp_path: Path, capsys: Capture) -> None:
    parent = tilts(tmp_path / "all.star")
    chosen = tmp_path / "chosen.star"
    # particles by first appearance: b, a, c
    write_particles(chosen, read_particles(parent), rows=[2, 4, 0, 1])
    assert export(chosen, "--parent", str(parent)) == 0
    assert loaded(tmp_path / "out" / "ind.pkl")[0].tolist() == [1, 0]
    (tmp_path / "out" / "ctf.pkl").unlink(), (tmp_path / "out" / "pose.pkl").unlink()
    (tmp_path / "out" / "ind.pkl").unlink()
    write_particles(chosen, read_particles(parent), rows=[2, 0, 1])
    assert "some tilts of a particle" in refused(chosen, capsys, "--parent", str(parent))


def test_latents_of_the_larger_file_are_chosen_from(tmp_path: Path, capsys: Capture) -> None:
    parent = write_star(tmp_path / "all.star")
    chosen, path = tmp_path / "chosen.star", tmp_path / "latents.csv"
    write_particles(chosen, read_particles(parent), rows=[4, 1])
    write_latents(path, LatentTable(np.arange(5.0)[:, None]))
    words = ("--parent", str(parent), "--latents", str(path))
    assert export(chosen, *words) == 0
    assert loaded(tmp_path / "out" / "z.pkl")[0].ravel().tolist() == [4.0, 1.0]
    for made in (tmp_path / "out").glob("*.pkl"):
        made.unlink()
    path.write_text("latent_1\n" + "1\n" * 5)
    assert "do not say of which particles" in refused(chosen, capsys, *words)


def test_latents_of_chosen_tilt_series_are_those_of_the_particles(tmp_path: Path) -> None:
    parent = tilts(tmp_path / "all.star")
    chosen, path = tmp_path / "chosen.star", tmp_path / "latents.csv"
    write_particles(chosen, read_particles(parent), rows=[3, 4, 2])
    # b, a and c appear first in rows 0, 2 and 3
    write_latents(path, LatentTable(np.array([[0.0], [1.0], [2.0]]), row=np.array([0, 2, 3])))
    assert export(chosen, "--parent", str(parent), "--latents", str(path)) == 0
    assert loaded(tmp_path / "out" / "z.pkl")[0].ravel().tolist() == [2.0, 1.0]
    assert loaded(tmp_path / "out" / "ind.pkl")[0].tolist() == [2, 1]


def test_images_that_are_not_in_the_larger_file_are_named(tmp_path: Path, capsys: Capture) -> None:
    parent = write_star(tmp_path / "all.star")
    other = write_star(tmp_path / "other.star", (2,))
    assert "image 1 of other_0.mrcs is not in it (2 of 2)" in refused(
        other, capsys, "--parent", str(parent)
    )


def test_images_that_come_twice_have_no_place(tmp_path: Path, capsys: Capture) -> None:
    star = write_star(tmp_path / "all.star")
    write_particles(tmp_path / "twice.star", read_particles(star), rows=[0, 1, 0])
    words = ("--parent", str(tmp_path / "twice.star"))
    assert "lists an image twice" in refused(star, capsys, *words)


def test_latents_of_other_particles_are_refused(tmp_path: Path, capsys: Capture) -> None:
    star = write_star(tmp_path / "all.star")
    path = tmp_path / "latents.csv"
    write_latents(path, LatentTable(np.zeros((4, 2))))
    assert "4 latents, but there are 5" in refused(star, capsys, "--latents", str(path))
    write_latents(path, LatentTable(np.zeros((5, 2)), row=np.arange(5) + 1))
    assert "row 0 is no particle's first image" in refused(star, capsys, "--latents", str(path))


def test_bare_latents_are_taken_in_their_order(tmp_path: Path) -> None:
    star = write_star(tmp_path / "all.star")
    (tmp_path / "l.csv").write_text("latent_1\n" + "\n".join(map(str, range(5))) + "\n")
    assert export(star, "--latents", str(tmp_path / "l.csv")) == 0
    assert loaded(tmp_path / "out" / "z.pkl")[0].ravel().tolist() == [0, 1, 2, 3, 4]


def test_what_cannot_be_told_is_said(tmp_path: Path) -> None:
    tilted = OpticsGroup("two", 2.5, 8, beam_tilt_xy=(0.1, 0.0))
    columns = {"rlnCtfBfactor": np.full(5, 20.0), "rlnCtfScalefactor": [1, 1, 1, 1, -1]}
    star = write_star(tmp_path / "all.star", optics=(GROUP, tilted), **columns)
    assert export(star) == 0
    log = (tmp_path / "out" / "log.txt").read_text()
    for piece in ("2.5 to 3 Å/px", "beam tilt", "B-factors", "some images are dark on light"):
        assert piece in log


def test_dark_images_are_not_to_be_inverted(tmp_path: Path) -> None:
    star = write_star(tmp_path / "all.star", rlnCtfScalefactor=np.full(5, -1.0))
    assert export(star) == 0
    log = (tmp_path / "out" / "log.txt").read_text()
    assert "--uninvert-data" in log
    assert "scales of the CTF" not in log


def test_particles_without_poses_give_a_ctf_alone(tmp_path: Path) -> None:
    star = write_star(tmp_path / "all.star")
    file = read_particles(star)
    bare = file.blocks["particles"].drop(columns=["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"])
    write_particles(star, replace(file, blocks={**file.blocks, "particles": bare}))
    assert export(star) == 0
    assert not (tmp_path / "out" / "pose.pkl").exists()
    assert "no poses" in (tmp_path / "out" / "log.txt").read_text()


@pytest.mark.parametrize("name", ["absent.star", "absent.cs", "a.pkl"])
def test_what_is_no_particle_file_is_refused(name: str, tmp_path: Path, capsys: Capture) -> None:
    assert name in refused(tmp_path / name, capsys)
