"""Training runs of seconds: they learn, resume exactly, and say what they cannot do."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from blob_project import OBJECTS, PIXEL_SIZE, SHORT, SMALL, TINY, TRUTH, add_run, empty_project

from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import (
    CheckpointError,
    GeometryError,
    IcelensError,
    InputFileError,
    MetadataError,
    StoppedEarly,
)
from icelens.core.events import Event, Message, Metrics
from icelens.core.io.copick.project import PicksKey, Project, SegmentationKey, open_project
from icelens.core.volumes.spheres import label_spheres
from icelens.jobs.journal import read_metrics
from icelens.jobs.run import run_job
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.learning_setup import class_loss, fit_settings
from icelens.tasks.pick.model import read_model
from icelens.tasks.pick.train_jobs import train
from icelens.tasks.pick.train_settings import TrainConfig
from icelens.training.checkpoint import load_checkpoint

TARGETS = ("targets", "drawn", "1")
TINY_DYNUNET = {
    "network": "dynunet",
    "network_settings": {"filters": [4, 6, 8, 8], "deep_supervision": True, "deep_supr_num": 2},
}


def settings(first: Path, output: Path, **changes: Any) -> TrainConfig:
    values = {**SHORT, "project": (first,), "output": output, "validation_runs": ("TS_3",)}
    return TrainConfig(**{**values, **changes})


def weights(path: Path) -> dict[str, torch.Tensor]:
    return dict(load_checkpoint(path).tensors)


def same(first: Path, second: Path) -> bool:
    one, other = weights(first), weights(second)
    return all(torch.equal(one[name], other[name]) for name in one)


def losses(folder: Path) -> list[float]:
    return [record["loss"] for record in read_metrics(folder) if "loss" in record]


def warnings_of(config: TrainConfig) -> list[str]:
    told: list[Event] = []
    run_job(train, config, on_event=told.append)
    assert np.isfinite(losses(config.output)).all()
    return [e.text for e in told if isinstance(e, Message) and e.level == "warning"]


def refused(error: type[IcelensError], action: Callable[[], object]) -> str:
    with pytest.raises(error) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def draw_targets(project: Project, run: str) -> None:
    """A multilabel segmentation of spheres around the true places."""
    (key_of_tomogram,) = project.tomograms(run)
    shape = project.tomogram_shape(run, key_of_tomogram)
    labels = np.zeros(shape, np.uint8)
    for each in project.objects:
        centre = project.read_picks(run, PicksKey(each.name, TRUTH)).position_zyx / PIXEL_SIZE
        radii = np.full(len(centre), 0.7 * each.known_radius() / PIXEL_SIZE)
        spheres = label_spheres(shape, (0, 0, 0), centre, radii, np.full(len(centre), each.label))
        labels = np.maximum(labels, spheres)
    key = SegmentationKey(PIXEL_SIZE, TARGETS[0], Source(*TARGETS[1:]), is_multilabel=True)
    project.write_segmentation(run, key, Volume(labels, PIXEL_SIZE))


def test_checkpoint_says_all_that_a_prediction_must_know(trained: Any) -> None:
    known = load_checkpoint(trained.model).description
    expected = {
        "task": "pick",
        "stride": 2,
        "voxel_size": PIXEL_SIZE,
        "tomogram_types": [],
        "targets": {"kind": "centres", "radius_scale": 0.7, "crop_size": [32, 32, 32]},
    }
    assert {name: known[name] for name in expected if name != "targets"} == {
        name: value for name, value in expected.items() if name != "targets"
    }
    assert expected["targets"].items() <= known["targets"].items()
    assert [each["name"] for each in known["objects"]] == ["dark", "bright"]
    assert known["network"]["architecture"] == "half-unet"
    assert set(known["thresholds"]) == {"dark", "bright"}
    assert all(0 < value < 1 for value in known["thresholds"].values())
    assert read_model(trained.model).thresholds == known["thresholds"]


def test_training_learns_and_scores_runs_it_never_saw(trained: Any) -> None:
    history = losses(trained.model)
    assert len(history) == TINY["steps"]
    assert np.mean(history[-5:]) < 0.5 * np.mean(history[:5])
    scores = [record["score"] for record in read_metrics(trained.model) if "score" in record]
    assert scores[-1] <= -0.9  # lower is better: the score is negated
    report = (trained.model / "report.html").read_text()
    for words in ("Scores on the validation runs", "Scores on the test runs", "TS_4", "bright"):
        assert words in report


def interrupting(step: int) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if isinstance(event, Metrics) and event.step == step:
            signal.raise_signal(signal.SIGINT)

    return listen


@pytest.mark.parametrize("ending", ["interrupt", "time limit"])
def test_resumed_run_ends_with_the_weights_of_one_never_stopped(
    small: Path, tmp_path: Path, ending: str
) -> None:
    varied = {"turn_probability": 0.5, "mixup": 0.3}
    short = {"steps": 4, "validations": 2, "augmentation": varied, "background_share": 0.2}
    run_job(train, settings(small, tmp_path / "whole", **short))
    halves = tmp_path / "halves"
    if ending == "interrupt":
        with pytest.raises(KeyboardInterrupt):
            run_job(train, settings(small, halves, **short), on_event=interrupting(3))
    else:
        limited = settings(small, halves, time_limit=1e-9, **short)
        with pytest.raises(StoppedEarly, match=r"time limit was reached at step 1; .*--resume"):
            run_job(train, limited)
    run_job(train, settings(small, halves, **short), resume=True)
    assert same(tmp_path / "whole", halves)
    assert same(tmp_path / "whole" / "last.safetensors", halves / "last.safetensors")


def test_seed_alone_fixes_the_weights(small: Path, tmp_path: Path) -> None:
    for name, seed in (("first", 3), ("again", 3), ("other", 4)):
        run_job(train, settings(small, tmp_path / name, seed=seed))
    assert same(tmp_path / "first", tmp_path / "again")
    assert not same(tmp_path / "first", tmp_path / "other")


def test_target_segmentation_is_learnt(own_project: Path, tmp_path: Path) -> None:
    project = open_project(own_project)
    for run in ("TS_1", "TS_2", "TS_3"):
        draw_targets(project, run)
    config = settings(own_project, tmp_path / "run", **{**TINY, "target": TARGETS})
    assert warnings_of(config) == []
    known = load_checkpoint(config.output).description
    assert known["targets"]["kind"] == "spheres"
    assert known["thresholds"] == {}
    # Tversky weighs what is missed above what is false, so spheres come out large
    assert max(value for name, value in known.items() if name.startswith("score")) > 0.4


def test_runs_without_the_target_are_left_out_of_those_drawn(
    own_small: Path, tmp_path: Path
) -> None:
    draw_targets(open_project(own_small), "TS_2")
    config = settings(own_small, tmp_path / "run", target=TARGETS)
    message = refused(MetadataError, lambda: run_job(train, config))
    assert "run TS_3 has no segmentation targets,drawn,1" in message


@pytest.mark.parametrize(
    "changes",
    [
        {"targets": "spheres", "loss": "tversky", "loss_settings": {"alpha": 0.4}},
        {"targets": "spheres", "loss": "focal", "augmentation": {"mixup": 1.0}},
        {"tomogram_type": ("wbp", "denoised")},
        {"network": "unet", "network_settings": {"channels": [4, 8, 8], "strides": [2, 2]}},
        TINY_DYNUNET,
        {**TINY_DYNUNET, "targets": "spheres", "loss": "cross-entropy-tversky"},
        {"precision": "bfloat16", "batch_size": 2},
    ],
    ids=["tversky", "mixed-focal", "types", "unet", "deep-centres", "deep-spheres", "bfloat16"],
)
def test_every_way_to_train_ends_with_a_model_that_segments(
    small: Path, own_small: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    project = open_project(own_small)
    if "tomogram_type" in changes:
        for run in ("TS_1", "TS_2", "TS_3"):
            values = np.asarray(project.open_tomogram(run, project.tomograms(run)[0]).array)
            project.write_tomogram(run, Volume(values * 2, PIXEL_SIZE), "denoised")
    config = settings(own_small, tmp_path / "run", **changes)
    warnings_of(config)
    model = read_model(config.output)
    assert model.tomogram_types == tuple(changes.get("tomogram_type", ()))
    assert len(model.objects) == 2
    with torch.no_grad():
        answer = model.network(torch.zeros(1, 1, 16, 32, 32))
    assert torch.isfinite(answer).all()


def test_two_projects_are_learnt_from_and_scored_apart(small: Path, tmp_path: Path) -> None:
    other = empty_project(tmp_path / "q")
    add_run(other, "TS_1", 50, SMALL)
    add_run(other, "TS_3", 51, SMALL)
    config = settings(
        small, tmp_path / "run", project=(small, other.path),
        validation_runs=("p/TS_3", "q/TS_3"), train_runs=("p/TS_1", "q/TS_1"), test_runs=("TS_2",),
    )  # fmt: skip
    warnings_of(config)
    report = (config.output / "report.html").read_text()
    assert "p/TS_3, q/TS_3" in report


def test_fine_tuning_keeps_known_classes_and_draws_new_ones(trained: Any, tmp_path: Path) -> None:
    objects = [*OBJECTS, {"name": "grey", "is_particle": True, "label": 7, "radius": 50.0}]
    project = empty_project(tmp_path / "three", objects)
    for number in (1, 2, 3):
        add_run(project, f"TS_{number}", 60 + number, SMALL)
        nowhere = Picks(np.array([[80.0, 100, 100]]))
        project.write_picks(f"TS_{number}", PicksKey("grey", TRUTH), nowhere)
    told: list[Event] = []
    config = settings(
        project.path, tmp_path / "run", pretrained=trained.model, learning_rate=1e-6,
        objects=("grey", "bright"),
    )  # fmt: skip
    run_job(train, config, on_event=told.append)
    texts = [event.text for event in told if isinstance(event, Message)]
    assert any("kept background, bright; drawn anew grey; left out dark" in text for text in texts)
    old, new = weights(trained.model), weights(config.output)
    (head,) = [name for name in old if name.endswith("head.weight")]
    # labels order the classes: dark, bright before; bright, grey now
    torch.testing.assert_close(new[head][1], old[head][2], atol=1e-3, rtol=0)
    assert [each.name for each in read_model(config.output).objects] == ["bright", "grey"]


def test_fine_tuning_needs_the_same_architecture(trained: Any, small: Path, tmp_path: Path) -> None:
    config = settings(
        small, tmp_path / "run", pretrained=trained.model,
        network_settings={"channels": [4, 8], "blocks": [1, 1]},
    )  # fmt: skip
    message = refused(CheckpointError, lambda: run_job(train, config))
    assert "use --network half-unet with the same --network-settings" in message


def write_picks(project: Path, run: str, name: str, places: object = ()) -> None:
    picks = Picks(np.array(places, np.float64).reshape(-1, 3))
    open_project(project).write_picks(run, PicksKey(name, TRUTH), picks)


def test_class_absent_from_validation_is_named_and_the_score_stays_a_number(
    own_small: Path, tmp_path: Path
) -> None:
    write_picks(own_small, "TS_3", "dark")
    config = settings(own_small, tmp_path / "run")
    (warning,) = warnings_of(config)
    assert warning.startswith("no validation run holds dark: left out of the score")
    scores = [record["score"] for record in read_metrics(config.output) if "score" in record]
    assert np.isfinite(scores).all()
    assert "dark" not in load_checkpoint(config.output).description["thresholds"]


def test_validation_runs_without_a_particle_choose_nothing(own_small: Path, tmp_path: Path) -> None:
    for name in ("dark", "bright"):
        write_picks(own_small, "TS_3", name)
    config = settings(own_small, tmp_path / "run", steps=4, validations=2)
    absent, none = warnings_of(config)
    assert "no validation run holds dark, bright" in absent
    assert "no validation run: " in none
    assert not (config.output / "best.safetensors").exists()
    assert load_checkpoint(config.output).description["step"] == 4


def test_empty_picks_everywhere_are_nothing_to_learn(own_small: Path, tmp_path: Path) -> None:
    for run in ("TS_1", "TS_2", "TS_3"):
        for name in ("dark", "bright"):
            write_picks(own_small, run, name)
    config = settings(own_small, tmp_path / "run")
    assert "there is nothing to learn" in refused(MetadataError, lambda: run_job(train, config))
    assert not list(config.output.glob("*.safetensors"))


@pytest.mark.parametrize(("bad", "words"), [(np.nan, "not finite"), (2.0, "all voxels are equal")])
def test_damaged_tomogram_is_named(own_small: Path, tmp_path: Path, bad: float, words: str) -> None:
    volume = Volume(np.full(SMALL, bad, np.float32), PIXEL_SIZE)
    open_project(own_small).write_tomogram("TS_2", volume, "wbp")
    config = settings(own_small, tmp_path / "run")
    message = refused(InputFileError, lambda: run_job(train, config))
    assert "run TS_2, wbp@10" in message
    assert words in message


def test_run_with_two_roles_or_unknown_is_refused(small: Path, tmp_path: Path) -> None:
    for changes, words in (
        ({"train_runs": ("TS_3",)}, "run TS_3 is named for train and for validation"),
        ({"validation_runs": ("TS_8",)}, "no run TS_8; there are TS_1"),
        ({"split": (0.5, 0.5)}, "--split draws the runs"),
    ):
        config = settings(small, tmp_path / "run", **changes)
        assert words in refused(MetadataError, lambda c=config: run_job(train, c, overwrite=True))


def test_crop_that_the_network_cannot_halve_is_refused(small: Path, tmp_path: Path) -> None:
    deep = {"channels": [4] * 6, "blocks": [1] * 6}
    config = settings(small, tmp_path / "run", network_settings=deep)
    message = refused(GeometryError, lambda: run_job(train, config))
    assert "must be a multiple of 64" in message


def test_losses_of_labels_are_refused_for_centres(small: Path, tmp_path: Path) -> None:
    objects = (PickableObject("a", 1, 40.0),)
    for changes in ({"loss": "tversky"}, {"loss_settings": {"alpha": 0.3}}):
        config = settings(small, tmp_path / "run", **changes)
        message = refused(IcelensError, lambda c=config: class_loss(c, objects, grid_size=20.0))
        assert "add --targets spheres" in message
    unknown = settings(small, tmp_path / "run", targets="spheres", loss="tverski")
    assert "did you mean" in refused(
        IcelensError, lambda: class_loss(unknown, objects, grid_size=20.0)
    )


@pytest.mark.parametrize(("asked", "num_picks", "steps"), [(7, 10, 7), (None, 3, 800)])
def test_length_follows_the_picks_unless_asked_for(
    small: Path, tmp_path: Path, asked: int | None, num_picks: int, steps: int
) -> None:
    tomogram = LabelledTomogram(
        "TS_1", (), 10.0, np.zeros((num_picks, 3)), np.zeros(num_picks, np.int64), None
    )
    config = settings(small, tmp_path / "run", steps=asked, time_limit=2.0)
    chosen = fit_settings(config, [tomogram])
    assert chosen.num_steps == steps
    assert chosen.time_limit == 120.0
    assert fit_settings(config, [tomogram] * 100_000).num_steps == (asked or 20_000)
