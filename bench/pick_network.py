"""CPU-seconds of a training step and of prediction with pick's U-Net, and with MONAI's module."""

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from bench.figure import Figure
from icelens.tasks.pick.losses import build_loss
from icelens.tasks.pick.network import build_network
from icelens.tasks.pick.voxel_target import VoxelTarget
from icelens.training.device import Compute, autocast, choose_compute, keep_freed_memory

BOX_SIZE = 96
NUM_CLASSES = 5
CHANNELS, STRIDES = (32, 64, 96, 96), (2, 2, 1)


def measure(*, quick: bool) -> list[Figure]:
    """Channels 32,64,96,96, strides 2,2,1, one residual unit, crop 96, batch 1, Tversky, AdamW."""
    from monai.networks.nets.unet import UNet

    torch.set_num_threads(1)
    compute = {name: choose_compute("cpu", name, 1) for name in ("float32", "bfloat16")}
    keep_freed_memory(compute["float32"])
    settings = {"channels": CHANNELS, "strides": STRIDES}
    torch.manual_seed(0)
    monai = UNet(3, 1, NUM_CLASSES, CHANNELS, STRIDES, num_res_units=1)
    full = _channels_last(build_network(settings, NUM_CLASSES))
    half = _channels_last(build_network(settings | {"output_stride": 2}, NUM_CLASSES))
    repeats = 2 if quick else 5
    what = f"pick training step, unet 32,64,96,96, crop {BOX_SIZE}, batch 1"
    figures = []
    for precision, chosen in compute.items():
        steps = [_step(network, chosen) for network in (monai, full, half)]
        plain, ours, halved = _best_in_turn(steps, repeats)
        reach = "<= 1.7" if precision == "float32" else "<= 0.9"
        figures += [
            Figure(f"{what}, {precision}", ours, "CPU-s", "1.92 CPU-s", reach),
            Figure(f"{what}, {precision}, MONAI's module", plain, "CPU-s", "1.92 CPU-s"),
            Figure(f"{what}, {precision}, ours / MONAI's", ours / plain, ""),
            Figure(f"{what}, {precision}, output at half resolution", halved, "CPU-s"),
        ]
        passes = [_prediction(network, chosen) for network in (monai, full, half)]
        speeds = [BOX_SIZE**3 / 1e6 / seconds for seconds in _best_in_turn(passes, repeats)]
        names = ("MONAI's module", "ours", "output at half resolution")
        figures += [
            Figure(f"forward pass, {precision}, {name}", speed, "Mvoxel/CPU-s", "1.69")
            for name, speed in zip(names, speeds, strict=True)
        ]
    return figures


def _step(network: nn.Module, compute: Compute) -> Callable[[], object]:
    """Forward, Tversky loss, backward, AdamW."""
    image, labels = _crop()
    side = labels.shape[1] // getattr(network, "stride", 1)
    target = VoxelTarget(labels).resized((side,) * 3)
    loss = build_loss({"name": "tversky"})
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)

    def step() -> None:
        optimiser.zero_grad()
        with autocast(compute):
            logits = network(image)
        loss(logits, target).backward()
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
