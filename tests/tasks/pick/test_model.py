"""Models are read with all that is known of them, averaged, and refused where they do not fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from icelens.core.errors import CheckpointError, IcelensError
from icelens.tasks.pick.model import Model, mean_thresholds, read_model, soup
from icelens.tasks.pick.network import build_network
from icelens.training.checkpoint import load_checkpoint, save_checkpoint

SETTINGS = {"architecture": "half-unet", "channels": [4, 6], "blocks": [1, 1]}


def described(**changes: Any) -> dict[str, Any]:
    known = {
        "task": "pick",
        "network": SETTINGS,
        "objects": [
            {"name": "bright", "label": 3, "radius": 60.0, "weight": 2.0, "is_particle": True},
            {"name": "membrane", "label": 9, "radius": None, "is_particle": False},
        ],
        "voxel_size": 10.0,
        "tomogram_types": ["denoised"],
        "targets": {"kind": "centres", "radius_scale": 0.6, "crop_size": [16, 32, 32]},
        "thresholds": {"bright": 0.4, "membrane": None},
    }
    return {**known, **changes}


def write(
    folder: Path, name: str = "best", seed: int = 0, num_classes: int = 3, **changes: Any
) -> Path:
    torch.manual_seed(seed)
    known = described(**changes)
    network = build_network(known["network"], num_classes)
    torch.nn.init.normal_(network.body.head.weight)
    path = folder / f"{name}.safetensors"
    save_checkpoint(path, network.state_dict(), known)
    return path


def answer(model: Model) -> torch.Tensor:
    torch.manual_seed(9)
    with torch.no_grad():
        return model.network(torch.randn(1, 1, 8, 8, 8))


def refused(action: Callable[[], object], error: type[IcelensError] = CheckpointError) -> str:
    with pytest.raises(error) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_model_knows_what_its_checkpoint_says(tmp_path: Path) -> None:
    path = write(tmp_path)
    model = read_model(tmp_path)
    assert model.path == path
    bright, membrane = model.objects
    assert (bright.name, bright.label, bright.radius, bright.weight) == ("bright", 3, 60.0, 2.0)
    assert (membrane.radius, membrane.is_particle, membrane.weight) == (None, False, 1.0)
    assert model.finds_centres
    assert model.thresholds == {"bright": 0.4}
    assert (model.voxel_size, model.tomogram_types) == (10.0, ("denoised",))
    assert (model.radius_scale, model.crop_size) == (0.6, (16, 32, 32))
    assert not model.network.training
    torch.testing.assert_close(answer(model), answer(read_model(path)), rtol=0, atol=0)


def test_older_description_that_knows_less_is_read(tmp_path: Path) -> None:
    known = {key: described()[key] for key in ("task", "network", "objects")}
    network = build_network(SETTINGS, 3)
    save_checkpoint(tmp_path / "best.safetensors", network.state_dict(), known)
    model = read_model(tmp_path)
    assert (model.thresholds, model.voxel_size, model.crop_size) == ({}, None, None)
    model.check_voxel_size(17.0, "TS_1")


def test_weights_of_another_class_count_are_refused(tmp_path: Path) -> None:
    write(tmp_path)
    checkpoint = load_checkpoint(tmp_path)
    objects = [*checkpoint.description["objects"], {"name": "extra", "label": 5}]
    edited = {**checkpoint.description, "objects": objects}
    save_checkpoint(tmp_path / "best.safetensors", checkpoint.tensors, edited)
    message = refused(lambda: read_model(tmp_path))
    assert "best.safetensors: its weights do not fit half-unet with 4 outputs" in message


@pytest.mark.parametrize(
    "objects", [[{"label": 3}], [{"name": "a", "label": "x"}], ["bright"], 7, [{"name": "a"}]]
)
def test_damaged_list_of_objects_is_refused(tmp_path: Path, objects: Any) -> None:
    write(tmp_path, objects=objects)
    assert "best.safetensors: its description is damaged" in refused(lambda: read_model(tmp_path))


@pytest.mark.parametrize(
    "changes",
    [
        {"thresholds": {"bright": "x"}},
        {"thresholds": [1]},
        {"targets": [1]},
        {"targets": {"crop_size": [16, 32]}},
        {"voxel_size": "ten"},
        {"tomogram_types": 5},
    ],
    ids=str,
)
def test_damaged_description_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    write(tmp_path, **changes)
    assert "best.safetensors: its description is damaged" in refused(lambda: read_model(tmp_path))


def test_network_without_settings_is_refused(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(write(tmp_path))
    edited = {**checkpoint.description, "network": "half-unet"}
    save_checkpoint(tmp_path / "best.safetensors", checkpoint.tensors, edited)
    assert "its network is 'half-unet', expected settings" in refused(lambda: read_model(tmp_path))


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(write(tmp_path))
    spoilt = {name: tensor.clone() for name, tensor in checkpoint.tensors.items()}
    spoilt["body.head.weight"][0] = torch.nan
    save_checkpoint(tmp_path / "best.safetensors", spoilt, checkpoint.description)
    message = refused(lambda: read_model(tmp_path))
    assert "best.safetensors: body.head.weight holds numbers that are not finite" in message


def test_model_of_another_task_is_refused(tmp_path: Path) -> None:
    write(tmp_path, task="restore")
    assert "a checkpoint of restore, expected one of pick" in refused(lambda: read_model(tmp_path))


def test_other_voxel_size_is_refused_beyond_five_percent(tmp_path: Path) -> None:
    write(tmp_path)
    model = read_model(tmp_path)
    model.check_voxel_size(10.4, "TS_1")
    message = refused(lambda: model.check_voxel_size(13.5, "TS_1"))
    assert message.startswith("TS_1: 13.5 Å/voxel, but ")
    assert "resize --pixel-size 10" in message


def test_soup_of_equal_models_is_the_model(tmp_path: Path) -> None:
    write(tmp_path)
    one = read_model(tmp_path)
    both = soup([one, read_model(tmp_path)])
    torch.testing.assert_close(answer(both), answer(one), rtol=0, atol=0)
    assert both.objects == one.objects


def test_soup_has_the_mean_of_weights_and_thresholds(tmp_path: Path) -> None:
    first = read_model(write(tmp_path, "first"))
    second = read_model(write(tmp_path, "second", seed=1, thresholds={"bright": 0.2}))
    mixed = soup([first, second])
    for name, tensor in mixed.network.state_dict().items():
        pair = [each.network.state_dict()[name] for each in (first, second)]
        torch.testing.assert_close(tensor, (pair[0] + pair[1]) / 2)
    assert mixed.thresholds == {"bright": pytest.approx(0.3)}
    assert not mixed.network.training


def test_thresholds_are_averaged_over_the_models_that_know_them(tmp_path: Path) -> None:
    thresholds = ({"bright": 0.4}, {}, {"bright": 0.1, "membrane": 0.7})
    models = [
        read_model(write(tmp_path, f"m{number}", thresholds=each))
        for number, each in enumerate(thresholds)
    ]
    assert mean_thresholds(models) == {"bright": pytest.approx(0.25), "membrane": 0.7}


def test_soup_of_different_networks_is_refused(tmp_path: Path) -> None:
    first = read_model(write(tmp_path, "first"))
    wider = read_model(write(tmp_path, "wider", network={**SETTINGS, "channels": [4, 8]}))
    assert "leave out --soup" in refused(lambda: soup([first, wider]))
