"""Voxels per CPU-second of segmentation, and peak memory and time of the whole command."""

import shlex
import tempfile
from pathlib import Path

import torch

from bench.command import run_icelens
from bench.figure import Figure, cpu_seconds
from bench.pick_volumes import (
    FULL_SHAPE,
    HALF_UNET,
    OBJECTS,
    PIXEL_SIZE,
    QUICK_SHAPE,
    noise,
    write_model,
    write_project,
)
from icelens.core.data.volume import Volume
from icelens.tasks.pick.class_maps import WindowPlan, class_maps
from icelens.tasks.pick.model import read_model
from icelens.tasks.pick.network import build_network
from icelens.training.device import choose_compute, keep_freed_memory

PRECISIONS = ("float32", "bfloat16")
REFERENCE, REACH = "216 kvoxel/CPU-s", ">= 600"


def measure(*, quick: bool) -> list[Figure]:
    """Half-unet 32,64,96,96, one view, default windows; weights are random, which costs the same.

    Without `quick` the whole command, too: it also reads, draws labels and writes.
    """
    torch.set_num_threads(1)
    shape = QUICK_SHAPE if quick else FULL_SHAPE
    size = "x".join(str(side) for side in shape)
    figures = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.manual_seed(0)
        write_model(
            folder / "model.safetensors", build_network(HALF_UNET, num_classes=len(OBJECTS) + 1)
        )
        for precision in PRECISIONS:
            speed = _speed(folder / "model.safetensors", shape, precision)
            what = f"segmentation, half-unet 32,64,96,96, one view, {size}, {precision}"
            figures.append(Figure(what, speed / 1e3, "kvoxel/CPU-s", REFERENCE, REACH))
        if not quick:
            project = write_project(folder, shape)
            for precision in PRECISIONS:
                figures += _command(project, folder, precision)
    return figures


def _speed(model: Path, shape: tuple[int, int, int], precision: str) -> float:
    """Voxels of the tomogram per CPU-second, standardising, overlap and blending included."""
    compute = choose_compute("cpu", precision, 1)
    keep_freed_memory(compute)
    models, volume = [read_model(model)], Volume(noise(shape), PIXEL_SIZE)

    def work() -> None:
        class_maps(models, volume, compute, name="noise", num_views=1, plan=WindowPlan())

    return volume.array.size / cpu_seconds(work, repeats=1)


def _command(project: Path, folder: Path, precision: str) -> list[Figure]:
    """Peak memory and CPU time of `icelens pick segment`, start and report included."""
    used = run_icelens(
        f"pick segment --project {shlex.quote(str(project))} --model model.safetensors --views 1 "
        f"--output segment_{precision} --device cpu --threads 1 --precision {precision}",
        folder,
    )
    size = "x".join(str(side) for side in FULL_SHAPE)
    what = f"pick segment --views 1, half-unet 32,64,96,96, {size}, {precision}"
    return [
        Figure(f"{what}, peak memory", used.peak_bytes / 1e9, "GB", "whole logits", "<= 3 GB"),
        Figure(f"{what}, CPU", used.cpu_seconds, "CPU-s"),
    ]
