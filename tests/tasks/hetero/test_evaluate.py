"""Other particles are scored image by image, and worse ones are told from better ones."""

import numpy as np
import pandas
import pytest
import torch
from linear_family import (
    BOX,
    PIXEL,
    FamilyModel,
    ball,
    make_run,
    occupied,
    use_model,
    write_images,
)

from icelens.apps import cli
from icelens.core.events import ignore
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.latent_table import read_latents
from icelens.core.io.particle_files import read_particles
from icelens.core.optics.image_source import ImageSource
from icelens.tasks.hetero.image_grid import Grid
from icelens.tasks.hetero.preparation import prepare

TRAINING = np.random.default_rng(1).uniform(0, 1, (80, 1))
OTHERS = np.random.default_rng(2).uniform(0, 1, (50, 1))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run whose 80 particles lie in its folder, prepared; its model knows the truth."""
    use_model(monkeypatch, FamilyModel(occupied, 1))
    folder = make_run(tmp_path / "run", TRAINING)
    star = write_images(folder / "particles.star", TRAINING, occupied)
    particles = read_particles(star).particles
    source = ImageSource(particles, ImageReader(particles), torch.device("cpu"))
    prepare(
        source, Grid(BOX, PIXEL, BOX // 2 - 1), mask_diameter=None, contrast="keep", folder=folder,
        seed=0, on_event=ignore,
    )  # fmt: skip
    return folder


def command(run, star, *words):
    output = run.parent / "scores"
    flags = ["--run", str(run), "--particles", str(star), "--output", str(output), *words]
    return cli.main(["hetero", "evaluate", *flags]), output


def test_like_particles_are_explained_as_well_as_those_of_training(run, tmp_path, capsys):
    star = write_images(tmp_path / "other.star", OTHERS, occupied, seed=5)
    code, output = command(run, star)
    assert code == 0
    assert "explained worse" not in capsys.readouterr().err
    table = pandas.read_csv(output / "scores.csv")
    assert table["row"].tolist() == list(range(50))
    assert table["latent_1"].to_numpy() == pytest.approx(OTHERS[:, 0], abs=1e-4)
    assert (table["deviation_1"] == 0.1).all()
    assert table["loss"].median() == pytest.approx(1.0, abs=0.1)
    assert table["z_score"].median() == pytest.approx(0.0, abs=0.7)
    assert (table["support"] == "supported").mean() > 0.9
    assert (table["log_likelihood"] < 0).all()
    assert read_latents(output / "latents.csv").latent == pytest.approx(OTHERS, abs=1e-4)
    assert not list(output.glob(".images-*"))
    for picture in ("loss", "share", "z_score", "latents"):
        assert (output / f"{picture}.png").is_file()


def test_particles_of_another_kind_are_explained_worse_and_that_is_said(run, tmp_path, capsys):
    def other(latent):
        return 2.5 * ball(0, 6, width=2.0) + 0 * latent[0]

    star = write_images(tmp_path / "other.star", OTHERS, other, noise_std=1.0, seed=5)
    code, output = command(run, star)
    assert code == 0
    assert "explained worse" in capsys.readouterr().err
    assert pandas.read_csv(output / "scores.csv")["z_score"].median() > 1


def test_latents_far_from_training_are_said_to_be_extrapolated(run, tmp_path, capsys):
    star = write_images(tmp_path / "other.star", 5 + OTHERS, occupied, seed=5)
    code, output = command(run, star)
    assert code == 0
    assert "100% of the particles have latents where no particle" in capsys.readouterr().err
    assert (pandas.read_csv(output / "scores.csv")["support"] == "extrapolated").all()


def test_particles_that_share_volumes_score_nearly_the_same(run, tmp_path):
    star = write_images(tmp_path / "other.star", OTHERS, occupied, seed=5)
    _, output = command(run, star)
    exact = pandas.read_csv(output / "scores.csv")["loss"]
    code, output = command(run, star, "--volumes", "12", "--training-sample", "0")
    assert code == 0
    shared = pandas.read_csv(output / "scores.csv")
    assert shared["loss"].to_numpy() == pytest.approx(exact.to_numpy(), rel=0.05)
    assert shared["z_score"].isna().all()


def test_images_of_training_that_are_gone_are_said_to_be(run, tmp_path, capsys):
    star = write_images(tmp_path / "other.star", OTHERS, occupied, seed=5)
    (run / "particles.star").unlink()
    code, output = command(run, star)
    assert code == 0
    assert "not compared with those of training" in capsys.readouterr().err
    assert pandas.read_csv(output / "scores.csv")["z_score"].isna().all()


def test_settings_that_cannot_be_are_refused_in_one_line(run, tmp_path, capsys):
    code, output = command(run, tmp_path / "none.star")
    assert code == 2
    assert "none.star" in capsys.readouterr().err
    assert not (output / "scores.csv").exists()


def test_images_smaller_than_the_grid_are_refused(run, tmp_path, capsys):
    from particle_stars import write_star

    code, output = command(run, write_star(tmp_path / "small.star"))
    assert code == 2
    assert "images of 8 px, expected 24" in capsys.readouterr().err
    assert not (output / "scores.csv").exists()


def test_autodecoder_is_refused_before_images_are_read(run, tmp_path, capsys):
    facts = run / "hetero.json"
    facts.write_text(facts.read_text().replace('"linear"', '"autodecoder"'))
    code, output = command(run, "none.star")
    assert code == 2
    assert f"{run}: an autodecoder knows the latents" in capsys.readouterr().err
    assert not (output / "scores.csv").exists()


def test_images_without_content_are_named(run, tmp_path, capsys):
    star = write_images(tmp_path / "other.star", OTHERS, occupied, seed=5)
    for stack in tmp_path.glob("*.mrcs"):
        content = bytearray(stack.read_bytes())
        content[1024:] = bytes(len(content) - 1024)
        stack.write_bytes(content)
    code, _ = command(run, star)
    assert code == 2
    assert "other.star: the images hold no power" in capsys.readouterr().err
