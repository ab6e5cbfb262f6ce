"""Networks small enough to train in a test, known to `restore` by name."""

import pytest
from torch import nn

from icelens.tasks.restore.network import NETWORKS


def tiny_network() -> nn.Module:
    """Two convolutions with a batch norm between them."""
    return nn.Sequential(
        nn.Conv3d(1, 4, 3, padding=1),
        nn.BatchNorm3d(4),
        nn.LeakyReLU(0.01),
        nn.Conv3d(4, 1, 3, padding=1),
    )


@pytest.fixture(autouse=True)
def _tiny_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", tiny_network)
    monkeypatch.setitem(NETWORKS, "identity", nn.Identity)
