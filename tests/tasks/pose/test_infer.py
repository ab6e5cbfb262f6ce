"""Inference with a network that knows nothing: rows, halves, parts, files and mistakes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pose_models import BOX, GROUP, PIXEL, TINY, simulated

from icelens.apps import cli
from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.volume import Volume
from icelens.core.errors import CheckpointError
from icelens.core.events import Event, Message, ignore
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.volumes import open_volume, write_volume
from icelens.jobs.run import run_job
from icelens.tasks.pose import infer as inference
from icelens.tasks.pose.infer import part_keys, rows_of, told_once
from icelens.tasks.pose.infer_jobs import infer
from icelens.tasks.pose.infer_settings import InferConfig
from icelens.tasks.pose.model import read_models
from icelens.tasks.pose.train_jobs import train
from icelens.tasks.pose.train_settings import TrainConfig
from icelens.training.checkpoint import amend_checkpoint, load_checkpoint

COUNT = 30
MAPS = ("half_1.mrc", "half_2.mrc", "map.mrc")


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulated(tmp_path_factory.mktemp("my particles"), COUNT)


@pytest.fixture(scope="module")
def model(star: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(star, tmp_path_factory.mktemp("models") / "model")


@pytest.fixture(scope="module")
def model_of_all(star: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(star, tmp_path_factory.mktemp("models") / "one", halves=False)


def trained(star: Path, output: Path, **changes: Any) -> Path:
    config = TrainConfig(**{**TINY, "particles": (star,), "output": output, **changes})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("icelens.tasks.pose.train.report_half", lambda *_: None)
        return run_job(train, config)


@pytest.fixture(autouse=True)
def _no_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """They take longer than the inference."""
    if "pictures" not in request.node.name:
        monkeypatch.setattr(inference, "report_inference", lambda *_: None)


def settings(star: Path, model: Path, output: Path, **changes: Any) -> InferConfig:
    usual = {"device": "cpu", "threads": 1, "angular_range": 4.0, "angular_step": 4.0}
    return InferConfig(
        **{**usual, "particles": (star,), "model": model, "output": output, **changes}
    )


def messages(config: InferConfig, *, resume: bool = False) -> list[str]:
    told: list[Event] = []
    run_job(infer, config, on_event=told.append, resume=resume)
    return [event.text for event in told if isinstance(event, Message)]


def table(folder: Path) -> Any:
    return read_particles(folder / "particles.star").blocks["particles"]


def map_of(folder: Path, name: str = "map.mrc") -> np.ndarray:
    return np.array(open_volume(folder / name).array)


def same_maps(first: Path, second: Path, tolerance: float = 0.0) -> bool:
    return all(
        np.allclose(
            map_of(first, name), map_of(second, name), rtol=0,
            atol=tolerance * np.abs(map_of(first, name)).max(),
        )
        for name in MAPS
    )  # fmt: skip


@pytest.fixture(scope="module")
def inferred(star: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("poses") / "usual"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inference, "report_inference", lambda *_: None)
        run_job(infer, settings(star, model, folder))
    return folder


def test_rows_keep_their_order_and_their_columns(inferred: Path, star: Path) -> None:
    before, after = read_particles(star), read_particles(inferred / "particles.star")
    assert len(after) == COUNT
    for name in ("slice_index", "defocus_u", "half_set", "optics_index"):
        assert np.array_equal(getattr(after.particles, name), getattr(before.particles, name))
    assert np.abs(after.particles.rotation - before.particles.rotation).max() > 0.1
    found = table(inferred)
    for name in ("rlnParticleFigureOfMerit", "ilNetworkWidthDegrees", "ilPoseWidthDegrees"):
        assert np.isfinite(found[name].astype(float)).all()
    assert found["rlnParticleFigureOfMerit"].astype(float).between(0, 1).all()
    assert (found["ilIsUsed"].astype(int) == 1).all()
    # stacks are found from the new folder
    ImageReader(after.particles).read([0])


def test_maps_and_curve_are_written_and_parts_are_gone(inferred: Path) -> None:
    for name in MAPS:
        assert map_of(inferred, name).shape == (BOX,) * 3
        assert open_volume(inferred / name).pixel_size == pytest.approx(PIXEL)
        assert np.isfinite(map_of(inferred, name)).all()
    assert (inferred / "fsc.csv").is_file()
    assert not (inferred / "parts").exists()


def test_pictures_are_in_the_report(star: Path, model: Path, tmp_path: Path) -> None:
    run_job(infer, settings(star, model, tmp_path / "poses", refine=False))
    report = (tmp_path / "poses" / "report.html").read_text()
    for words in ("median probability", "held out in training", "Half maps", "Fourier shell"):
        assert words.lower() in report.lower(), words


def test_the_number_of_parts_does_not_matter(
    star: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = {"refine": False}
    run_job(infer, settings(star, model, tmp_path / "whole", **plain))
    monkeypatch.setattr(inference, "_ROWS_OF_PART", 4)
    monkeypatch.setattr("icelens.tasks.pose.predict._AT_ONCE", {"cpu": 3})
    run_job(infer, settings(star, model, tmp_path / "parts", **plain))
    assert same_maps(tmp_path / "whole", tmp_path / "parts", 1e-4)
    one, other = (
        read_particles(tmp_path / name / "particles.star").particles for name in ("whole", "parts")
    )
    assert np.allclose(one.rotation, other.rotation, atol=1e-3)
    assert np.allclose(one.shift_yx, other.shift_yx, atol=1e-2)


def in_this_process(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let workers run one after the other in this process, the last one first."""
    counts: list[int] = []

    def run(do: Any, shares: list[Any], on_event: Any, *, advice: str) -> None:
        assert "--resume" in advice
        counts.append(len(shares))
        for share in reversed(shares):
            assert share.config.workers == 1
            do(share, on_event)

    monkeypatch.setattr("icelens.tasks.pose.workers.run_in_processes", run)
    return counts


def test_the_number_of_workers_does_not_matter(
    star: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "_ROWS_OF_PART", 4)
    run_job(infer, settings(star, model, tmp_path / "one", refine=False))
    counts = in_this_process(monkeypatch)
    run_job(infer, settings(star, model, tmp_path / "three", workers=3, refine=False))
    assert counts == [3]
    assert same_maps(tmp_path / "one", tmp_path / "three")
    assert table(tmp_path / "one").equals(table(tmp_path / "three"))


@pytest.mark.slow
def test_real_processes_give_the_same_as_one(
    star: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "_ROWS_OF_PART", 4)
    run_job(infer, settings(star, model, tmp_path / "one"))
    run_job(infer, settings(star, model, tmp_path / "two", workers=2))
    assert same_maps(tmp_path / "one", tmp_path / "two", 1e-5)
    assert table(tmp_path / "one").equals(table(tmp_path / "two"))
    # what one of them cannot do is said as an error of the whole
    (model / "half_2" / "map.mrc").rename(model / "half_2" / "hidden.mrc")
    try:
        with pytest.raises(CheckpointError, match="came without its map"):
            run_job(infer, settings(star, model, tmp_path / "none", workers=2))
    finally:
        (model / "half_2" / "hidden.mrc").rename(model / "half_2" / "map.mrc")


@pytest.mark.slow
def test_pictures_of_noise_are_told_from_what_was_learnt(tmp_path: Path) -> None:
    star = simulated(tmp_path / "real", 32, snr=None)
    model = trained(
        star, tmp_path / "model", halves=False, overfit=32, epochs=150, batch_size=16,
        max_degree=6, sphere_channels=16, rotation_channels=8, encoder_settings={"channels": 16},
        grid_order=2, learning_rate=5e-3, ema_decay=0.9,
    )  # fmt: skip
    plain = {"refine": False, "reconstruct": False}
    told = messages(settings(star, model, tmp_path / "same", **plain))
    assert not any("not what the model learnt" in text for text in told)
    images = np.random.default_rng(0).normal(size=(32, BOX, BOX)).astype(np.float32)
    (tmp_path / "noise").mkdir()
    write_volume(tmp_path / "noise" / "particles_0.mrcs", Volume(images, PIXEL))
    (tmp_path / "noise" / "particles.star").write_text(star.read_text())
    noise = tmp_path / "noise" / "particles.star"
    told = messages(settings(noise, model, tmp_path / "other", **plain))
    assert any("not what the model learnt" in text for text in told)
    # and what it learnt it finds again, closer still after refinement
    run_job(infer, settings(star, model, tmp_path / "refined", angular_range=8.0, map=None))
    truth = read_particles(star).particles.rotation
    errors = []
    for name in ("same", "refined"):
        found = read_particles(tmp_path / name / "particles.star").particles.rotation
        trace = np.einsum("rij,rij->r", found, truth)
        errors.append(np.median(np.degrees(np.arccos(np.clip(0.5 * (trace - 1.0), -1, 1)))))
    assert errors[0] < 5.0
    assert errors[1] < errors[0]


def stopping_after(count: int) -> Callable[..., None]:
    """Computes so many parts, then is interrupted."""
    done: list[str] = []
    original = inference.do_part

    def do_part(setting: Any, key: Any, folder: Path, mark: str, on_event: Any) -> None:
        if len(done) == count:
            raise KeyboardInterrupt
        done.append(key.name)
        original(setting, key, folder, mark, on_event)

    return do_part


def test_finished_parts_are_taken_over(
    star: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "_ROWS_OF_PART", 8)
    run_job(infer, settings(star, model, tmp_path / "whole", refine=False))
    config = settings(star, model, tmp_path / "stopped", refine=False)
    with monkeypatch.context() as patch:
        patch.setattr(inference, "do_part", stopping_after(3))
        with pytest.raises(KeyboardInterrupt):
            run_job(infer, config)
    assert not (config.output / "particles.star").exists()
    assert "3 of 4 parts are taken over" in messages(config, resume=True)
    assert same_maps(tmp_path / "whole", config.output)
    assert table(tmp_path / "whole").equals(table(config.output))


@pytest.mark.parametrize("change", ["settings", "particles", "damaged"])
def test_parts_of_something_else_are_not_taken_over(
    star: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    own = tmp_path / "own.star"
    own.write_text(star.read_text())
    (tmp_path / "particles_0.mrcs").symlink_to(star.parent / "particles_0.mrcs")
    config = settings(own, model, tmp_path / "poses", refine=False)
    with monkeypatch.context() as patch:
        patch.setattr(inference, "do_part", stopping_after(1))
        with pytest.raises(KeyboardInterrupt):
            run_job(infer, config)
    changed = config
    if change == "settings":
        changed = config.model_copy(update={"top_k": 2})
    elif change == "particles":
        lines = own.read_text().splitlines(keepends=True)
        last = max(row for row, line in enumerate(lines) if "@" in line)
        own.write_text("".join(lines[: last - 2]))
    else:
        (part,) = (tmp_path / "poses" / "parts").glob("*_poses.safetensors")
        part.write_bytes(part.read_bytes()[:-50])
    assert not any("taken over" in text for text in messages(changed, resume=True))
    found = read_particles(tmp_path / "poses" / "particles.star")
    assert len(found) == len(read_particles(own))


def other_images(star: Path, folder: Path, rows: np.ndarray) -> Path:
    """The same particles with noise instead of the images of some rows."""
    file = read_particles(star)
    images = ImageReader(file.particles).read(np.arange(COUNT))
    images[rows] = np.random.default_rng(0).normal(size=images[rows].shape)
    write_volume(folder / "particles_0.mrcs", Volume(images, PIXEL))
    (folder / "particles.star").write_text(star.read_text())
    return folder / "particles.star"


def test_half_maps_are_independent(star: Path, model: Path, inferred: Path, tmp_path: Path) -> None:
    half_set = read_particles(star).particles.half_set
    other = other_images(star, tmp_path, half_set == 2)
    run_job(infer, settings(other, model, tmp_path / "poses"))
    assert np.array_equal(map_of(inferred, "half_1.mrc"), map_of(tmp_path / "poses", "half_1.mrc"))
    assert not np.allclose(map_of(inferred, "half_2.mrc"), map_of(tmp_path / "poses", "half_2.mrc"))
    tables = [table(folder).astype(str) for folder in (inferred, tmp_path / "poses")]
    of_1 = half_set == 1
    columns = [name for name in tables[0].columns if name != "rlnImageName"]
    assert tables[0].loc[of_1, columns].equals(tables[1].loc[of_1, columns])


def test_each_half_is_answered_by_the_networks_asked_for(
    star: Path, model: Path, tmp_path: Path
) -> None:
    half_set = read_particles(star).particles.half_set
    probability = {}
    for networks in ("matching", "crossed", "1", "2", "both"):
        config = settings(
            star, model, tmp_path / networks, networks=networks, refine=False, reconstruct=False
        )
        run_job(infer, config)
        found = table(tmp_path / networks)["rlnParticleFigureOfMerit"].astype(float)
        probability[networks] = found.to_numpy()
        assert not (tmp_path / networks / "map.mrc").exists()
    by_1, by_2 = probability["1"], probability["2"]
    assert np.array_equal(probability["matching"], np.where(half_set == 1, by_1, by_2))
    assert np.array_equal(probability["crossed"], np.where(half_set == 1, by_2, by_1))
    assert np.array_equal(probability["both"], np.maximum(by_1, by_2))
    assert not np.array_equal(by_1, by_2)


def test_a_model_of_one_network_answers_for_all_with_a_warning(
    star: Path, model_of_all: Path, tmp_path: Path
) -> None:
    told = messages(settings(star, model_of_all, tmp_path / "poses", refine=False))
    assert any("half maps are not independent" in text for text in told)
    assert (tmp_path / "poses" / "map.mrc").is_file()
    config = settings(star, model_of_all, tmp_path / "p", networks="both")
    with pytest.raises(CheckpointError, match="leave it out"):
        run_job(infer, config)


def test_one_checkpoint_answers_where_it_is_asked_for(
    star: Path, model: Path, tmp_path: Path
) -> None:
    one = model / "half_1" / "best.safetensors"
    run_job(infer, settings(star, one, tmp_path / "poses", networks="1", refine=False))
    with pytest.raises(CheckpointError, match="no network of half set 2"):
        run_job(infer, settings(star, one, tmp_path / "p"))


@pytest.mark.parametrize("top_k", [1, 4, 50])
def test_further_poses_are_in_columns(star: Path, model: Path, tmp_path: Path, top_k: int) -> None:
    run_job(infer, settings(star, model, tmp_path / "p", top_k=top_k, refine=False))
    found = table(tmp_path / "p")
    assert len(found) == COUNT
    last = f"rlnAngleRot_top{top_k}"
    assert (last in found.columns) == (top_k > 1)
    assert f"rlnAngleRot_top{top_k + 1}" not in found.columns
    columns = [f"rlnParticleFigureOfMerit_top{n}" for n in range(2, top_k + 1)]
    assert (found[columns].astype(float).sum(axis=1) <= 1.0).all()


def test_refined_poses_are_not_those_of_the_network(
    star: Path, model: Path, inferred: Path, tmp_path: Path
) -> None:
    run_job(infer, settings(star, model, tmp_path / "p", refine=False, reconstruct=False))
    plain = read_particles(tmp_path / "p" / "particles.star").particles
    refined = read_particles(inferred / "particles.star").particles
    assert np.abs(plain.rotation - refined.rotation).max() > 1e-2
    assert (table(tmp_path / "p")["rlnLogLikeliContribution"].astype(float) == 0).all()
    assert (table(inferred)["rlnLogLikeliContribution"].astype(float) > 0).all()


def with_scores(model: Path, folder: Path, half_set: int, **changes: Any) -> None:
    path = folder / f"half_{half_set}" / "best.safetensors"
    known = load_checkpoint(path).description["confidence"]["scores"]
    amend_checkpoint(path, {"confidence": {"scores": known | changes}})


def copied(model: Path, folder: Path) -> Path:
    for half in ("half_1", "half_2"):
        (folder / half).mkdir(parents=True)
        for name in ("best.safetensors", "map.mrc"):
            (folder / half / name).write_bytes((model / half / name).read_bytes())
    return folder


def test_junk_is_left_out_of_the_maps_but_stays_in_the_list(
    star: Path, model: Path, tmp_path: Path
) -> None:
    plain = {"refine": False}
    run_job(infer, settings(star, model, tmp_path / "all", **plain))
    zscore = table(tmp_path / "all")["ilDirectionalZScore"].astype(float).to_numpy()
    threshold = float(np.median(zscore))
    run_job(infer, settings(star, model, tmp_path / "good", min_zscore=threshold, **plain))
    found = table(tmp_path / "good")
    used = found["ilIsUsed"].astype(int).to_numpy()
    assert len(found) == COUNT
    assert np.array_equal(used == 1, zscore >= threshold)
    assert not np.allclose(map_of(tmp_path / "all"), map_of(tmp_path / "good"))
    # images that are left out do not matter for the maps
    (tmp_path / "other").mkdir()
    other = other_images(star, tmp_path / "other", np.flatnonzero(used == 0)[:0])
    run_job(infer, settings(other, model, tmp_path / "again", min_zscore=threshold, **plain))
    assert same_maps(tmp_path / "good", tmp_path / "again")


def test_nothing_left_is_said_rather_than_computed(star: Path, model: Path, tmp_path: Path) -> None:
    told = messages(settings(star, model, tmp_path / "p", min_zscore=1e6))
    assert any("no map is reconstructed" in text for text in told)
    assert (table(tmp_path / "p")["ilIsUsed"].astype(int) == 0).all()
    assert not (tmp_path / "p" / "map.mrc").exists()


def test_one_half_set_alone_gives_poses_without_maps(model: Path, tmp_path: Path) -> None:
    star = simulated(tmp_path, 8, half_set=np.ones(8, np.int64))
    told = messages(settings(star, model, tmp_path / "p", refine=False))
    assert any("only one half set has images" in text for text in told)
    assert len(table(tmp_path / "p")) == 8


def test_only_the_first_particles_are_asked_for(star: Path, model: Path, tmp_path: Path) -> None:
    run_job(infer, settings(star, model, tmp_path / "p", first=7, refine=False))
    first = read_particles(star).blocks["particles"]["rlnDefocusU"][:7]
    assert list(table(tmp_path / "p")["rlnDefocusU"].astype(float)) == list(first.astype(float))


def test_poses_in_the_file_are_not_looked_at(star: Path, model: Path, tmp_path: Path) -> None:
    lines = star.read_text().replace("_rlnAngleRot", "_xRot").replace("_rlnAngleTilt", "_xTilt")
    (tmp_path / "particles_0.mrcs").symlink_to(star.parent / "particles_0.mrcs")
    (tmp_path / "blind.star").write_text(lines.replace("_rlnAnglePsi", "_xPsi"))
    plain = {"refine": False, "reconstruct": False}
    run_job(infer, settings(tmp_path / "blind.star", model, tmp_path / "blind", **plain))
    run_job(infer, settings(star, model, tmp_path / "seeing", **plain))
    names = ["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi", "rlnOriginXAngst"]
    blind, seeing = (table(tmp_path / name)[names].astype(float) for name in ("blind", "seeing"))
    assert np.allclose(blind, seeing, atol=1e-4)


def test_several_boxes_and_pixel_sizes_are_answered_in_one_run(model: Path, tmp_path: Path) -> None:
    optics = (OpticsGroup("fine", 4.0, 48), replace(GROUP, name="usual"))
    star = simulated(tmp_path, 16, optics=optics)
    told = messages(settings(star, model, tmp_path / "p"))
    assert sum("resampled" in text for text in told) == 2  # once for the map of each half
    assert len(table(tmp_path / "p")) == 16
    # the map has the box and pixel size of the first particle
    found = open_volume(tmp_path / "p" / "map.mrc")
    assert (found.shape, found.pixel_size) == ((48,) * 3, pytest.approx(4.0))


def test_images_that_are_not_finite_are_listed_but_not_used(model: Path, tmp_path: Path) -> None:
    star = simulated(tmp_path, 120)
    particles = read_particles(star).particles
    images = ImageReader(particles).read(np.arange(120))
    images[50] = np.nan
    write_volume(particles.stacks[0], Volume(images, PIXEL))
    told = messages(settings(star, model, tmp_path / "p", refine=False))
    assert any("1 of 120 images do so far; they are skipped" in text for text in told)
    used = table(tmp_path / "p")["ilIsUsed"].astype(int).to_numpy()
    assert list(np.flatnonzero(used == 0)) == [50]
    assert np.isfinite(map_of(tmp_path / "p")).all()


def test_messages_are_told_once() -> None:
    told: list[Event] = []
    tell = told_once(told.append)
    for text in ("a", "b", "a"):
        tell(Message(text))
    assert [event.text for event in told if isinstance(event, Message)] == ["a", "b"]


def test_parts_hold_every_row_of_their_half_once(
    star: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "_ROWS_OF_PART", 4)
    config = settings(star, model, tmp_path / "p")
    setting = inference.open_setting(config, ignore)
    keys = part_keys(setting)
    assert len({key.name for key in keys}) == len(keys) == 8
    rows = [rows_of(setting, key) for key in keys]
    assert sorted(np.concatenate(rows)) == list(range(COUNT))
    for key, part in zip(keys, rows, strict=True):
        assert (setting.half_set[part] == key.half_set).all()
        assert len(part) <= 4


def refused(capsys: pytest.CaptureFixture[str], output: Path, *words: object) -> str:
    """What the command line says of bad input: one line, exit 2, no result."""
    command = ["pose", "infer", "--output", output, "--device", "cpu", "--threads", "1", *words]
    assert cli.main([str(word) for word in command]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("icelens: ")]
    assert len(said) == 1, said
    assert not list(output.glob("*.star"))
    assert not list(output.rglob("*.mrc"))
    return said[0]


def test_models_that_are_none_are_refused(
    star: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"weights": torch.zeros(3)}, tmp_path / "model.pt")
    half = copied(model, tmp_path / "cut") / "half_2" / "best.safetensors"
    half.write_bytes(half.read_bytes()[:1000])
    described = copied(model, tmp_path / "odd") / "half_1" / "best.safetensors"
    amend_checkpoint(described, {"network": {"encoder": "polar", "box_size": 64}})
    foreign = copied(model, tmp_path / "other") / "half_1" / "best.safetensors"
    amend_checkpoint(foreign, {"task": "pick"})
    for number, (path, piece) in enumerate(
        (
            (tmp_path / "model.pt", "a pickle"),
            (tmp_path / "nothing", "holds no model"),
            (tmp_path / "cut", "cut short"),
            (tmp_path / "odd", "does not fit its weights"),
            (tmp_path / "other", "a checkpoint of pick, expected one of pose"),
            (model / "half_1" / "state.safetensors", "state of a training run"),
        )
    ):
        words = ["--particles", star, "--model", path]
        assert piece in refused(capsys, tmp_path / f"out_{number}", *words)


def test_particles_and_maps_that_cannot_be_used_are_refused(
    star: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lost.star").write_text(star.read_text())
    empty = star.read_text().split("000001@")[0]
    (tmp_path / "empty.star").write_text(empty)
    slab = np.random.default_rng(0).normal(size=(4, 8, 8)).astype(np.float32)
    write_volume(tmp_path / "slab.mrc", Volume(slab, PIXEL))
    (copied(model, tmp_path / "bare") / "half_1" / "map.mrc").unlink()
    partly = simulated(tmp_path / "partly", 8, half_set=np.array([1, 2, 0, 1, 2, 1, 2, 1]))
    for number, (words, piece) in enumerate(
        (
            (["--particles", tmp_path / "lost.star"], "30 of 30 images are missing"),
            (["--particles", tmp_path / "empty.star"], "empty.star"),
            (["--particles", star, "--map", tmp_path / "slab.mrc"], "expected a cube"),
            (["--particles", star, "--map", tmp_path / "none.mrc"], "none.mrc"),
            (["--particles", star, "--model", tmp_path / "bare"], "give --map, or --no-refine"),
            (["--particles", partly], "1 of 8 images have no half set"),
        )
    ):
        given = [*words] if "--model" in words else [*words, "--model", model]
        said = refused(capsys, tmp_path / f"out_{number}", *given)
        assert piece in said, said


def test_a_model_whose_halves_see_images_differently_is_refused(
    star: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = copied(model, tmp_path / "mixed")
    known = load_checkpoint(mixed / "half_2").description["image"]
    amend_checkpoint(mixed / "half_2" / "best.safetensors", {"image": known | {"pixel_size": 4.0}})
    said = refused(capsys, tmp_path / "out", "--particles", star, "--model", mixed)
    assert "half_2" in said
    assert set(read_models(model)) == {1, 2}
