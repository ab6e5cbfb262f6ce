"""Models that octopi would save, made with MONAI, come over with the same logits."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from monai.networks.nets.attentionunet import AttentionUnet
from monai.networks.nets.dynunet import DynUNet
from monai.networks.nets.mednext import MedNeXt
from monai.networks.nets.segresnet_ds import SegResNetDS
from monai.networks.nets.swin_unetr import SwinUNETR
from monai.networks.nets.unet import UNet
from torch import nn

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import CheckpointError, IcelensError
from icelens.tasks.pick.import_octopi import convert, read_model_config
from icelens.tasks.pick.model import read_model
from icelens.training.checkpoint import load_checkpoint

UNET = {"channels": [4, 6, 8], "strides": [2, 2], "num_res_units": 1, "dropout": 0.1}
DYNUNET = {
    "kernel_size": [3, 3, 3],
    "strides": [1, 2, 2],
    "upsample_kernel_size": [2, 2],
    "filters": [4, 6, 8],
    "dropout": 0.1,
    "norm_name": "instance",
    "act_name": "leakyrelu",
    "deep_supervision": True,
    "deep_supr_num": 1,
    "res_block": True,
}
SEGRESNET = {
    "init_filters": 4,
    "blocks_down": [1, 1, 1],
    "blocks_up": [1, 1],
    "dsdepth": 2,
    "act": "prelu",
    "norm": "instance",
    "upsample_mode": "deconv",
    "resolution": None,
}
SWIN = {
    "feature_size": 12,
    "depths": [1, 1, 1, 1],
    "num_heads": [3, 6, 12, 24],
    "window_size": 5,
    "drop_rate": 0.1,
    "attn_drop_rate": 0.1,
    "dropout_path_rate": 0.1,
    "use_checkpoint": True,
}
ATTENTION = {"channels": [4, 6, 8], "strides": [2, 2], "dropout": 0.1}
MEDNEXT = {
    "init_filters": 2,
    "encoder_expansion_ratio": 2,
    "decoder_expansion_ratio": 2,
    "bottleneck_expansion_ratio": 2,
    "kernel_size": 3,
    "deep_supervision": False,
    "use_residual_connection": True,
    "norm_type": "group",
    "global_resp_norm": True,
    "blocks_down": [1, 1],
    "blocks_bottleneck": 1,
    "blocks_up": [1, 1],
}
MODELS: dict[str, tuple[type[nn.Module], dict[str, Any], tuple[int, int, int]]] = {
    "Unet": (UNet, UNET, (8, 8, 8)),
    "DynUNet": (DynUNet, DYNUNET, (8, 8, 8)),
    "SegResNet": (SegResNetDS, SEGRESNET, (8, 8, 8)),
    "SwinUNETR": (SwinUNETR, SWIN, (32, 32, 64)),
    "AttentionUnet": (AttentionUnet, ATTENTION, (8, 8, 8)),
    "MedNeXt": (MedNeXt, MEDNEXT, (8, 8, 8)),
}
LABELS = {"ribosome": 2, "apo-ferritin": 1}


def make(architecture: str) -> nn.Module:
    kind, settings, _ = MODELS[architecture]
    return kind(spatial_dims=3, in_channels=1, out_channels=3, **settings).eval()


def write(
    folder: Path, architecture: str, weights: object, *, labels: object = LABELS, **changes: Any
) -> Path:
    """The two files that octopi leaves."""
    settings = MODELS[architecture][1]
    model = {"architecture": architecture, **settings, "num_classes": 3, "dim_in": 64} | changes
    content: dict[str, Any] = {"model": model}
    if labels:
        content |= {
            "labels": labels,
            "optimizer": {"lr": 1e-3},
            "dataloader": {"voxel_size": 10, "tomo_algorithm": ["denoised"]},
        }
    (folder / "model_config.yaml").write_text(yaml.safe_dump(content))
    torch.save(weights, folder / "best_model.pth")
    return folder / "best_model.pth"


def bring_over(path: Path, output: Path, **known: Any) -> tuple[str, ...]:
    model = read_model_config(path.with_name("model_config.yaml"))
    target, notes = convert(path, model, output, **known)
    assert target.is_file()
    return notes


@pytest.mark.parametrize("architecture", MODELS)
def test_imported_network_computes_the_same(tmp_path: Path, architecture: str) -> None:
    theirs = make(architecture)
    bring_over(write(tmp_path, architecture, theirs.state_dict()), tmp_path / "new")
    ours = read_model(tmp_path / "new").network
    image = torch.randn(1, 1, *MODELS[architecture][2])
    with torch.no_grad():
        # the same weights, sums in another order
        torch.testing.assert_close(ours(image), theirs(image), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
def test_prefixes_of_wrapped_modules_are_taken_off(tmp_path: Path, prefix: str) -> None:
    theirs = make("Unet")
    weights = {prefix + name: tensor for name, tensor in theirs.state_dict().items()}
    bring_over(write(tmp_path, "Unet", weights), tmp_path)
    tensors = load_checkpoint(tmp_path).tensors
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(tensors[f"body.{name}"], tensor)


def test_the_checkpoint_says_what_the_model_is(tmp_path: Path) -> None:
    path = write(tmp_path, "Unet", make("Unet").state_dict())
    notes = bring_over(path, tmp_path)
    known = load_checkpoint(tmp_path).description
    assert known["task"] == "pick"
    assert known["network"]["architecture"] == "unet"
    assert known["objects"] == [
        {"name": "apo-ferritin", "label": 1, "radius": None, "weight": 1.0},
        {"name": "ribosome", "label": 2, "radius": None, "weight": 1.0},
    ]
    assert (known["voxel_size"], known["stride"]) == (10, 1)
    assert known["targets"]["crop_size"] == [64, 64, 64]
    assert known["tomogram_types"] == ["denoised"]
    assert known["thresholds"] == {"apo-ferritin": None, "ribosome": None}
    assert known["imported_from"] == "octopi, best_model.pth"
    assert any("--project" in note for note in notes)


def test_a_project_gives_radii_weights_and_missing_names(tmp_path: Path) -> None:
    objects = [
        PickableObject("membrane", 4, None, is_particle=False),
        PickableObject("apo-ferritin", 1, 60.0),
        PickableObject("ribosome", 2, 150.0, metadata={"score_weight": 2}),
    ]
    expected = [
        {"name": "apo-ferritin", "label": 1, "radius": 60.0, "weight": 1.0},
        {"name": "ribosome", "label": 2, "radius": 150.0, "weight": 2.0},
    ]
    for labels in (LABELS, None):
        path = write(tmp_path, "Unet", make("Unet").state_dict(), labels=labels)
        bring_over(path, tmp_path, objects=objects, pixel_size=13.5)
        known = load_checkpoint(tmp_path).description
        assert known["objects"] == expected
        assert known["voxel_size"] == (10 if labels else 13.5)


def test_nameless_classes_are_numbered_and_said(tmp_path: Path) -> None:
    path = write(tmp_path, "Unet", make("Unet").state_dict(), labels=None)
    notes = bring_over(path, tmp_path)
    names = [each["name"] for each in load_checkpoint(tmp_path).description["objects"]]
    assert names == ["object-1", "object-2"]
    assert any("class 2 has no name" in note for note in notes)
    assert any("--voxel-size" in note for note in notes)


def test_a_gap_in_the_labels_is_filled(tmp_path: Path) -> None:
    path = write(tmp_path, "Unet", make("Unet").state_dict(), labels={"ribosome": 2})
    bring_over(path, tmp_path)
    names = [each["name"] for each in load_checkpoint(tmp_path).description["objects"]]
    assert names == ["object-1", "ribosome"]


class Evil:
    """A pickle that would leave a file if it were opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def refused(path: Path, words: str, error: type[IcelensError] = CheckpointError) -> None:
    with pytest.raises(error, match=words) as caught:
        bring_over(path, path.parent / "new")
    assert "\n" not in str(caught.value)
    assert not (path.parent / "new").exists()


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    weights = make("Unet").state_dict()
    path = write(tmp_path, "Unet", {**weights, "extra": Evil(tmp_path / "ran")})
    refused(path, "nothing was executed")
    assert not (tmp_path / "ran").exists()


def test_a_whole_pickled_network_is_refused(tmp_path: Path) -> None:
    refused(write(tmp_path, "Unet", nn.Conv3d(1, 1, 1)), "nothing was executed")


def test_wrong_class_count_and_settings_are_named(tmp_path: Path) -> None:
    weights = make("Unet").state_dict()
    refused(write(tmp_path, "Unet", weights, num_classes=4), "with 4 classes")
    refused(write(tmp_path, "Unet", weights, channels=[8, 6, 8]), "model.0")
    refused(write(tmp_path, "Unet", weights, typo=1), "no setting typo", IcelensError)
    refused(write(tmp_path, "Unet", weights, strides=[2]), "one stride less", IcelensError)
    refused(write(tmp_path, "AttentionUnet", weights), "attention-unet")


def test_missing_extra_and_broken_weights_are_named(tmp_path: Path) -> None:
    weights = make("Unet").state_dict()
    first = next(iter(weights))
    without = {name: tensor for name, tensor in weights.items() if name != first}
    refused(write(tmp_path, "Unet", without), "is absent, but")
    refused(write(tmp_path, "Unet", {**weights, "more": torch.zeros(1)}), "more is")
    refused(write(tmp_path, "Unet", {**weights, "epoch": 3}), "epoch is a int")
    broken = {**weights, first: torch.full_like(weights[first], float("nan"))}
    refused(write(tmp_path, "Unet", broken), "no numbers")
    refused(write(tmp_path, "Unet", []), "expected a dictionary")


def test_damaged_and_missing_files_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, "Unet", make("Unet").state_dict())
    path.write_bytes(path.read_bytes()[:200])
    refused(path, "damaged")
    path.unlink()
    refused(path, "no such file")
