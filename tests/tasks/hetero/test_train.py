"""Training runs of seconds: what they leave, that they go on exactly, and what they refuse."""

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hetero_world import BOX, GROUP, PIXEL, TINY, Made, two_states
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from icelens.apps import cli
from icelens.core.errors import CheckpointError, InputFileError, MetadataError, StoppedEarly
from icelens.core.events import Event, Message, Metrics, Progress
from icelens.core.io.latent_table import read_latents
from icelens.core.io.particle_files import read_particles
from icelens.core.io.volumes import open_volume
from icelens.jobs.journal import read_metrics
from icelens.jobs.run import run_job
from icelens.tasks.hetero import train as training
from icelens.tasks.hetero.hetero_run import RUN_NAME, open_hetero_run
from icelens.tasks.hetero.learning_images import LearningImages, learning_images
from icelens.tasks.hetero.prepared_images import CACHE_NAME, PreparedImages
from icelens.tasks.hetero.train_jobs import train
from icelens.tasks.hetero.train_settings import TrainConfig
from icelens.training.checkpoint import load_checkpoint, save_checkpoint
from icelens.training.contract import Loss, TrainingError

COUNT = 40
BY_DESIGN = {"run.json", "log.txt", "report.html", "metrics.jsonl", ".lock"}


def settings(star: Path, output: Path, **changes: Any) -> TrainConfig:
    return TrainConfig(
        **{**TINY, "start": "map", "particles": (star,), "output": output, **changes}
    )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_checkpoint(folder).tensors)


def same(first: Path, second: Path) -> bool:
    one, other = weights(first), weights(second)
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return two_states(tmp_path_factory.mktemp("my particles"), COUNT)


@pytest.fixture(scope="module")
def trained(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By the default start, with its report."""
    output = tmp_path_factory.mktemp("runs") / "run"
    return run_job(train, settings(made.star, output, start="linear"))


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take longer than the training; `trained` is made with them."""
    monkeypatch.setattr(training, "report_training", lambda *_: None)


@pytest.fixture(scope="module", autouse=True)
def _pictures_first(trained: Path) -> None:
    """The run with pictures is made before they are turned off."""


def test_a_run_says_what_it_is_and_opens(trained: Path, made: Made) -> None:
    run = open_hetero_run(trained)
    assert (run.kind, run.latent_dim, run.box_size) == ("vae", 2, BOX)
    assert run.pixel_size == pytest.approx(PIXEL)
    table = run.latents()
    assert len(table) == COUNT
    assert table.row.tolist() == list(range(COUNT))
    assert table.half_set.tolist() == made.particles.half_set.tolist()
    assert np.isfinite(table.deviation).all()
    assert run.epochs() == (2,)
    assert np.allclose(run.latents(2).latent, table.latent, atol=1e-5)
    with pytest.raises(InputFileError, match="no latents of epoch 7; there are 2"):
        run.latents(7)
    assert len(run.images()) == COUNT
    assert np.asarray(open_volume(trained / "mean.mrc").array).shape == (BOX,) * 3
    assert not [each for each in trained.iterdir() if each.name.startswith(".images")]


def test_its_model_makes_volumes_and_looks_at_images(trained: Path) -> None:
    run = open_hetero_run(trained)
    model = run.volume_model()
    latent = torch.from_numpy(run.latents().latent[:2]).float()
    volumes = list(model.volumes(latent))
    assert [each.shape for each in volumes] == [(BOX,) * 3] * 2
    mean = torch.from_numpy(np.array(open_volume(trained / "mean.mrc").array))
    product = (volumes[0] * mean).sum() / (volumes[0].norm() * mean.norm())
    assert float(product) > 0.7
    again = model.encode(run.images())
    # by the precision that suits the machine, perhaps with three digits
    assert np.allclose(again.latent, run.latents().latent, atol=0.02)


def test_the_report_shows_curves_and_latents(trained: Path) -> None:
    page = (trained / "report.html").read_text()
    assert "Training" in page
    assert "error" in page
    history = read_metrics(trained)
    errors = [each["error"] for each in history if "error" in each]
    assert np.isfinite(errors).all()
    assert len(errors) == 10


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "autodecoder", "start": "linear", "halves": True},
        {"model": "autodecoder", "start": "nothing", "sample_share": 0.3, "sure_resolution": 40.0},
        {"model": "homogeneous", "halves": True, "first_resolution": 40.0},
        {"model": "homogeneous", "start": "linear", "refine_poses": True},
        {"model": "vae", "start": "linear", "halves": True, "refine_poses": True, "accumulate": 2},
        {"model": "vae", "start": "nothing", "encoder": "conv", "encoder_settings": {"width": 16}},
        {"decoder_settings": {"encoding": "geom_lowf", "domain": "hartley"}, "latent_dim": 5},
        {"latent_weight": {"schedule": "b"}, "precision": "bfloat16", "epochs": 1},
    ],
    ids=lambda changes: " ".join(f"{key}={value}" for key, value in changes.items())[:40],
)
def test_models_of_every_kind_are_trained_and_opened(
    changes: dict[str, Any], made: Made, tmp_path: Path
) -> None:
    run_job(train, settings(made.star, tmp_path / "run", **changes))
    run = open_hetero_run(tmp_path / "run")
    model = run.volume_model()
    assert run.kind == changes.get("model", "vae")
    assert model.has_halves == changes.get("halves", False)
    dim = 0 if run.kind == "homogeneous" else changes.get("latent_dim", 2)
    assert model.latent_dim == run.latent_dim == dim
    for half in (0, 1, 2) if model.has_halves else (0,):
        (volume,) = model.volumes(torch.zeros(1, dim), half=half)
        assert torch.isfinite(volume).all()
        assert float(volume.std()) > 0
    assert (run.folder / "latents.csv").is_file() == (dim > 0)
    assert (run.folder / "particles.star").is_file() == changes.get("refine_poses", False)
    errors = [each["error"] for each in read_metrics(run.folder) if "error" in each]
    assert np.isfinite(errors).all()


def listener(stop_at: int | None = None) -> tuple[Callable[[Event], None], list[Event]]:
    told: list[Event] = []

    def listen(event: Event) -> None:
        told.append(event)
        if isinstance(event, Metrics) and event.step == stop_at and "loss" in event.values:
            signal.raise_signal(signal.SIGINT)

    return listen, told


@pytest.mark.parametrize("ending", ["interrupt", "time limit"])
def test_resumed_runs_end_with_the_weights_of_one_never_stopped(
    made: Made, trained: Path, tmp_path: Path, ending: str
) -> None:
    config = settings(made.star, tmp_path / "stopped", start="linear")
    if ending == "interrupt":
        listen, _ = listener(stop_at=3)
        with pytest.raises(KeyboardInterrupt):
            run_job(train, config, on_event=listen)
        with pytest.raises(CheckpointError, match="--resume"):
            open_hetero_run(config.output)
    else:
        with pytest.raises(StoppedEarly, match="--resume"):
            run_job(train, replace_in(config, time_limit=1e-9))
        assert len(open_hetero_run(config.output).latents()) == COUNT
    before = (config.output / CACHE_NAME).stat().st_mtime_ns
    listen, told = listener()
    run_job(train, config, resume=True, on_event=listen)
    assert same(trained, config.output)
    assert (config.output / "latents.csv").read_bytes() == (trained / "latents.csv").read_bytes()
    # images are not read again
    assert (config.output / CACHE_NAME).stat().st_mtime_ns == before
    assert not any(isinstance(each, Progress) and each.stage == "prepare" for each in told)
    assert any(isinstance(each, Message) and "taken over" in each.text for each in told)


def replace_in(config: TrainConfig, **changes: Any) -> TrainConfig:
    return config.model_copy(update=changes)


def test_resumed_runs_without_a_cache_prepare_it_again(
    made: Made, trained: Path, tmp_path: Path
) -> None:
    config = settings(made.star, tmp_path / "run", start="linear")
    with pytest.raises(StoppedEarly):
        run_job(train, replace_in(config, time_limit=1e-9))
    (config.output / CACHE_NAME).unlink()
    run_job(train, config, resume=True)
    assert same(trained, config.output)


def test_other_images_are_not_resumed_with(made: Made, tmp_path: Path) -> None:
    other = two_states(tmp_path / "other", COUNT, seed=7, name="others")
    config = settings(made.star, tmp_path / "run")
    run_job(train, config)
    before = {each: each.read_bytes() for each in config.output.glob("images.*")}
    facts = (config.output / RUN_NAME).read_text()
    with pytest.raises(MetadataError, match="was started with other images"):
        run_job(train, replace_in(config, particles=(other.star,)), resume=True)
    assert {each: each.read_bytes() for each in before} == before
    assert (config.output / RUN_NAME).read_text() == facts


def test_the_seed_alone_fixes_the_weights(made: Made, tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("two", 0), ("three", 5)):
        run_job(train, settings(made.star, tmp_path / name, seed=seed, epochs=1))
    assert same(tmp_path / "one", tmp_path / "two")
    assert not same(tmp_path / "one", tmp_path / "three")


def test_overwritten_runs_forget_earlier_results(made: Made, tmp_path: Path) -> None:
    config = settings(made.star, tmp_path / "run", refine_poses=True, keep_every=1)
    run_job(train, config)
    assert open_hetero_run(config.output).epochs() == (1, 2)
    listen, _ = listener(stop_at=2)
    with pytest.raises(KeyboardInterrupt):
        run_job(train, replace_in(config, latent_dim=3), overwrite=True, on_event=listen)
    assert not (config.output / "latents.csv").exists()
    assert not (config.output / "particles.star").exists()
    with pytest.raises(CheckpointError):
        open_hetero_run(config.output)


def with_values(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[LearningImages, np.ndarray], np.ndarray]
) -> None:
    """Let a training see other values of images than those that were prepared."""

    def other(*arguments: Any, **named: Any) -> LearningImages:
        learning = learning_images(*arguments, **named)
        images = learning.images
        stored = change(learning, np.array(images._stored))
        changed = PreparedImages(images.particles, images.facts, stored)
        return replace(learning, images=changed)

    monkeypatch.setattr(training, "learning_images", other)


def test_half_decoders_never_see_each_others_images(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turned(learning: LearningImages, stored: np.ndarray) -> np.ndarray:
        stored[learning.images.particles.half_set == 2] *= -1
        return stored

    config = settings(made.star, tmp_path / "one", model="homogeneous", halves=True)
    run_job(train, config)
    with_values(monkeypatch, turned)
    run_job(train, replace_in(config, output=tmp_path / "two"))
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    learnt = [name for name in one if "network" in name]
    for half in (0, 1):
        own = [name for name in learnt if name.startswith(f"decoders.{half}.")]
        assert own
        assert all(torch.equal(one[name], two[name]) for name in own) == (half == 0)


def test_images_without_weight_change_nothing(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weight = np.ones(COUNT)
    weight[[4, 11]] = 0.0
    star = two_states(tmp_path / "weighted", COUNT, weight=weight).star
    config = settings(star, tmp_path / "one", model="autodecoder", epochs=1)
    run_job(train, config)

    def noisy(learning: LearningImages, stored: np.ndarray) -> np.ndarray:
        stored[[4, 11]] = 50.0
        return stored

    with_values(monkeypatch, noisy)
    run_job(train, replace_in(config, output=tmp_path / "two"))
    assert same(tmp_path / "one", tmp_path / "two")
    assert len(open_hetero_run(tmp_path / "one").latents()) == COUNT


def test_losses_that_stay_not_finite_end_in_one_line(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object, network: Any, teacher: object, batch: object) -> Loss:
        total = sum(each.sum() for each in network.parameters()) * float("nan")
        return Loss(total, {"error": total.detach(), "divergence": total.detach()})

    monkeypatch.setattr(training.HeteroObjective, "__call__", broken)
    with pytest.raises(TrainingError, match="not finite again"):
        run_job(train, settings(made.star, tmp_path / "run", epochs=20))
    with pytest.raises(CheckpointError):
        open_hetero_run(tmp_path / "run")


def test_one_step_that_is_not_finite_is_skipped(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = training.HeteroObjective.__call__
    calls = iter(range(1000))

    def sometimes(self: Any, network: Any, teacher: Any, batch: Any) -> Loss:
        loss = ask(self, network, teacher, batch)
        return Loss(loss.total * (float("nan") if next(calls) == 3 else 1.0), loss.terms)

    monkeypatch.setattr(training.HeteroObjective, "__call__", sometimes)
    listen, told = listener()
    run_job(train, settings(made.star, tmp_path / "run"), on_event=listen)
    assert any(isinstance(each, Message) and "step skipped" in each.text for each in told)
    assert np.isfinite(open_hetero_run(tmp_path / "run").latents().latent).all()


def parted(folder: Path, state: np.ndarray) -> float:
    latent = open_hetero_run(folder).latents().latent
    found = KMeans(2, n_init=5, random_state=0).fit_predict(latent)
    return float(adjusted_rand_score(state, found))


def falls(folder: Path) -> tuple[float, float]:
    errors = [each["error"] for each in read_metrics(folder) if "error" in each]
    return float(np.mean(errors[:5])), float(np.mean(errors[-20:]))


@pytest.mark.parametrize("model", ["vae", "autodecoder"])
def test_two_states_part_from_a_linear_start(model: str, tmp_path: Path) -> None:
    made = two_states(tmp_path, 64, snr=2.0)
    config = settings(
        made.star, tmp_path / "run", start="linear", model=model, latent_dim=1, epochs=12
    )
    run_job(train, config)
    assert parted(config.output, made.state) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("model", ["vae", "autodecoder"])
@pytest.mark.parametrize("halves", [False, True])
def test_network_that_starts_from_the_map_learns_what_particles_differ_by(
    model: str, *, halves: bool, tmp_path: Path
) -> None:
    made = two_states(tmp_path, 48, snr=10.0)
    config = settings(
        made.star, tmp_path / "run", model=model, latent_dim=1, epochs=120, width=64, halves=halves,
        batch_size=12, keep_every=200, learning_rate=1e-2 if model == "vae" else 2e-2,
        encoder_settings={"width": 64, "num_layers": 1},
    )  # fmt: skip
    run_job(train, config)
    before, after = falls(config.output)
    # what two states differ by counts as noise where all images have one map
    assert after < 0.8 * before


@pytest.mark.parametrize("halves", [False, True])
def test_one_structure_is_learnt_to_its_noise(*, halves: bool, tmp_path: Path) -> None:
    made = two_states(tmp_path, 48, snr=2.0)
    star = made.star
    config = settings(
        star, tmp_path / "run", model="homogeneous", start="nothing", epochs=25, width=64,
        learning_rate=1e-2, halves=halves, keep_every=50,
    )  # fmt: skip
    run_job(train, config)
    before, after = falls(config.output)
    # noise was measured beside the map of all images
    assert before > 1.15
    assert after < 1.1


def refused(capsys: pytest.CaptureFixture[str], output: Path, *words: object) -> str:
    """What the command line says of bad input: one line, exit 2, no result."""
    command = ["hetero", "train", "--output", output, "--device", "cpu", "--threads", "1", *words]
    assert cli.main([str(word) for word in command]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("icelens: ")]
    assert len(said) == 1, said
    if output.is_dir():
        assert {each.name for each in output.iterdir()} <= BY_DESIGN | {"run-1.json"}
    return said[0]


def edited(made: Made, folder: Path, old: str, new: str) -> Path:
    text = made.star.read_text()
    assert old in text
    stack = folder / made.particles.stacks[0].name
    if not stack.exists():
        stack.symlink_to(made.particles.stacks[0])
    (folder / "edited.star").write_text(text.replace(old, new))
    return folder / "edited.star"


def test_impossible_settings_are_refused(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, (words, piece) in enumerate(
        (
            (["--latent-dim", "0"], "latent-dim"),
            (["--latent-dim", "21"], "show anything for a latent of 21 coordinates, expected 42"),
            (["--latent-dim", "999"], "latent-dim"),
            (["--box-size", "19"], "even number from 16 to 20"),
            (["--box-size", "64"], "even number from 16 to 20"),
            (["--max-resolution", "100"], "--max-resolution"),
            (["--encoder", "transformer"], "no encoder transformer"),
            (["--decoder-settings", "{encoding: fourier}"], "encoding is 'fourier'"),
            (["--decoder-settings", "{depth: 3}"], "no setting depth"),
            (["--model", "gan"], "model"),
            (["--epochs", "0"], "epochs"),
        )
    ):
        said = refused(capsys, tmp_path / str(number), "--particles", made.star, *words)
        assert piece in said, said


def test_files_that_say_too_little_are_refused(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, (old, new, piece) in enumerate(
        (
            ("_rlnAngleRot", "_rlnAngleSomething", "rlnAngleRot"),
            ("images_0.mrcs", "nowhere.mrcs", "no such stack"),
            ("000040@", "000041@", "image 41 is asked for, but there are 40"),
            ("_rlnImagePixelSize", "_rlnOther", "pixel size"),
        )
    ):
        star = edited(made, tmp_path, old, new)
        said = refused(capsys, tmp_path / str(number), "--particles", star)
        assert piece in said, said
    missing = refused(capsys, tmp_path / "m", "--particles", tmp_path / "none.star")
    assert "none.star" in missing


def test_few_particles_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    star = two_states(tmp_path / "few", 8).star
    assert "8 particles" in refused(capsys, tmp_path / "run", "--particles", star)
    weight = np.zeros(16)
    weight[:5] = 1.0
    star = two_states(tmp_path / "light", 16, weight=weight).star
    said = refused(capsys, tmp_path / "run2", "--particles", star, "--latent-dim", "3")
    assert "5 particles that show anything for a latent of 3" in said


def test_images_that_are_mostly_broken_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = two_states(tmp_path / "set", 40)
    stack = np.array(open_volume(made.particles.stacks[0]).array)
    for value, piece in ((np.nan, "not finite"), (3.0, "particles.star: the images hold no power")):
        stack[: 40 if value == 3.0 else 5] = value
        _rewrite(made.particles.stacks[0], stack)
        said = refused(capsys, tmp_path / "run", "--particles", made.star, "--overwrite")
        assert piece in said, said


def _rewrite(path: Path, stack: np.ndarray) -> None:
    from icelens.core.data.volume import Volume
    from icelens.core.io.volumes import write_volume

    write_volume(path, Volume(stack.astype(np.float32), GROUP.pixel_size))


def test_existing_runs_are_not_mixed_with(
    made: Made, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (trained / "last.safetensors").read_bytes()
    command = ["hetero", "train", "--particles", str(made.star), "--output", str(trained)]
    assert cli.main(command) == 2
    said = capsys.readouterr().err
    assert "--resume" in said
    assert "--overwrite" in said
    assert (trained / "last.safetensors").read_bytes() == before


def copied(trained: Path, folder: Path) -> Path:
    """A run without its images."""
    folder.mkdir()
    for name in (RUN_NAME, "latents.csv", "last.safetensors", "linear.safetensors"):
        if (trained / name).is_file():
            (folder / name).write_bytes((trained / name).read_bytes())
    for each in trained.glob("*.safetensors"):
        (folder / each.name).write_bytes(each.read_bytes())
    return folder


def test_damaged_and_foreign_runs_are_named_in_one_line(trained: Path, tmp_path: Path) -> None:
    known = json.loads((trained / RUN_NAME).read_text())
    for number, (text, piece) in enumerate(
        (
            (json.dumps({**known, "version": 99}), "of version 99, expected 1"),
            (json.dumps({**known, "kind": "gan"}), "expected"),
            ("{", "damaged"),
            ("[]", "damaged"),
            (json.dumps({"version": 1}), "damaged"),
        )
    ):
        folder = copied(trained, tmp_path / str(number))
        (folder / RUN_NAME).write_text(text)
        with pytest.raises(CheckpointError, match=piece) as caught:
            open_hetero_run(folder)
        assert "\n" not in str(caught.value)
    with pytest.raises(CheckpointError, match="no such folder"):
        open_hetero_run(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match=r"no hetero\.json"):
        open_hetero_run(tmp_path)


def test_latents_of_another_model_are_refused(trained: Path, tmp_path: Path) -> None:
    folder = copied(trained, tmp_path / "run")
    (folder / "latents.csv").write_text("latent_1,latent_2,latent_3\n1,2,3\n")
    with pytest.raises(InputFileError, match="3 coordinates, but the model has 2"):
        open_hetero_run(folder).latents()
    (folder / "latents.csv").write_text("latent_1,latent_2\n1\x00,nan\n")
    with pytest.raises(InputFileError, match=r"latents\.csv"):
        open_hetero_run(folder).latents()
    (folder / "latents.csv").unlink()
    with pytest.raises(CheckpointError, match="--resume"):
        open_hetero_run(folder)


@pytest.mark.parametrize("content", ["pickle", "text", "nothing", "other task", "other shape"])
def test_checkpoints_that_are_none_are_refused(content: str, trained: Path, tmp_path: Path) -> None:
    run = open_hetero_run(copied(trained, tmp_path / "run"))
    path = run.folder / "last.safetensors"
    known = load_checkpoint(trained)
    if content == "pickle":
        torch.save({"weights": torch.zeros(3)}, path)
    elif content == "other task":
        save_checkpoint(path, {}, {"task": "pick"})
    elif content == "other shape":
        network = {**known.description["network"], "box_size": 24}
        save_checkpoint(path, known.tensors, {**known.description, "network": network})
    else:
        path.write_bytes(b"words" if content == "text" else b"")
    with pytest.raises(CheckpointError, match=r"last\.safetensors: ") as caught:
        run.volume_model()
    assert "\n" not in str(caught.value)


def test_weights_that_are_not_finite_are_refused(trained: Path, tmp_path: Path) -> None:
    run = open_hetero_run(copied(trained, tmp_path / "run"))
    known = load_checkpoint(trained)
    tensors = dict(known.tensors)
    name = next(iter(tensors))
    tensors[name] = torch.full_like(tensors[name], torch.nan)
    save_checkpoint(run.folder / "last.safetensors", tensors, known.description)
    with pytest.raises(CheckpointError, match="not finite"):
        run.volume_model()


def test_runs_find_their_particles_from_anywhere(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = open_hetero_run(trained).particle_file()
    assert len(file) == COUNT
    assert len(read_latents(trained / "latents.csv")) == COUNT
    assert len(read_particles(file.path)) == COUNT


def test_the_plan_says_what_it_costs(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["hetero", "train", "--particles", str(made.star), "--output", str(tmp_path / "run")]
    assert cli.main([*words, "--dry-run"]) == 0
    assert "40 images" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()
