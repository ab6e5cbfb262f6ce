"""Seconds for an epoch of 100,000 particles of hetero on a CUDA device, by its training step."""

import time

import torch

from bench.figure import Figure
from bench.hetero_speed import training_step

_PARTICLES, _WIDTH, _BATCH = 100_000, 1024, 64
_REACH = {128: "<= 60", 256: "<= 240"}


def epochs(*, quick: bool) -> list[Figure]:
    """Wall time of steps of the 1024x3 network, all samples of an image, scaled to an epoch."""
    rows = []
    for box_size, reach in _REACH.items():
        step = training_step(box_size, _WIDTH, _BATCH, "bfloat16", "cuda")
        for _ in range(3):
            step()
        torch.cuda.synchronize()
        count = 5 if quick else 30
        started = time.perf_counter()
        for _ in range(count):
            step()
        torch.cuda.synchronize()
        seconds = (time.perf_counter() - started) / count
        epoch = seconds * _PARTICLES / _BATCH
        rows.append(
            Figure(
                f"hetero, box {box_size}, {_WIDTH} x 3, 100,000 particles", epoch, "s", "", reach
            )
        )
    return rows
