"""Networks are built from settings by name, and what cannot be built is refused in one line."""

import copy
import json
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, EntryPoints
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from icelens.core.errors import IcelensError
from icelens.tasks.pose.network import build as build_module
from icelens.tasks.pose.network.build import ENCODERS, build_network, encoder_names
from icelens.tasks.pose.network.network_settings import NetworkSettings

TINY: dict[str, dict[str, Any]] = {
    "polar": {"channels": 8, "num_blocks": 1},
    "unet": {"first_channels": 2},
    "resnet": {"first_channels": 4, "out_channels": 8, "sigmas": [1.0]},
    "convmixer": {"hidden_channels": 8, "depth": 1, "kernel": 3, "patch": 4},
}


def _settings(encoder: str = "polar", **more: Any) -> dict[str, Any]:
    known = {
        "encoder": encoder,
        "box_size": 16,
        "encoder_settings": TINY.get(encoder, {}),
        "max_degree": 3,
        "sphere_channels": 8,
        "rotation_channels": 2,
    }
    return known | more


def test_every_encoder_is_tried_here() -> None:
    assert set(TINY) == set(ENCODERS) == set(encoder_names())


@pytest.mark.parametrize("encoder", TINY)
def test_every_encoder_makes_a_network_whose_weights_all_learn(encoder: str) -> None:
    network = build_network(_settings(encoder), "C1")
    torch.nn.init.normal_(network.shift, std=0.1)
    coefficients, shift_yx = network(torch.randn(3, 2, 16, 16))
    assert coefficients.shape == (4, 7, 4, 3, 2)
    assert shift_yx.shape == (3, 2)
    (coefficients.square().sum() + shift_yx.square().sum()).backward()
    assert all(weight.grad is not None for weight in network.parameters())
    assert copy.deepcopy(network).settings == network.settings


@pytest.mark.parametrize("encoder", TINY)
def test_settings_with_their_defaults_build_the_same_network(encoder: str) -> None:
    network = build_network(_settings(encoder), "C2")
    written = json.loads(json.dumps(network.settings))
    assert written == network.settings
    for name, value in _settings(encoder).items():
        if name != "encoder_settings":
            assert written[name] == value
    assert written["encoder_settings"].items() >= TINY[encoder].items()
    again = build_network(written, "C2").eval()
    assert again.settings == network.settings
    again.load_state_dict(network.state_dict())
    images = torch.randn(2, 2, 16, 16)
    with torch.no_grad():
        assert torch.equal(again(images)[0], network.eval()(images)[0])


def test_nothing_given_is_the_default_network() -> None:
    network = build_network({}, "C1")
    assert network.settings["encoder"] == NetworkSettings().encoder == "polar"
    assert network.max_degree == 8


@pytest.mark.parametrize("box_size", [16, 48])
def test_small_boxes_get_enough_angles_for_high_degrees(box_size: int) -> None:
    network = build_network(_settings(box_size=box_size, max_degree=12), "I")
    assert network.encoder.num_angles >= 25
    assert network(torch.randn(1, 2, box_size, box_size))[0].isfinite().all()


@pytest.mark.parametrize(
    ("settings", "symmetry", "words"),
    [
        ({"encoder": "unett"}, "C1", "unett: no such encoder; did you mean unet"),
        ({"encoder": "transformer"}, "C1", "known: convmixer, polar, resnet, unet"),
        ({"encoders": "unet"}, "C1", "no setting encoders; it has encoder, box_size"),
        ({"box_size": 40}, "C1", "box_size is 40, expected a multiple of 16"),
        ({"box_size": 0}, "C1", "box_size is 0"),
        ({"box_size": "large"}, "C1", "box_size is 'large'"),
        ({"max_degree": -1}, "C1", "max_degree is -1"),
        ({"sphere_channels": 12}, "C1", "sphere_channels is 12, expected a multiple of 8"),
        (
            {"encoder_settings": {"chanels": 3}},
            "C1",
            "polar: no setting chanels; it has sigmas, ch",
        ),
        ({"encoder_settings": {"channels": 0}}, "C1", "encoder polar: channels is 0"),
        ({"encoder_settings": {"sigmas": [3, 1]}}, "C1", "expected widths in rising order"),
        ({"encoder_settings": {"sigmas": []}}, "C1", "sigmas"),
        ({"encoder_settings": [1]}, "C1", "encoder_settings"),
        ({"encoder": "resnet", "encoder_settings": {"depth": 34}}, "C1", "expected 18 or 50"),
        ({"encoder": "convmixer", "encoder_settings": {"kernel": 4}}, "C1", "expected an odd"),
        ({}, "X9", "unknown symmetry 'X9'"),
    ],
)
def test_impossible_settings_are_one_line(
    settings: dict[str, Any], symmetry: str, words: str
) -> None:
    with pytest.raises(IcelensError, match=words) as caught:
        build_network(settings, symmetry)
    assert "\n" not in str(caught.value)


class Flat(nn.Module):
    """An encoder of another package: rings of numbers from the mean of the image."""

    def __init__(self, num_angles: int, *, is_transposed: bool = False) -> None:
        super().__init__()
        self.out_channels, self.num_radii, self.num_angles = 4, 3, num_angles
        self.is_transposed = is_transposed
        self.line = nn.Linear(2, 4 * 3 * num_angles)

    def forward(self, images: Tensor) -> Tensor:
        rings = self.line(images.mean(dim=(2, 3))).reshape(-1, 4, 3, self.num_angles)
        return rings.mT if self.is_transposed else rings


def make_flat(box_size: int, settings: Mapping[str, Any]) -> nn.Module:
    return Flat(box_size // 2, **settings)


def make_nonsense(box_size: int, settings: Mapping[str, Any]) -> Any:
    return "no module"


@pytest.fixture
def _foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    group = build_module.ENTRY_POINT_GROUP
    module = ModuleType("foreign_encoders")
    vars(module).update(flat=make_flat, nonsense=make_nonsense)
    monkeypatch.setitem(sys.modules, "foreign_encoders", module)
    entries = EntryPoints(
        EntryPoint(name, f"foreign_encoders:{name}", group) for name in ("flat", "nonsense", "gone")
    )
    monkeypatch.setattr(build_module, "entry_points", lambda *, group: entries)


@pytest.mark.usefixtures("_foreign")
def test_an_entry_point_offers_an_encoder_without_an_edit() -> None:
    assert "flat" in encoder_names()
    network = build_network(_settings("flat", encoder_settings={"is_transposed": False}), "D2")
    assert network.settings["encoder_settings"] == {"is_transposed": False}
    assert network(torch.randn(2, 2, 16, 16))[0].shape == (4, 7, 4, 2, 2)


@pytest.mark.usefixtures("_foreign")
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (_settings("nonsense"), "nonsense: its entry point gave str, expected a torch.nn.Module"),
        (_settings("gone"), "gone: cannot be made"),
        (_settings("flat", encoder_settings={"depth": 3}), "flat: cannot be made"),
        (_settings("flat", encoder_settings={"is_transposed": True}), r"\(2, 4, 8, 3\), expected"),
        (_settings("flat", max_degree=4), "flat: gives 8 angles, expected 9"),
    ],
)
def test_a_faulty_entry_point_is_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(IcelensError, match=words) as caught:
        build_network(settings, "C1")
    assert "\n" not in str(caught.value)
