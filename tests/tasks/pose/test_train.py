"""Training runs of seconds: halves stay apart, runs go on exactly, mistakes write nothing."""

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pose_models import BOX, GROUP, PIXEL, TINY, simulated
from pose_world import blobs

from icelens.apps import cli
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.volume import Volume
from icelens.core.errors import StoppedEarly
from icelens.core.events import Event, Message, Metrics
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.core.io.volumes import open_volume, write_volume
from icelens.core.metrics.fsc import fourier_shell_correlation
from icelens.jobs.journal import read_metrics
from icelens.jobs.run import run_job
from icelens.tasks.pose.model import read_model, read_models
from icelens.tasks.pose.network.build import build_network
from icelens.tasks.pose.train_jobs import train
from icelens.tasks.pose.train_settings import TrainConfig
from icelens.training.checkpoint import load_checkpoint

COUNT = 40


def settings(star: Path, output: Path, **changes: Any) -> TrainConfig:
    return TrainConfig(**{**TINY, "particles": (star,), "output": output, **changes})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_checkpoint(folder).tensors)


def same(first: Path, second: Path) -> bool:
    one, other = weights(first), weights(second)
    return all(torch.equal(one[name], other[name]) for name in one)


def messages(config: TrainConfig, level: str | None = None) -> list[str]:
    told: list[Event] = []
    run_job(train, config, on_event=told.append)
    return [e.text for e in told if isinstance(e, Message) and level in (None, e.level)]


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulated(tmp_path_factory.mktemp("my particles"), COUNT)


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take longer than the training; `trained` is made before, with them."""
    monkeypatch.setattr("icelens.tasks.pose.train.report_half", lambda *_: None)


@pytest.fixture(scope="module")
def trained(star: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_job(train, settings(star, tmp_path_factory.mktemp("models") / "model"))


def test_each_half_set_gets_a_network_that_says_what_it_is(trained: Path, star: Path) -> None:
    models = read_models(trained)
    assert set(models) == {1, 2}
    for half_set, model in models.items():
        assert model.half_set == half_set
        assert model.symmetry == "C1"
        assert model.shape.box_size == 32
        assert model.shape.pixel_size == pytest.approx(PIXEL)
        assert model.shape.mask_radius == pytest.approx(0.475 * BOX * PIXEL)
        assert model.shape.is_ctf_corrected
        assert model.reference.is_file()
        assert model.confidence["scores"]["symmetry"] == "C1"
        assert 0.5 <= model.sharpness <= 4.0
        known = load_checkpoint(trained / f"half_{half_set}").description
        assert known["validation"]["val_median_geo_degs"] <= 180.0
        assert known["network"]["encoder_settings"]["channels"] == 8
    assert not same(trained / "half_1", trained / "half_2")
    report = (trained / "report.html").read_text()
    for words in ("Half 1", "Half 2", "Held out: median error", "Directions that held-out"):
        assert words in report


def test_curves_hold_what_was_measured(trained: Path) -> None:
    for half in ("half_1", "half_2"):
        history = read_metrics(trained / half)
        assert np.isfinite([each["loss"] for each in history if "loss" in each]).all()
        assert all(0.0 <= e["geo_degs_step"] <= 180.0 for e in history if "geo_degs_step" in e)
        assert any("val_median_geo_degs" in each for each in history)


def test_the_networks_never_see_each_others_images(
    trained: Path, star: Path, tmp_path: Path
) -> None:
    file = read_particles(star)
    images = ImageReader(file.particles).read(np.arange(COUNT))
    # other images for half 2, under the same names
    changed = images.copy()
    of_2 = file.particles.half_set == 2
    changed[of_2] = np.random.default_rng(0).normal(size=changed[of_2].shape)
    write_volume(tmp_path / "other.mrcs", Volume(changed, PIXEL))
    particles = replace(file.particles, stacks=(tmp_path / "other.mrcs",))
    write_particles(tmp_path / "other.star", replace(file, particles=particles))
    text = star.read_text().replace("particles_0.mrcs", str(tmp_path / "other.mrcs"))
    (tmp_path / "other.star").write_text(text)
    other = run_job(train, settings(tmp_path / "other.star", tmp_path / "model"))
    assert same(trained / "half_1", other / "half_1")
    assert not same(trained / "half_2", other / "half_2")
    maps = [
        [np.array(open_volume(folder / f"half_{half}" / "map.mrc").array) for half in (1, 2)]
        for folder in (trained, other)
    ]
    assert np.array_equal(maps[0][0], maps[1][0])
    assert not np.allclose(maps[0][1], maps[1][1])


def test_the_reference_is_the_map_of_the_particle(tmp_path: Path) -> None:
    star = simulated(tmp_path, 240, snr=None)
    run_job(train, settings(star, tmp_path / "model", overfit=None, halves=False, batch_size=120))
    found = open_volume(tmp_path / "model" / "all" / "map.mrc")
    assert found.pixel_size == pytest.approx(PIXEL)
    curve = fourier_shell_correlation(
        torch.from_numpy(np.array(found.array)), blobs(), pixel_size=PIXEL
    )
    assert float(curve.correlation[1:10].min()) > 0.8


def interrupting(step: int) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if isinstance(event, Metrics) and event.step == step and "loss" in event.values:
            signal.raise_signal(signal.SIGINT)

    return listen


@pytest.mark.parametrize("ending", ["interrupt", "time limit"])
def test_resumed_run_ends_with_the_weights_of_one_never_stopped(
    star: Path, trained: Path, tmp_path: Path, ending: str
) -> None:
    stopped = tmp_path / "stopped"
    if ending == "interrupt":
        with pytest.raises(KeyboardInterrupt):
            run_job(train, settings(star, stopped), on_event=interrupting(2))
    else:
        with pytest.raises(StoppedEarly, match="--resume"):
            run_job(train, settings(star, stopped, time_limit=1e-9))
    run_job(train, settings(star, stopped), resume=True)
    for half in ("half_1", "half_2"):
        assert same(trained / half, stopped / half)
        known = [load_checkpoint(folder / half).description for folder in (trained, stopped)]
        assert known[0]["confidence"] == known[1]["confidence"]
        assert known[0]["validation"] == known[1]["validation"]
    # a finished run that is resumed again stays as it is
    run_job(train, settings(star, stopped), resume=True)
    assert same(trained / "half_1", stopped / "half_1")
    assert load_checkpoint(stopped / "half_1").description["confidence"]


def test_seed_alone_fixes_the_weights(star: Path, trained: Path, tmp_path: Path) -> None:
    run_job(train, settings(star, tmp_path / "again"))
    assert same(trained / "half_1", tmp_path / "again" / "half_1")
    run_job(train, settings(star, tmp_path / "other", seed=5))
    assert not same(trained / "half_1", tmp_path / "other" / "half_1")


def test_one_network_for_all_without_halves(star: Path, tmp_path: Path) -> None:
    folder = run_job(train, settings(star, tmp_path / "one", halves=False))
    models = read_models(folder)
    assert set(models) == {0}
    assert read_models(folder / "all")[0].half_set == 0
    assert not (folder / "half_1").exists()


def test_particles_without_half_sets_are_split_and_it_is_said(tmp_path: Path) -> None:
    star = simulated(tmp_path, COUNT, half_set=np.zeros(COUNT, np.int64))
    told = messages(settings(star, tmp_path / "model"), "warning")
    assert any("no half sets" in text and "seed" in text for text in told)
    assert any("steps on" in text and "--epochs" in text for text in told)


def test_several_files_boxes_and_pixel_sizes_are_learnt_from_together(tmp_path: Path) -> None:
    first = simulated(tmp_path / "a", 20, optics=(GROUP, OpticsGroup("fine", 3.0, 60)))
    second = simulated(tmp_path / "b", 14, optics=(OpticsGroup("one", 4.5, 48),), seed=3)
    config = settings(first, tmp_path / "model", particles=(first, second))
    (said,) = [text for text in messages(config) if "the network sees" in text]
    # the smallest box is 180 Å wide, and no pixel is finer than the data
    assert "34 images; the network sees 32 px at 6 Å/px, within 171 Å" in said
    assert read_model(tmp_path / "model" / "half_1").shape.mask_radius == pytest.approx(85.5)


def test_pixel_size_and_mask_are_those_asked_for(star: Path, tmp_path: Path) -> None:
    config = settings(star, tmp_path / "m", pixel_size=5.0, mask_diameter=120.0, ctf="none")
    run_job(train, config)
    shape = read_model(tmp_path / "m" / "half_1").shape
    assert (shape.pixel_size, shape.mask_radius, shape.is_ctf_corrected) == (5.0, 60.0, False)


def test_symmetric_particles_get_a_symmetric_network_and_map(star: Path, tmp_path: Path) -> None:
    run_job(train, settings(star, tmp_path / "m", symmetry="D2", halves=False))
    assert read_model(tmp_path / "m" / "all").symmetry == "D2"
    values = np.array(open_volume(tmp_path / "m" / "all" / "map.mrc").array)[1:, 1:, 1:]
    turned = values[:, ::-1, ::-1]
    assert np.corrcoef(values.ravel(), turned.ravel())[0, 1] > 0.99


def test_fine_tuning_starts_from_the_same_half_of_another_model(
    star: Path, trained: Path, tmp_path: Path
) -> None:
    config = settings(star, tmp_path / "fine", pretrained=trained, learning_rate=1e-9)
    run_job(train, config)
    for half in ("half_1", "half_2"):
        old, new = weights(trained / half), weights(tmp_path / "fine" / half)
        assert all(torch.allclose(new[name], old[name], atol=1e-6) for name in old)


def test_another_symmetry_is_learnt_on_with_a_warning(
    star: Path, trained: Path, tmp_path: Path
) -> None:
    config = settings(star, tmp_path / "fine", pretrained=trained, symmetry="C2")
    assert any("was trained for C1, now C2" in text for text in messages(config, "warning"))


def test_simulated_images_are_learnt_first(star: Path, trained: Path, tmp_path: Path) -> None:
    density = trained / "half_1" / "map.mrc"
    config = settings(star, tmp_path / "m", simulate_from=density, simulated_epochs=1)
    run_job(train, config)
    assert (tmp_path / "m" / "half_1" / "simulated" / "last.safetensors").is_file()
    assert not same(tmp_path / "m" / "half_1", trained / "half_1")
    assert set(read_models(tmp_path / "m")) == {1, 2}


def test_images_that_are_not_finite_are_left_out_of_learning_and_map(tmp_path: Path) -> None:
    star = simulated(tmp_path, 120)
    particles = read_particles(star).particles
    images = ImageReader(particles).read(np.arange(120))
    images[5] = np.inf
    write_volume(particles.stacks[0], Volume(images, PIXEL))
    told = messages(settings(star, tmp_path / "m"), "warning")
    assert any("1 of 120 images do so far; they are skipped" in text for text in told)
    for half in ("half_1", "half_2"):
        assert np.isfinite(np.array(open_volume(tmp_path / "m" / half / "map.mrc").array)).all()


@pytest.mark.slow
def test_a_few_images_are_learnt_by_heart(tmp_path: Path) -> None:
    star = simulated(tmp_path, 32, snr=None)
    config = settings(
        star, tmp_path / "m", halves=False, overfit=32, epochs=150, batch_size=16, max_degree=6,
        sphere_channels=16, rotation_channels=8, encoder_settings={"channels": 16},
        grid_order=2, validations=3, learning_rate=5e-3, ema_decay=0.9,
    )  # fmt: skip
    run_job(train, config)
    known = load_checkpoint(tmp_path / "m" / "all").description["validation"]
    assert known["val_median_geo_degs"] < 5.0
    assert known["val_shift_error"] < PIXEL


def test_the_default_network_is_small() -> None:
    network = build_network({}, "C1")
    size = sum(each.numel() * each.element_size() for each in network.state_dict().values())
    assert size < 0.3e9


def refused(capsys: pytest.CaptureFixture[str], output: Path, *words: object) -> str:
    """What the command line says of bad input: one line, exit 2, no result."""
    command = ["pose", "train", "--output", output, "--device", "cpu", "--threads", "1", *words]
    assert cli.main([str(word) for word in command]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("icelens: ")]
    assert len(said) == 1, said
    assert not list(output.rglob("*.safetensors"))
    assert not list(output.rglob("*.mrc"))
    return said[0]


def edited(star: Path, folder: Path, old: str, new: str) -> Path:
    text = star.read_text()
    assert old in text
    stack = folder / "particles_0.mrcs"
    if not stack.exists():
        stack.symlink_to(star.parent / stack.name)
    (folder / "edited.star").write_text(text.replace(old, new))
    return folder / "edited.star"


def test_missing_stacks_and_images_beyond_them_are_named(
    star: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = edited(star, tmp_path, "particles_0.mrcs", "nowhere.mrcs")
    said = refused(capsys, tmp_path / "a", "--particles", missing)
    assert "nowhere.mrcs" in said
    assert "40 of 40 images are missing" in said
    beyond = edited(star, tmp_path, "000040@", "000041@")
    said = refused(capsys, tmp_path / "b", "--particles", beyond)
    assert "image 41 is asked for, but there are 40" in said
    assert "no such" in refused(capsys, tmp_path / "c", "--particles", tmp_path / "none.star")


def test_files_that_say_too_little_or_nonsense_are_refused(
    star: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for old, new, words in (
        ("_rlnAngleRot", "_rlnAngleRotSomething", "rlnAngleRot"),
        ("_rlnImagePixelSize", "_rlnImagePixelSizeX", "pixel size"),
        ("0.100000\t6.000000", "0.100000\t0.000000", "pixel size"),
        ("0.100000\t6.000000", "0.100000\t-6.000000", "pixel size"),
        ("data_optics", "data_other", "data_optics"),
    ):
        wrong = edited(star, tmp_path, old, new)
        said = refused(capsys, tmp_path / "m", "--particles", wrong, "--overwrite")
        assert words in said, said


def test_defocus_in_micrometres_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    star = simulated(tmp_path / "a", 12, defocus_u=np.linspace(0.9, 1.6, 12))
    assert "µm" in refused(capsys, tmp_path / "m", "--particles", star)


def test_impossible_settings_are_refused_before_anything_is_read(
    star: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, (words, piece) in enumerate(
        (
            (["--symmetry", "Q5"], "unknown symmetry 'Q5'"),
            (["--box-size", "33"], "--box-size"),
            (["--mask-diameter", "900"], "--mask-diameter is 900 Å"),
            (["--encoder", "polr"], "did you mean"),
            (["--pretrained", tmp_path], "holds no model"),
            (["--simulate-from", tmp_path / "none.mrc"], "none.mrc"),
        )
    ):
        said = refused(capsys, tmp_path / str(number), "--particles", star, *words)
        assert piece in said, said


def test_pickles_are_never_opened(
    star: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"weights": torch.zeros(3)}, tmp_path / "model.pt")
    words = ["--particles", star, "--pretrained", tmp_path / "model.pt"]
    said = refused(capsys, tmp_path / "m", *words)
    assert "a pickle" in said


def test_models_that_do_not_fit_are_refused(
    star: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--particles", star, "--pretrained", trained]
    said = refused(capsys, tmp_path / "a", *words)
    assert "use the settings it was trained with" in said
    said = refused(capsys, tmp_path / "b", *words, "--halves", "no")
    assert "has no network for half set all" in said


def test_too_few_particles_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    star = simulated(tmp_path / "few", 2)
    said = refused(capsys, tmp_path / "m", "--particles", star)
    assert "a set of 1 particle(s) cannot be split" in said


def test_too_many_bad_images_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    star = simulated(tmp_path / "bad", 12)
    particles = read_particles(star).particles
    images = ImageReader(particles).read(np.arange(12))
    images[3] = np.nan
    write_volume(particles.stacks[0], Volume(images, PIXEL))
    assert "expected at most 1%" in refused(capsys, tmp_path / "m", "--particles", star)
