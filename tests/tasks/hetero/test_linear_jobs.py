"""`icelens hetero linear` from images to latents, maps and report, on a few particles."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hetero_world import BOX, PIXEL, Made, body, random_particles, two_states, write_images
from sklearn.metrics import adjusted_rand_score

from icelens.apps import cli
from icelens.core.errors import MetadataError
from icelens.core.events import Event, Message
from icelens.core.io.latent_table import read_latents
from icelens.core.io.particle_files import new_particle_file, write_particles
from icelens.core.io.volumes import open_volume
from icelens.core.simulate.particles import simulate_images
from icelens.jobs.run import run_job
from icelens.tasks.hetero.hetero_run import open_hetero_run
from icelens.tasks.hetero.linear.linear_model import MODEL_NAME, read_linear_model
from icelens.tasks.hetero.linear_jobs import linear
from icelens.tasks.hetero.linear_settings import LinearConfig


def settings(star: Path, output: Path, **changes: Any) -> LinearConfig:
    given: dict[str, Any] = {
        "particles": (star,),
        "output": output,
        "components": 2,
        "mask_diameter": 100.0,
        "max_resolution": 15.0,
        "device": "cpu",
        "threads": 1,
    }
    return LinearConfig(**(given | changes))


def one_state(folder: Path, count: int) -> Path:
    particles = random_particles(count)
    generator = torch.Generator().manual_seed(1)
    images = simulate_images(body(), particles, snr=1.0, generator=generator)
    star = folder / "particles.star"
    write_particles(star, new_particle_file(write_images(folder, particles, {0: images})))
    return star


def _states_told_apart(latent: np.ndarray, state: np.ndarray) -> float:
    return float(adjusted_rand_score(state, latent[:, 0] > np.median(latent[:, 0])))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return two_states(tmp_path_factory.mktemp("images"), 60, snr=2.0)


@pytest.fixture(scope="module")
def finished(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("runs") / "pca"
    words = ["hetero", "linear", "--particles", str(made.star), "--output", str(output)]
    words += ["--components", "1", "--mask-diameter", "100", "--device", "cpu", "--threads", "1"]
    assert cli.main(words) == 0
    return output


def test_two_states_lie_apart_along_the_first_latent(made: Made, finished: Path) -> None:
    table = read_latents(finished / "latents.csv")
    assert len(table) == 60
    assert set(table.half_set.tolist()) == {1, 2}
    np.testing.assert_array_equal(table.row, np.arange(60))
    assert _states_told_apart(table.latent, made.state) > 0.8


def test_a_run_leaves_maps_model_and_report(finished: Path) -> None:
    for name in ("mean", "mean_half_1", "mean_half_2", "component_01", "back_projection"):
        volume = open_volume(finished / f"{name}.mrc")
        assert volume.array.shape == (BOX,) * 3
        assert abs(volume.pixel_size - PIXEL) < 1e-3
        assert np.isfinite(np.asarray(volume.array)).all()
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert "1 of 1 components are more than noise" in page
    assert "one structure" not in page


def test_a_run_opens_as_any_other(finished: Path) -> None:
    run = open_hetero_run(finished)
    assert (run.kind, run.latent_dim, run.box_size) == ("linear", 1, BOX)
    model = run.volume_model()
    assert model.has_halves
    table = run.latents()
    again = model.encode(run.images())
    np.testing.assert_allclose(again.latent, table.latent, rtol=1e-3, atol=1e-3)


def test_images_of_one_structure_are_said_to_be_that(tmp_path: Path) -> None:
    heard: list[Event] = []
    star = one_state(tmp_path / "images", 60)
    folder = run_job(linear, settings(star, tmp_path / "run"), on_event=heard.append)
    warned = [each.text for each in heard if isinstance(each, Message) and each.level == "warning"]
    assert any("these images tell of one structure" in text for text in warned)
    model = read_linear_model(folder, None)
    assert (model.num_significant, model.latent_dim) == (0, 1)
    assert (folder / "component_01.mrc").is_file()
    assert "tell of one structure" in (folder / "report.html").read_text(encoding="utf-8")


def test_all_tilts_of_a_particle_have_one_latent(tmp_path: Path) -> None:
    made = two_states(tmp_path / "images", 40, tilts=3, snr=1.0)
    folder = run_job(linear, settings(made.star, tmp_path / "run", components=1))
    table = read_latents(folder / "latents.csv")
    np.testing.assert_array_equal(table.row, 3 * np.arange(40))
    assert _states_told_apart(table.latent, made.state) > 0.8


def test_few_particles_determine_few_components(tmp_path: Path) -> None:
    heard: list[Event] = []
    made = two_states(tmp_path / "images", 20, snr=2.0)
    config = settings(made.star, tmp_path / "run", components=10)
    folder = run_job(linear, config, on_event=heard.append)
    warned = [each.text for each in heard if isinstance(each, Message) and each.level == "warning"]
    assert any("cannot determine 10 components: 1 are tried" in text for text in warned)
    assert len(read_linear_model(folder, None).tried) == 1


@pytest.mark.parametrize(("count", "changes"), [(2, {}), (20, {"half_set": np.ones(20, int)})])
def test_particles_that_determine_nothing_are_refused(
    count: int, changes: dict[str, Any], tmp_path: Path
) -> None:
    made = two_states(tmp_path / "images", count, **changes)
    with pytest.raises(MetadataError, match=r"particles\.star.*expected") as refused:
        run_job(linear, settings(made.star, tmp_path / "run"))
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run" / MODEL_NAME).exists()
    assert not (tmp_path / "run" / "latents.csv").exists()
