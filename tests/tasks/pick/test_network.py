"""Every network of `pick` is built by name, learns, and says what boxes it takes."""

import copy
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from pick_networks import SMALL, every_network
from torch import Tensor, nn

from icelens.core.errors import GeometryError, IcelensError
from icelens.tasks.pick import network as network_module
from icelens.tasks.pick.model import read_model
from icelens.tasks.pick.network import (
    ARCHITECTURES,
    SegmentationNetwork,
    architecture_names,
    build_network,
)
from icelens.training.checkpoint import save_checkpoint


def test_every_architecture_is_tried_here() -> None:
    assert {settings["architecture"] for settings, _ in SMALL} == set(ARCHITECTURES)


@every_network
def test_logits_have_a_channel_per_class_and_every_weight_learns(
    settings: dict[str, Any], sides: tuple[int, int, int]
) -> None:
    network = build_network(settings, 3)
    image = torch.randn(1, 1, *sides)
    output = network(image)
    levels = output if isinstance(output, list) else [output]
    expected = tuple(side // network.stride for side in sides)
    assert levels[0].shape == (1, 3, *expected)
    assert all(level.shape[:2] == (1, 3) for level in levels)
    sum(level.square().sum() for level in levels).backward()
    assert all(weight.grad is not None for weight in network.parameters())
    copied = copy.deepcopy(network).eval()  # as the moving average of a run is made
    with torch.no_grad():
        assert copied(image).shape == levels[0].shape


@every_network
def test_settings_with_their_defaults_build_the_same_network(
    settings: dict[str, Any], sides: tuple[int, int, int]
) -> None:
    network = build_network(settings, 3)
    again = build_network(network.settings, 3)
    assert again.settings == network.settings
    shapes = {name: weight.shape for name, weight in network.state_dict().items()}
    assert shapes == {name: weight.shape for name, weight in again.state_dict().items()}


@every_network
def test_weights_survive_a_checkpoint(
    tmp_path: Path, settings: dict[str, Any], sides: tuple[int, int, int]
) -> None:
    network = build_network(settings, 3).eval()
    description = {
        "task": "pick",
        "network": network.settings,
        "objects": [{"name": "ribosome", "label": 1}, {"name": "apoferritin", "label": 2}],
    }
    save_checkpoint(tmp_path / "best.safetensors", network.state_dict(), description)
    loaded = read_model(tmp_path).network
    image = torch.randn(1, 1, *sides)
    with torch.no_grad():
        assert torch.equal(loaded(image), network(image))


@every_network
def test_boxes_that_do_not_fit_are_refused_in_one_line(
    settings: dict[str, Any], sides: tuple[int, int, int]
) -> None:
    network = build_network(settings, 2)
    multiple = network.box_multiple
    assert multiple > 1
    for wrong in ((sides[0] + 1, *sides[1:]), (multiple,) * 3, (0, *sides[1:])):
        with pytest.raises(GeometryError, match=f"multiple of {multiple}") as caught:
            network(torch.zeros(1, 1, *wrong))
        assert "\n" not in str(caught.value)
    network.check_box(sides)


def test_dynunet_computes_what_monai_computes() -> None:
    from monai.networks.nets.dynunet import DynUNet

    settings = {"kernel_size": (3, 3, 3), "strides": (1, 2, 2), "filters": (4, 6, 8)}
    theirs = DynUNet(
        3, 1, 2, upsample_kernel_size=(2, 2), deep_supervision=True, deep_supr_num=1, **settings
    )
    ours = build_network({"architecture": "dynunet", **settings, "deep_supervision": True}, 2)
    ours.body.load_state_dict(theirs.state_dict(), strict=False)
    image = torch.randn(1, 1, 8, 8, 8)
    fine, coarse = ours(image)
    stacked = theirs(image)
    torch.testing.assert_close(fine, stacked[:, 0])
    torch.testing.assert_close(nn.functional.interpolate(coarse, size=(8, 8, 8)), stacked[:, 1])


def test_the_same_generator_draws_the_same_weights() -> None:
    drawn = []
    for _ in range(2):
        torch.manual_seed(5)
        drawn.append(build_network({"channels": [4, 4], "strides": [2]}, 2).state_dict())
    assert all(torch.equal(drawn[0][name], drawn[1][name]) for name in drawn[0])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"architecture": "unett"}, "did you mean"),
        ({"architecture": "unet", "chanels": [1, 2]}, "no setting chanels; it has channels"),
        ({"architecture": "unet", "channels": "wide"}, "channels"),
        ({"architecture": "unet", "channels": [4, 8], "strides": [2, 2]}, "one stride less"),
        ({"architecture": "unet", "strides": [1, 2, 1], "output_stride": 2}, "output stride"),
        ({"architecture": "unet", "channels": [0, 8], "strides": [2]}, "unet"),
        ({"architecture": "unet", "channels": [8, 8], "strides": [0]}, "unet"),
        ({"architecture": "dynunet", "strides": [1, 2, 2]}, "do not go together"),
        ({"architecture": "dynunet", "filters": [4, 8]}, "do not go together"),
        ({"architecture": "dynunet", "norm_name": "nonsense"}, "do not go together"),
        ({"architecture": "attention-unet", "strides": [2]}, "one stride less"),
        ({"architecture": "swinunetr", "feature_size": 13}, "feature_size"),
        ({"architecture": "segresnet", "act": "nonsense"}, "do not go together"),
        ({"architecture": "mednext", "kernel_size": 4}, "must be odd"),
        ({"architecture": "mednext", "blocks_up": [1]}, "as many levels"),
    ],
)
def test_impossible_settings_are_one_line(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(IcelensError, match=words) as caught:
        build_network(settings, 3)
    assert "\n" not in str(caught.value)


def test_a_network_needs_background_and_an_object() -> None:
    with pytest.raises(IcelensError, match="at least one object"):
        build_network({"architecture": "unet"}, 1)


class Halving(nn.Module):
    """A network of another package, of half the resolution."""

    stride = 2
    box_multiple = 2

    def __init__(self, num_classes: int, width: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv3d(1, width, 2, stride=2)
        self.head = nn.Conv3d(width, num_classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.conv(image))


def make_halving(settings: Mapping[str, Any], num_classes: int) -> nn.Module:
    return Halving(num_classes, **settings)


def make_nonsense(settings: Mapping[str, Any], num_classes: int) -> Any:
    return "no module"


@pytest.fixture
def _foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    group = network_module.ENTRY_POINT_GROUP
    module = ModuleType("foreign_networks")
    vars(module).update(halving=make_halving, nonsense=make_nonsense)
    monkeypatch.setitem(sys.modules, "foreign_networks", module)
    entries = EntryPoints(
        EntryPoint(name, f"foreign_networks:{name}", group) for name in ("halving", "nonsense")
    )
    monkeypatch.setattr(network_module, "entry_points", lambda *, group: entries)


@pytest.mark.usefixtures("_foreign")
def test_an_entry_point_offers_a_network_without_an_edit() -> None:
    assert "halving" in architecture_names()
    network = build_network({"architecture": "halving", "width": 5}, 4)
    assert (network.stride, network.box_multiple) == (2, 2)
    assert network.settings == {"architecture": "halving", "width": 5}
    assert network(torch.randn(1, 1, 4, 4, 4)).shape == (1, 4, 2, 2, 2)
    with pytest.raises(GeometryError, match="halving"):
        network(torch.randn(1, 1, 5, 4, 4))


@pytest.mark.usefixtures("_foreign")
def test_a_faulty_entry_point_is_named() -> None:
    with pytest.raises(IcelensError, match="nonsense: its entry point gave str"):
        build_network({"architecture": "nonsense"}, 2)
    with pytest.raises(IcelensError, match="network halving"):
        build_network({"architecture": "halving", "depth": 3}, 2)


def test_our_own_module_is_registered_by_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("own_networks")
    vars(module).update(Halving=Halving)
    monkeypatch.setitem(sys.modules, "own_networks", module)
    monkeypatch.setitem(network_module.OWN_NETWORKS, "own", "own_networks:Halving")
    network = build_network({"architecture": "own", "width": 2}, 3)
    assert isinstance(network, SegmentationNetwork)
    assert network(torch.randn(1, 1, 4, 4, 4)).shape == (1, 3, 2, 2, 2)
