"""Whole tomograms through a network: exact for the identity, without seams, tile by tile."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from toy_tomograms import COMPUTE, Recalls, standardised

from icelens.core.data.volume import Volume
from icelens.core.events import Progress, ignore
from icelens.tasks.restore.crops import Standardised, standardise
from icelens.tasks.restore.predict import (
    TURNS,
    TilePlan,
    TurnedCopies,
    predict_tiles,
    restore_volume,
)
from icelens.tasks.restore.restorer import default_plan
from icelens.training.device import Compute

PLAN = TilePlan(32, 6, 4)


def restored(
    network: nn.Module,
    *sources: Standardised,
    plan: TilePlan = PLAN,
    tile_filter=None,
    on_event=ignore,
) -> np.ndarray:
    answer = np.full(sources[0].volume.shape, np.nan, np.float32)

    def write(start: int, slab: np.ndarray) -> None:
        assert np.isnan(answer[start : start + len(slab)]).all()  # no plane is written twice
        answer[start : start + len(slab)] = slab

    restore_volume(
        network,
        sources,
        plan=plan,
        tile_filter=tile_filter,
        compute=COMPUTE,
        write=write,
        on_event=on_event,
        stage="test",
    )
    return answer


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize("shape", [(40, 36, 52), (3, 40, 40), (1, 20, 65), (17, 9, 33)])
@pytest.mark.parametrize("plan", [PLAN, TilePlan(48, 12, 8), TilePlan(16, 0, 0)])
def test_identity_gives_back_the_input(
    plan: TilePlan, shape: tuple[int, int, int], sign: float
) -> None:
    values = np.random.default_rng(0).normal(50.0, 4.0, shape).astype(np.float32)
    source = standardise(Volume(values, 10.0), "a.mrc", sign=sign)
    # weights and grey scale are applied in float32: some 1e-7 of the largest value
    np.testing.assert_allclose(restored(nn.Identity(), source, plan=plan), values, atol=5e-5)


def test_filter_of_ones_changes_nothing() -> None:
    values = np.random.default_rng(0).normal(size=(20, 30, 40)).astype(np.float32)
    found = restored(
        nn.Identity(),
        standardised(values),
        tile_filter=lambda shape: torch.ones(*shape[:2], shape[2] // 2 + 1),
    )
    np.testing.assert_allclose(found, values, atol=1e-5)  # two transforms in float32


class Blur(nn.Module):
    """A local network whose answer reaches three voxels far."""

    def forward(self, boxes: Tensor) -> Tensor:
        for _ in range(3):
            boxes = functional.avg_pool3d(functional.pad(boxes, (1,) * 6), 3, 1).tanh()
        return boxes


@pytest.mark.parametrize("shape", [(40, 36, 52), (5, 70, 40)])
def test_tiles_of_a_local_network_leave_no_seam(shape: tuple[int, int, int]) -> None:
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    padded = functional.pad(torch.from_numpy(values)[None, None], (4,) * 6, mode="reflect")
    whole = Blur()(padded)[0, 0, 4:-4, 4:-4, 4:-4].numpy()
    np.testing.assert_allclose(restored(Blur(), standardised(values)), whole, atol=1e-6)


def test_two_halves_are_averaged_in_their_own_grey_scales() -> None:
    rng = np.random.default_rng(2)
    even, odd = (rng.normal(mean, 2.0, (10, 20, 20)).astype(np.float32) for mean in (5, 9))
    sources = [standardise(Volume(half, 10.0), "a.mrc", sign=-1.0) for half in (even, odd)]
    inside = sum(source.cut((0, 0, 0), even.shape) for source in sources) / 2
    expected = sum(source.restored(inside) for source in sources) / 2
    np.testing.assert_allclose(restored(nn.Identity(), *sources), expected, atol=1e-5)


def test_memory_is_that_of_a_tile_and_a_slab() -> None:
    network, slabs = Recalls(), []
    values = np.random.default_rng(3).normal(size=(90, 40, 40)).astype(np.float32)
    restore_volume(
        network,
        (standardised(values), standardised(values)),
        plan=PLAN,
        tile_filter=None,
        compute=COMPUTE,
        write=lambda start, slab: slabs.append((start, len(slab))),
        on_event=ignore,
        stage="test",
    )
    assert {tuple(tiles.shape) for tiles in network.seen} == {(1, 1, 32, 32, 32)}
    assert max(count for _, count in slabs) <= 32
    assert [start for start, _ in slabs] == list(np.cumsum([0, *[n for _, n in slabs]])[:-1])
    assert sum(count for _, count in slabs) == 90


def test_progress_counts_every_tile() -> None:
    events: list[Progress] = []
    restored(nn.Identity(), standardised(np.zeros((40, 40, 40))), on_event=events.append)
    assert [event.done for event in events] == list(range(1, events[0].total + 1))


def test_turned_copies_keep_the_answer_of_an_equivariant_network() -> None:
    values = np.random.default_rng(4).normal(size=(20, 30, 40)).astype(np.float32)
    source = standardised(values)
    expected = restored(Blur(), source)
    for count in (2, 4):
        found = restored(TurnedCopies(Blur(), TURNS[:count]), source)
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("count", [2, 4])
def test_turned_copies_make_any_network_equivariant_under_their_turns(count: int) -> None:
    averaged = TurnedCopies(nn.Conv3d(1, 1, 3, padding=1), TURNS[:count])
    tiles = torch.randn(1, 1, 8, 8, 8)
    with torch.no_grad():
        for axes in TURNS[:count]:
            torch.testing.assert_close(averaged(tiles.flip(axes)), averaged(tiles).flip(axes))


def test_turns_are_proper_rotations_that_keep_the_wedge() -> None:
    assert TURNS[0] == ()
    # two flipped axes are a turn by 180 degrees, one or three would be a mirror
    assert all(len(axes) == 2 for axes in TURNS[1:])


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
