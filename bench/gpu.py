"""On a CUDA device: steps of restore and hetero, segmentation of pick, inference of pose."""

import time
from collections.abc import Callable

import torch
from torch.profiler import ProfilerActivity, profile

from bench.boxes import make_batch, make_physics
from bench.command import CommandError
from bench.figure import Figure
from bench.hetero_gpu import epochs
from bench.pick_gpu import segmentation
from bench.pose_gpu import inference
from bench.steps import objective_of
from icelens.tasks.restore.network import build_network
from icelens.training.contract import FitSettings
from icelens.training.device import choose_compute, fast_convolutions
from icelens.training.learner import Learner

BOX_SIZE, BATCH_SIZE, NUM_CROPS = 96, 4, 3000 * 50


def measure(*, quick: bool) -> list[Figure]:
    """Wall time per step, the share of it in which kernels run, and of a segmented tomogram.

    Raises:
        CommandError: If no CUDA device is there.
    """
    if not torch.cuda.is_available():
        raise CommandError("no CUDA device is visible; the GPU rows stay as they are")
    compute = choose_compute("cuda")
    settings = FitSettings(num_steps=1000, batch_size=BATCH_SIZE)
    learner = Learner(build_network("unet-medium"), settings, compute=compute, seed=1)
    objective = objective_of("refine", make_physics(compute.device))
    batch = make_batch(BOX_SIZE, BATCH_SIZE).to(compute.device)
    num_steps = 10 if quick else 50

    def steps(count: int) -> float:
        torch.cuda.synchronize()
        started = time.perf_counter()
        for step in range(count):
            learner.advance(step, 1e-4, objective, lambda step, items: batch)
        torch.cuda.synchronize()
        return time.perf_counter() - started

    with fast_convolutions(compute):
        steps(5)
        seconds = steps(num_steps) / num_steps
        busy = _busy_share(lambda: steps(5))
    hours = seconds * NUM_CROPS / BATCH_SIZE / 3600
    title = f"refine step, unet-medium, box {BOX_SIZE}, batch {BATCH_SIZE}, {compute.precision}"
    peak = torch.cuda.max_memory_allocated() / 1e9
    return [
        Figure(title, seconds, "s"),
        Figure("3000 crops x 50 epochs at that rate", 60 * hours, "min", "", "<= 60 min"),
        Figure("share of time with kernels running", 100 * busy, "%", "", ">= 90 %"),
        Figure(f"{title}, peak", peak, "GB"),
        *segmentation(quick=quick),
        *inference(quick=quick),
        *epochs(quick=quick),
    ]


def _busy_share(work: Callable[[], float]) -> float:
    """Time in kernels over wall time; kernels of one stream do not overlap."""
    with profile(activities=[ProfilerActivity.CUDA]) as recorded:
        wall = work()
    kernels = sum(event.self_device_time_total for event in recorded.key_averages())
    return kernels * 1e-6 / wall
