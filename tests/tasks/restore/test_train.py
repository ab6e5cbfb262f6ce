"""Training runs of seconds: they learn, resume exactly, and leave complete checkpoints."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from toy_tomograms import write_checkpoint, write_pair

from icelens.core.data.volume import Volume
from icelens.core.errors import CheckpointError, GeometryError, IcelensError, StoppedEarly
from icelens.core.events import Event, Metrics, Saved, ignore
from icelens.core.io.volumes import write_volume
from icelens.jobs.config import ConfigError
from icelens.jobs.journal import read_metrics
from icelens.jobs.run import run_job
from icelens.jobs.validation import make_config
from icelens.tasks.restore.network import build_network
from icelens.tasks.restore.network_jobs import denoise, refine
from icelens.tasks.restore.settings import DenoiseConfig, RefineConfig
from icelens.training.checkpoint import load_checkpoint

SHORT: dict[str, Any] = {
    "network": "tiny",
    "box_size": 16,
    "batch_size": 2,
    "epochs": 2,
    "subtomograms": 4,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
    "warmup_steps": 2,
    "learning_rate": 1e-2,
    "mw_weight": 5.0,
}


def settings(star: Path, output: Path, **changes: Any) -> RefineConfig:
    return RefineConfig(**{**SHORT, "star": star, "output": output, **changes})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_checkpoint(folder).tensors)


def same(first: Path, second: Path) -> bool:
    one, other = weights(first), weights(second)
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def star(tmp_path: Path) -> Path:
    return write_pair(tmp_path)


@pytest.mark.parametrize("method", ["even-odd", "single-map"])
def test_loss_falls(star: Path, tmp_path: Path, method: str) -> None:
    config = settings(star, tmp_path / "run", method=method, epochs=10, noise_level=0.1)
    run_job(refine, config)
    losses = [record["loss"] for record in read_metrics(config.output) if "loss" in record]
    assert len(losses) == 20
    # batches differ in how much their turns hide, and the loss with it: by a tenth on average
    assert np.mean(losses[-6:]) < 0.9 * np.mean(losses[:3])


def test_seed_alone_fixes_the_weights(star: Path, tmp_path: Path) -> None:
    for name, seed in (("first", 3), ("again", 3), ("other", 4)):
        run_job(refine, settings(star, tmp_path / name, seed=seed, epochs=1))
    assert same(tmp_path / "first", tmp_path / "again")
    assert not same(tmp_path / "first", tmp_path / "other")


def test_denoiser_learns_without_tilts_or_masks(star: Path, tmp_path: Path) -> None:
    values = {key: value for key, value in SHORT.items() if key != "mw_weight"}
    config = DenoiseConfig(**{**values, "star": star, "output": tmp_path / "run", "epochs": 8})
    path = run_job(denoise, config)
    losses = [record["loss"] for record in read_metrics(config.output) if "loss" in record]
    assert np.mean(losses[-4:]) < np.mean(losses[:2])
    assert load_checkpoint(path).description["method"] == "denoise"


def test_checkpoint_says_all_that_a_prediction_must_know(star: Path, tmp_path: Path) -> None:
    config = settings(star, tmp_path / "run", ctf_mode="network", b_factor=200.0, epochs=1)
    known = load_checkpoint(run_job(refine, config)).description
    expected = {
        "task": "restore",
        "method": "even-odd",
        "network": "tiny",
        "pixel_size": 10.0,
        "box_size": 16,
        "ctf_mode": "network",
        "b_factor": 200.0,
        "contrast": "dark",
        "input_column": "auto",
        "use_tilt_files": True,
        "step": 2,
    }
    assert {name: known.get(name) for name in expected} == expected
    assert {"icelens", "torch"} <= set(known["versions"])


def interrupting(step: int) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if isinstance(event, Metrics) and event.step == step:
            signal.raise_signal(signal.SIGINT)

    return listen


@pytest.mark.parametrize("ending", ["time limit", "interrupt"])
def test_resumed_run_ends_with_the_weights_of_one_never_stopped(
    star: Path, tmp_path: Path, ending: str
) -> None:
    run_job(refine, settings(star, tmp_path / "whole"))
    halves = tmp_path / "halves"
    if ending == "interrupt":
        with pytest.raises(KeyboardInterrupt):
            run_job(refine, settings(star, halves), on_event=interrupting(3))
    else:
        with pytest.raises(StoppedEarly, match=r"time limit was reached at step 1;.*--resume"):
            run_job(refine, settings(star, halves, time_limit=1e-9))
    run_job(refine, settings(star, halves), resume=True)
    assert same(tmp_path / "whole", halves)


def test_previews_are_written_and_change_nothing(star: Path, tmp_path: Path) -> None:
    saved: list[Path] = []

    def listen(event: Event) -> None:
        if isinstance(event, Saved) and event.kind != "checkpoint":
            saved.append(event.path)

    plain, shown = (tmp_path / name for name in ("plain", "shown"))
    run_job(refine, settings(star, plain, epochs=3), on_event=ignore)
    config = settings(star, shown, epochs=3, preview_tomograms="1", save_every=2)
    run_job(refine, config, on_event=listen)
    assert same(plain, shown)
    names = {path.name for path in saved if path.suffix == ".mrc"}
    # two steps in an epoch: after epoch 2, and at the end
    assert names == {"TS_01_step_000004.mrc", "TS_01_step_000006.mrc"}
    assert {path.name for path in saved if path.suffix == ".png"} == {
        f"TS_01_step_{step}_{kind}.png"
        for step in ("000004", "000006")
        for kind in ("slices", "power")
    }
    assert all(path.is_file() for path in saved)


def test_validation_scores_boxes_that_no_step_sees_and_stops_early(tmp_path: Path) -> None:
    star = write_pair(tmp_path, (16, 48, 20))
    config = settings(
        star, tmp_path / "run", validation_fraction=0.35, patience=1, epochs=30, learning_rate=0.5,
        gradient_clip=0,
    )  # fmt: skip
    path = run_job(refine, config)
    scores = [record["score"] for record in read_metrics(config.output) if "score" in record]
    assert path.name == "best.safetensors"
    assert 1 < len(scores) < 30
    assert load_checkpoint(path).description["score"] == pytest.approx(min(scores))


def test_pretrained_weights_are_the_start(star: Path, tmp_path: Path) -> None:
    network = build_network("tiny")
    source = write_checkpoint(tmp_path, network, network="tiny")
    config = settings(
        star, tmp_path / "run", pretrained=source, learning_rate=1e-12, min_learning_rate=0.0,
        epochs=1,
    )  # fmt: skip
    run_job(refine, config)
    found = weights(tmp_path / "run")
    for name, value in network.named_parameters():
        torch.testing.assert_close(found[name], value.detach(), atol=1e-9, rtol=0)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"network": "unet-small"}, "holds unet-small, not tiny; use --network unet-small"),
        ({"network": "tiny", "pixel_size": 13.0}, r"trained at 13 Å/px, the tomograms have 10"),
    ],
)
def test_pretrained_weights_of_something_else_are_refused(
    star: Path, tmp_path: Path, description: dict[str, Any], message: str
) -> None:
    source = write_checkpoint(tmp_path, build_network("tiny"), **description)
    with pytest.raises(CheckpointError, match=message):
        run_job(refine, settings(star, tmp_path / "run", pretrained=source))


def test_pretrained_weights_that_do_not_fit_are_refused(star: Path, tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path, nn.Conv3d(1, 1, 3), network="tiny")
    with pytest.raises(CheckpointError, match="weights do not fit tiny"):
        run_job(refine, settings(star, tmp_path / "run", pretrained=source))


def refused(star: Path, output: Path, **changes: Any) -> str:
    with pytest.raises(IcelensError) as caught:
        run_job(refine, settings(star, output, **changes))
    assert not list(output.glob("*.safetensors"))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_reversed_tilt_range_is_refused(star: Path, tmp_path: Path) -> None:
    star.write_text(star.read_text().replace("-60.0", "61.0"))
    assert "is reversed or empty" in refused(star, tmp_path / "run")


def test_empty_mask_and_mask_of_another_shape_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mask.mrc"
    star = write_pair(tmp_path, mask=path)
    write_volume(path, Volume(np.zeros((24, 32, 32), np.float32), 10.0))
    assert "leaves no voxel" in refused(star, tmp_path / "run")
    write_volume(path, Volume(np.ones((24, 32, 31), np.float32), 10.0))
    assert "icelens restore mask" in refused(star, tmp_path / "other")


def test_tomogram_too_short_for_validation_is_refused_before_training(
    star: Path, tmp_path: Path
) -> None:
    with pytest.raises(GeometryError, match="--validation-fraction 0"):
        run_job(refine, settings(star, tmp_path / "run", validation_fraction=0.2, box_size=32))


@pytest.mark.parametrize("box_size", [8, 20])
def test_box_size_must_be_a_multiple_of_16(box_size: int) -> None:
    with pytest.raises(ConfigError, match="box-size"):
        make_config(RefineConfig, {"star": "a.star", "box_size": box_size})
