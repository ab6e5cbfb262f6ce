"""Wall time to segment a large tomogram on a CUDA device, four views as by default."""

import tempfile
import time
from pathlib import Path

import torch

from bench.figure import Figure
from bench.pick_network import HALF_UNETS
from bench.pick_volumes import FULL_SHAPE, OBJECTS, PIXEL_SIZE, QUICK_SHAPE, noise, write_model
from icelens.core.data.volume import Volume
from icelens.tasks.pick.class_maps import WindowPlan, class_maps
from icelens.tasks.pick.model import read_model
from icelens.tasks.pick.network import build_network
from icelens.training.device import choose_compute, fast_convolutions

NUM_VIEWS = 4


def segmentation(*, quick: bool) -> list[Figure]:
    """Standardising on the CPU and the copy of the answer included; the second of two runs."""
    shape = QUICK_SHAPE if quick else FULL_SHAPE
    size = "x".join(str(side) for side in shape)
    compute = choose_compute("cuda")
    volume, figures = Volume(noise(shape), PIXEL_SIZE), []
    for name, settings in HALF_UNETS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            write_model(path, build_network(settings, len(OBJECTS) + 1))
            models = [read_model(path)]
        torch.cuda.reset_peak_memory_stats()
        seconds = 0.0
        with fast_convolutions(compute):
            for _ in range(2):
                started = time.perf_counter()
                class_maps(
                    models, volume, compute, name="noise", num_views=NUM_VIEWS, plan=WindowPlan()
                )
                seconds = time.perf_counter() - started
        what = f"segmentation, {name}, {NUM_VIEWS} views, {size}, {compute.precision}"
        peak = torch.cuda.max_memory_allocated() / 1e9
        figures += [
            Figure(what, seconds, "s", "", "" if quick else "<= 10 s"),
            Figure(f"{what}, peak", peak, "GB"),
        ]
    return figures
