"""Networks by name."""

from importlib.metadata import EntryPoint

import pytest
import torch
from torch import nn

from icelens.core.errors import IcelensError
from icelens.tasks.restore import network as registry
from icelens.tasks.restore.network import NETWORKS, build_network


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_built_by_name(name: str) -> None:
    network = build_network(name)
    assert sum(p.numel() for p in network.parameters()) > 8_000_000
    network.to(memory_format=torch.channels_last_3d)


def test_same_seed_gives_the_same_weights() -> None:
    torch.manual_seed(3)
    first = build_network("unet-small").state_dict()
    torch.manual_seed(3)
    second = build_network("unet-small").state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_misspelt_network_gets_a_suggestion() -> None:
    with pytest.raises(IcelensError, match="unet-smal: no such network; did you mean unet-small"):
        build_network("unet-smal")


def offer(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    entry = EntryPoint("mine", value, registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda *, group: [entry])


def test_another_package_can_offer_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "torch.nn:Identity")
    assert isinstance(build_network("mine"), nn.Identity)


def test_an_offer_that_is_no_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "builtins:dict")
    with pytest.raises(IcelensError, match=r"gave dict, expected a torch\.nn\.Module"):
        build_network("mine")
