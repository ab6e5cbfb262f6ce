"""CPU-seconds of a training step and of prediction with pick's networks, and with MONAI's U-Net."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bench.figure import Figure
from bench.pick_volumes import HALF_UNET
from icelens.core.volumes.centre_maps import centre_maps
from icelens.tasks.pick.crops import PickBatch
from icelens.tasks.pick.losses import build_loss
from icelens.tasks.pick.network import build_network
from icelens.tasks.pick.objective import CentreLoss
from icelens.tasks.pick.voxel_target import VoxelTarget
from icelens.training.device import Compute, autocast, choose_compute, keep_freed_memory

BOX_SIZE = 96
NUM_CLASSES = 5
WHAT = f"pick training step, crop {BOX_SIZE}, batch 1"
REFERENCE, REACH = "1.92 CPU-s", {"float32": "<= 1.7", "bfloat16": "<= 0.9"}
CHANNELS, STRIDES = (32, 64, 96, 96), (2, 2, 1)
HALF_UNETS: dict[str, dict[str, Any]] = {
    "half-unet 32,64,96,96 (blocks 1,1,1,1)": HALF_UNET,
    "half-unet 16,32,64,128 (blocks 1,2,2,2; the default)": {
        "architecture": "half-unet",
        "channels": [16, 32, 64, 128],
        "blocks": [1, 2, 2, 2],
    },
}


def measure(*, quick: bool) -> list[Figure]:
    """Crop 96, batch 1, AdamW; U-Nets of one residual unit with Tversky, half-unets on centres."""
    torch.set_num_threads(1)
    keep_freed_memory(choose_compute("cpu", "float32", 1))
    repeats = 2 if quick else 5
    figures = []
    for precision in ("float32", "bfloat16"):
        compute = choose_compute("cpu", precision, 1)
        figures += [*_unets(compute, repeats), *_half_unets(compute, repeats)]
    return figures


def _unets(compute: Compute, repeats: int) -> list[Figure]:
    """Channels 32,64,96,96, strides 2,2,1: MONAI's module, ours, and ours without the last level.

    The half-resolution output leaves the last up-sampling out.
    """
    from monai.networks.nets.unet import UNet

    settings = {"channels": CHANNELS, "strides": STRIDES}
    torch.manual_seed(0)
    monai = UNet(3, 1, NUM_CLASSES, CHANNELS, STRIDES, num_res_units=1)
    full = _channels_last(build_network(settings, NUM_CLASSES))
    half = _channels_last(build_network(settings | {"output_stride": 2}, NUM_CLASSES))
    steps = [_step(network, compute) for network in (monai, full, half)]
    plain, ours, halved = _best_in_turn(steps, repeats)
    precision, reach = compute.precision, REACH[compute.precision]
    what = f"{WHAT}, unet 32,64,96,96, {precision}"
    passes = [_prediction(network, compute) for network in (monai, full, half)]
    names = ("MONAI's module", "ours", "output at half resolution")
    return [
        Figure(what, ours, "CPU-s", REFERENCE, reach),
        Figure(f"{what}, MONAI's module", plain, "CPU-s", REFERENCE),
        Figure(f"{what}, ours / MONAI's", ours / plain, ""),
        Figure(f"{what}, output at half resolution", halved, "CPU-s"),
        *(
            Figure(f"forward pass, unet, {precision}, {name}", speed, "Mvoxel/CPU-s", "1.69")
            for name, speed in zip(names, _speeds(passes, repeats), strict=True)
        ),
    ]


def _half_unets(compute: Compute, repeats: int) -> list[Figure]:
    """Networks that answer for every second voxel, as `icelens pick train` steps them."""
    torch.manual_seed(0)
    networks = [
        _channels_last(build_network(settings, NUM_CLASSES)) for settings in HALF_UNETS.values()
    ]
    steps = [_centre_step(network, compute) for network in networks]
    passes = [_prediction(network, compute) for network in networks]
    seconds, speeds = _best_in_turn(steps, repeats), _speeds(passes, repeats)
    precision, figures = compute.precision, []
    for name, step, speed in zip(HALF_UNETS, seconds, speeds, strict=True):
        figures += [
            Figure(f"{WHAT}, {name}, {precision}", step, "CPU-s", REFERENCE, REACH[precision]),
            Figure(f"forward pass, {name}, {precision}", speed, "Mvoxel/CPU-s", "1.69"),
        ]
    return figures


def _speeds(passes: list[Callable[[], object]], repeats: int) -> list[float]:
    """Voxels of the input, in millions, for each CPU-second."""
    return [BOX_SIZE**3 / 1e6 / seconds for seconds in _best_in_turn(passes, repeats)]


def _step(network: nn.Module, compute: Compute) -> Callable[[], object]:
    """Forward, Tversky loss, backward, AdamW."""
    image, labels = _crop()
    side = labels.shape[1] // getattr(network, "stride", 1)
    target = VoxelTarget(labels).resized((side,) * 3)
    loss = build_loss({"name": "tversky"})
    return _stepping(network, compute, image, lambda logits: loss(logits, target))


def _centre_step(network: nn.Module, compute: Compute) -> Callable[[], object]:
    """Forward, weighted cross-entropy to maps of centres, backward, AdamW."""
    image, _ = _crop()
    side = BOX_SIZE // 2
    rng = np.random.default_rng(1)
    maps = centre_maps(
        (side, side, side),
        rng.uniform(0, side, (20, 3)),
        rng.integers(0, NUM_CLASSES - 1, 20),
        np.full(20, 0.6),
        NUM_CLASSES - 1,
    )
    batch = PickBatch(image, torch.from_numpy(maps)[None], None)
    loss = CentreLoss(256.0, (False,) * (NUM_CLASSES - 1))
    return _stepping(network, compute, image, lambda logits: loss([logits], batch))


def _stepping(
    network: nn.Module,
    compute: Compute,
    image: Tensor,
    loss: Callable[[Tensor], Tensor],
) -> Callable[[], object]:
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)

    def step() -> None:
        optimiser.zero_grad()
        with autocast(compute):
            logits = network(image)
        loss(logits).backward()
        optimiser.step()

    return step


def _prediction(network: nn.Module, compute: Compute) -> Callable[[], object]:
    image, _ = _crop()

    def predict() -> None:
        with torch.inference_mode(), autocast(compute):
            network(image)

    return predict


def _crop() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    shape = (1, BOX_SIZE, BOX_SIZE, BOX_SIZE)
    labels = torch.randint(0, NUM_CLASSES, shape, generator=generator, dtype=torch.uint8)
    return torch.randn(1, *shape, generator=generator), labels


def _channels_last(network: nn.Module) -> nn.Module:
    """Lay out kernels as the training loop does."""
    for weight in network.parameters():
        if weight.ndim == 5:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last_3d)
    return network


def _best_in_turn(works: list[Callable[[], object]], repeats: int) -> list[float]:
    """Least CPU time of each, taken in turn so that a busy spell slows all of them alike."""
    for work in works:
        work()
    spent: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for work, times in zip(works, spent, strict=True):
            started = time.process_time()
            work()
            times.append(time.process_time() - started)
    return [min(times) for times in spent]
