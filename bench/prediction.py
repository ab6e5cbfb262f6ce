"""Voxels per CPU-second of prediction, and the peak memory of a whole one."""

import tempfile
from pathlib import Path

import numpy as np
import torch

from bench.boxes import make_physics
from bench.command import run_icelens
from bench.figure import Figure, cpu_seconds
from bench.volumes import describe_network, write_pair
from icelens.core.data.volume import Volume
from icelens.tasks.restore.crops import Standardised
from icelens.tasks.restore.network import build_network
from icelens.tasks.restore.predict import TilePlan, restore_volume
from icelens.tasks.restore.restorer import default_plan, prepare_network
from icelens.training.checkpoint import save_checkpoint
from icelens.training.device import Compute, choose_compute, keep_freed_memory

FULL_SHAPE = (200, 512, 512)
REFERENCE, REACH = "43,900 voxel/CPU-s", ">= 180,000"


def measure(*, quick: bool) -> list[Figure]:
    """Speed in one layer of tiles; the peak of the command on 512x512x200 unless `quick`."""
    compute = choose_compute("cpu", threads=1)
    torch.set_num_threads(1)
    keep_freed_memory(compute)
    speeds = [
        _speed("tiles of 64", TilePlan(64, 4, 4), (64, 104, 104), compute),
        _speed("default tiles", default_plan(64, compute, "unet-small"), (104, 200, 200), compute),
    ]
    return speeds if quick else [*speeds, *_peak("unet-small"), *_peak("unet-medium")]


def _speed(words: str, plan: TilePlan, shape: tuple[int, int, int], compute: Compute) -> Figure:
    """Voxels of one half per CPU-second, the overlap of tiles, filter and blending included."""
    network = prepare_network(build_network("unet-small"), compute)
    array = np.random.default_rng(1).standard_normal(shape, np.float32)
    halves = [Standardised(Volume(array, 10.0), 0.0, 1.0, -1.0)] * 2
    physics = make_physics(compute.device)

    def work() -> None:
        restore_volume(
            network,
            halves,
            plan=plan,
            tile_filter=lambda box: physics.before_network(box, apply_wedge=True),
            compute=compute,
            write=lambda start, slab: None,
            on_event=lambda event: None,
            stage="bench",
        )

    spent = cpu_seconds(work, repeats=1)
    what = f"prediction, unet-small, {words}, per half, {compute.precision}"
    return Figure(what, 2 * array.size / spent, "voxel/CPU-s", REFERENCE, REACH)


def _peak(network: str) -> list[Figure]:
    """Peak memory and speed of `icelens restore predict` on a pair of 512x512x200."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pair(folder, FULL_SHAPE)
        weights = build_network(network).state_dict()
        save_checkpoint(folder / "network.safetensors", weights, describe_network(network))
        used = run_icelens(
            "restore predict --star tomograms.star --checkpoint network.safetensors "
            "--output corrected --device cpu --threads 1",
            folder,
        )
    voxels = FULL_SHAPE[0] * FULL_SHAPE[1] * FULL_SHAPE[2]
    return [
        Figure(
            f"peak memory of predict, {network}, 512x512x200",
            used.peak_bytes / 1e9,
            "GB",
            "20+ GB for 1000x1000x300 (estimate)",
            "<= 3 GB",
        ),
        Figure(
            f"predict, {network}, 512x512x200, per half, all included",
            2 * voxels / used.cpu_seconds,
            "voxel/CPU-s",
            REFERENCE,
            REACH if network == "unet-small" else "",
        ),
    ]
