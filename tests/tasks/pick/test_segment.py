"""Trained networks are applied to tomograms of a project; maps and labels are written."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from blob_project import PIXEL_SIZE, SHAPE, TRUTH

from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.volume import Volume
from icelens.core.errors import CheckpointError, IcelensError, InputFileError, MetadataError
from icelens.core.events import Event, Progress, Saved
from icelens.core.io.copick.keys import Features
from icelens.core.io.copick.project import (
    PicksKey,
    Project,
    SegmentationKey,
    TomogramKey,
    open_project,
)
from icelens.jobs.run import run_job
from icelens.tasks.pick.model import read_model
from icelens.tasks.pick.peaks_of_maps import picks_of_maps
from icelens.tasks.pick.segment import labels_of
from icelens.tasks.pick.train_jobs import segment
from icelens.tasks.pick.train_settings import SegmentConfig
from icelens.training.checkpoint import load_checkpoint, save_checkpoint

WBP = TomogramKey(PIXEL_SIZE, "wbp")
NAME = "predict-icelens-1"
LABELS = SegmentationKey(PIXEL_SIZE, "predict", Source("icelens", "1"), is_multilabel=True)


def segmented(project: Path, *models: Path, **changes: Any) -> list[Path]:
    settings = {
        "project": project,
        "model": models,
        "runs": ("TS_4",),
        "output": project.parent / "segment",
        "device": "cpu",
        "precision": "float32",
        "threads": 1,
        **changes,
    }
    on_event = settings.pop("on_event", lambda event: None)
    return run_job(segment, SegmentConfig(**settings), on_event=on_event)


def maps_of(project: Path) -> Features:
    return open_project(project).read_features("TS_4", WBP, NAME)


def refused(action: Callable[[], object], error: type[IcelensError]) -> str:
    with pytest.raises(error) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def copy_of(model: Path, folder: Path, factor: float = 1.0, **changes: Any) -> Path:
    """A model with other words or scaled weights of its head."""
    checkpoint = load_checkpoint(model)
    tensors = {
        name: tensor * factor if "head" in name else tensor
        for name, tensor in checkpoint.tensors.items()
    }
    folder.mkdir()
    description = {**checkpoint.description, **changes}
    save_checkpoint(folder / "best.safetensors", tensors, description)
    return folder


def truth_of(project: Project, name: str) -> np.ndarray:
    return project.read_picks("TS_4", PicksKey(name, TRUTH)).position_zyx


@pytest.mark.parametrize("views", [1, 4, 8])
def test_blobs_of_a_run_never_seen_are_found(trained: Any, own_project: Path, views: int) -> None:
    (path,) = segmented(own_project, trained.model, views=views)
    assert path.name == f"wbp_{NAME}_features.zarr"
    maps, model = maps_of(own_project), read_model(trained.model)
    assert list(maps.attributes["objects"]) == ["dark", "bright"]
    picks = picks_of_maps(maps, model.objects, model.thresholds, run="TS_4")
    project = open_project(own_project)
    for each in model.objects:
        true = truth_of(project, each.name)
        found = picks.select([name == each.name for name in picks.species]).position_zyx
        distance = np.linalg.norm(true[:, None] - found, axis=2).min(axis=1)
        assert (distance < each.known_radius() / 2).mean() >= 0.9
        assert len(found) <= 1.25 * len(true)
        assert np.sqrt(np.mean(distance**2)) < PIXEL_SIZE


def test_labels_are_spheres_of_the_objects_around_what_was_found(
    trained: Any, own_project: Path
) -> None:
    segmented(own_project, trained.model)
    project = open_project(own_project)
    labels = project.read_segmentation("TS_4", LABELS).array
    assert labels.shape == SHAPE
    assert set(np.unique(labels)) == {0, 1, 3}
    for label, name in ((3, "bright"), (1, "dark")):
        centres = np.rint(truth_of(project, name) / PIXEL_SIZE).astype(int)
        assert (labels[tuple(centres.T)] == label).mean() >= 0.9
    radius_px = 0.7 * 60 / PIXEL_SIZE
    volume = len(truth_of(project, "bright")) * 4 / 3 * np.pi * radius_px**3
    assert (labels == 3).sum() == pytest.approx(volume, rel=0.3)


def test_labels_are_left_out_if_asked(trained: Any, own_project: Path) -> None:
    told: list[Event] = []
    segmented(own_project, trained.model, labels=False, on_event=told.append)
    assert LABELS not in open_project(own_project).segmentations("TS_4")
    assert [event.kind for event in told if isinstance(event, Saved)] == ["class maps"]


def test_all_runs_are_segmented_with_one_progress_and_the_name_asked_for(
    trained: Any, own_project: Path
) -> None:
    told: list[Event] = []
    paths = segmented(
        own_project, trained.model, runs=(), views=1, on_event=told.append,
        segmentation=("net", "me", "2"),
    )  # fmt: skip
    assert len(paths) == 4
    assert {path.name for path in paths} == {"wbp_net-me-2_features.zarr"}
    steps = [event for event in told if isinstance(event, Progress)]
    assert [(event.done, event.total) for event in steps] == [(n, 4) for n in range(1, 5)]


def test_soup_of_equal_models_and_their_ensemble_are_the_model(
    trained: Any, own_project: Path
) -> None:
    segmented(own_project, trained.model, views=1)
    alone = maps_of(own_project)
    for soup in (True, False):
        segmented(own_project, trained.model, trained.model, views=1, soup=soup)
        both = maps_of(own_project)
        np.testing.assert_allclose(both.array, alone.array, atol=1e-3)
        assert both.attributes["thresholds"] == pytest.approx(alone.attributes["thresholds"])


def test_ensemble_averages_probabilities_and_soup_weights(
    trained: Any, own_project: Path, tmp_path: Path
) -> None:
    weak = copy_of(trained.model, tmp_path / "weak", 0.3)
    arrays = []
    for models in ([trained.model], [weak], [trained.model, weak]):
        segmented(own_project, *models, views=1)
        arrays.append(maps_of(own_project).array.astype(np.float32))
    np.testing.assert_allclose(arrays[2], (arrays[0] + arrays[1]) / 2, atol=2e-3)
    between = copy_of(trained.model, tmp_path / "between", 0.65)
    segmented(own_project, between, views=1)
    expected = maps_of(own_project).array
    segmented(own_project, trained.model, weak, views=1, soup=True)
    np.testing.assert_allclose(maps_of(own_project).array, expected, atol=2e-3)


def test_the_type_the_model_knows_is_taken_and_another_on_demand(
    trained: Any, own_project: Path, tmp_path: Path
) -> None:
    project = open_project(own_project)
    volume = project.open_tomogram("TS_4", WBP)
    project.write_tomogram("TS_4", Volume(np.array(volume.array), PIXEL_SIZE), "denoised")
    assert "more than one tomogram" in refused(
        lambda: segmented(own_project, trained.model), MetadataError
    )
    knows = copy_of(trained.model, tmp_path / "knows", tomogram_types=["none", "denoised"])
    (path,) = segmented(own_project, knows)
    assert path.name.startswith("denoised_")
    (path,) = segmented(own_project, knows, tomogram_type="wbp")
    assert path.name.startswith("wbp_")


def test_other_voxel_size_than_any_model_was_trained_at_is_refused(
    trained: Any, own_project: Path, tmp_path: Path
) -> None:
    coarse = copy_of(trained.model, tmp_path / "coarse", voxel_size=14.0)
    message = refused(lambda: segmented(own_project, coarse), MetadataError)
    assert "no tomogram of any type at 14 Å; there are wbp@10" in message
    message = refused(lambda: segmented(own_project, trained.model, coarse), CheckpointError)
    assert "10 Å/voxel, but " in message
    assert "trained at 14" in message


def test_overlay_that_cannot_be_written_is_refused(trained: Any, own_project: Path) -> None:
    (own_project.parent / "overlay").write_text("a file, no folder")
    message = refused(lambda: segmented(own_project, trained.model), InputFileError)
    assert "overlay" in message


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_overlay_without_the_right_to_write_is_refused(trained: Any, own_project: Path) -> None:
    overlay = own_project.parent / "overlay"
    overlay.mkdir(mode=0o555)
    refused(lambda: segmented(own_project, trained.model), InputFileError)


@pytest.mark.parametrize("bad", [np.nan, 0.0])
def test_damaged_tomogram_is_named_and_nothing_is_written(
    trained: Any, own_project: Path, bad: float
) -> None:
    values = np.full(SHAPE, bad, np.float32)
    open_project(own_project).write_tomogram("TS_4", Volume(values, PIXEL_SIZE), "wbp")
    message = refused(lambda: segmented(own_project, trained.model), InputFileError)
    assert f"{own_project}: run TS_4, wbp@10: " in message
    assert not list(own_project.parent.rglob("*_features.zarr"))


def test_names_that_copick_forbids_are_refused_before_computing(
    trained: Any, own_project: Path
) -> None:
    asked = ("my_net", "me", "1")
    message = refused(
        lambda: segmented(own_project, trained.model, segmentation=asked), MetadataError
    )
    assert "call it 'my-net'" in message


def test_models_of_other_objects_and_unknown_runs_are_refused(
    trained: Any, own_project: Path, tmp_path: Path
) -> None:
    objects = load_checkpoint(trained.model).description["objects"]
    renamed = [{**each, "name": each["name"] + "er"} for each in objects]
    other = copy_of(trained.model, tmp_path / "other", objects=renamed)
    message = refused(lambda: segmented(own_project, trained.model, other), CheckpointError)
    assert "knows darker, brighter, expected dark, bright" in message
    assert "no run TS_9" in refused(
        lambda: segmented(own_project, trained.model, runs=("TS_9",)), MetadataError
    )
    pickle = tmp_path / "best.pth"
    torch.save({"weights": torch.zeros(1)}, pickle)
    assert "a pickle" in refused(lambda: segmented(own_project, pickle), CheckpointError)


def test_labels_beyond_a_byte_are_refused_before_computing(
    trained: Any, own_project: Path, tmp_path: Path
) -> None:
    objects = load_checkpoint(trained.model).description["objects"]
    numbered = [{**each, "label": each["label"] + 299} for each in objects]
    other = copy_of(trained.model, tmp_path / "other", objects=numbered)
    message = refused(lambda: segmented(own_project, other), MetadataError)
    assert "is above 255, which a segmentation cannot hold; add --labels false" in message
    assert not (tmp_path / "overlay").exists()


MEMBRANE = PickableObject("membrane", 9, None, is_particle=False)
BALL = PickableObject("ball", 5, 40.0)


def dense_maps(*, finds_centres: bool) -> Features:
    array = np.zeros((2, 8, 8, 8), np.float16)
    array[0, 4, 4, 4] = 0.9
    array[1, :, :, 6:] = 0.8
    attributes = {"objects": ["ball", "membrane"], "thresholds": {}, "finds_centres": finds_centres}
    return Features(array, 20.0, (5.0,) * 3, attributes)


@pytest.mark.parametrize("finds_centres", [True, False])
def test_continuous_classes_are_labelled_where_they_are_likeliest(
    trained: Any, *, finds_centres: bool
) -> None:
    model = replace(
        read_model(trained.model), objects=(BALL, MEMBRANE), finds_centres=finds_centres
    )
    tomogram = Volume(np.zeros((15, 16, 15), np.float32), 10.0)
    labels = np.asarray(labels_of(dense_maps(finds_centres=finds_centres), [model], tomogram).array)
    assert labels.shape == tomogram.shape
    assert (labels[..., 12:] == 9).all()
    # point (4, 4, 4) of the coarse grid lies between voxels 8 and 9
    assert labels[8, 8, 8] == labels[9, 9, 9] == 5
    num_voxels = (labels == 5).sum()
    if finds_centres:
        assert num_voxels == pytest.approx(4 / 3 * np.pi * (0.7 * 4) ** 3, rel=0.2)
    else:
        assert num_voxels == 8


def test_record_names_model_and_project(trained: Any, own_project: Path) -> None:
    segmented(own_project, trained.model)
    record = json.loads((own_project.parent / "segment" / "run.json").read_text())
    assert record["state"] == "done"
    assert {each["setting"] for each in record["inputs"]} >= {"project", "model"}
