import pytest
import torch
from torch import nn

from icelens.tasks.restore.predict import TilePlan, predict_tiles
from icelens.tasks.restore.restorer import default_plan
from icelens.training.device import Compute

CPU = Compute(torch.device("cpu"), "float32", 1, "test")


class Recorder(nn.Module):
    """Doubles its input and remembers how many tiles came together."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(tiles))
        return 2 * tiles


def test_a_cpu_takes_one_tile_after_the_other_in_order():
    network = Recorder()
    boxes = torch.randn(3, 16, 16, 16, generator=torch.Generator().manual_seed(1))
    answer = predict_tiles(network, boxes, None, CPU)
    assert network.batches == [1, 1, 1]
    # doubling is exact in float32
    assert torch.equal(answer, 2 * boxes)


def test_filter_is_applied_before_the_network():
    boxes = torch.randn(2, 16, 16, 16, generator=torch.Generator().manual_seed(1))
    answer = predict_tiles(Recorder(), boxes, torch.full((16, 16, 9), 0.5), CPU)
    # halved, then doubled; an FFT and its inverse err by a few float32 roundings
    torch.testing.assert_close(answer, boxes, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("device", "network", "tile_size"),
    [("cpu", "unet-small", 128), ("cpu", "unet-medium", 96), ("cuda", "unet-medium", 128)],
)
def test_default_tiles_are_smaller_where_a_wide_network_would_fill_the_memory(
    device, network, tile_size
):
    compute = Compute(torch.device(device), "float32", 1, "test")
    assert default_plan(64, compute, network).tile_size == tile_size


def test_default_tiles_are_never_smaller_than_the_training_box():
    assert default_plan(160, CPU, "unet-medium").tile_size == 160


def test_a_thin_axis_gets_one_tile_just_thick_enough():
    tiling = TilePlan(128, 8, 8).tiling((36, 200, 128))
    assert tiling.box == (64, 128, 128)
    assert len(tiling.axes[0].starts) == 1
