"""What training and prediction will cost, said before they start. Imports no torch."""

import math
import os

from icelens.core.data.tomograms import TomogramRow
from icelens.core.io.tomogram_star import read_tomograms
from icelens.core.io.volumes import read_header
from icelens.jobs.job import Estimate
from icelens.tasks.restore.settings import PredictConfig, RefineConfig, TrainConfig

SUBTOMOGRAMS_PER_EPOCH = 3000
"""Shared among the tomograms unless the user or the list says how many boxes each gives."""
SECONDS_PER_VOXEL = 3.0e-6
"""One forward pass of unet-small in float32 on one CPU core (2.5 GHz, AVX-512)."""
RELATIVE_COST = {"unet-small": 1.0, "unet-medium": 4.0, "unet-large": 15.0}
"""GFLOP of a pass relative to unet-small; other networks are taken as unet-medium."""
BYTES_PER_VOXEL = 1600.0
"""Activations kept for the backward pass of unet-small."""
TILE_REDUNDANCY = 1.35
"""Voxels computed over voxels kept with the default tiles."""
NOTE = "Time is for this machine's CPU cores; a GPU is 10 to 100 times faster."


def estimate_train(config: TrainConfig) -> Estimate:
    """Time by counting passes, memory by counting activations."""
    rows = list(read_tomograms(config.star).select(config.tomograms))
    boxes = sum(boxes_per_epoch(row, config, len(rows)) for row in rows) * config.epochs
    fills_wedge = isinstance(config, RefineConfig)
    paired = all(row.even is not None and row.odd is not None for row in rows)
    halves = 2 if paired else 1
    # a backward pass costs two forward ones; filling the wedge takes one more by the teacher
    passes = halves * (3 + (1 if fills_wedge else 0))
    relative = RELATIVE_COST.get(config.network, 4.0)
    voxels = config.box_size**3
    seconds = boxes * passes * voxels * SECONDS_PER_VOXEL * relative / _cores(config.threads)
    memory = config.batch_size * halves * voxels * BYTES_PER_VOXEL * relative**0.5
    note = f"{boxes} boxes of {config.box_size} voxels in {config.epochs} epochs. {NOTE}"
    return Estimate(seconds, int(memory) + 10**9, int(4 * 8.4e6 * relative * 6), (note,))


def estimate_predict(config: PredictConfig) -> Estimate:
    """Time by counting voxels; memory is bounded by the tile, not by the tomogram."""
    rows = list(read_tomograms(config.star).select(config.tomograms))
    voxels = passed = 0
    for row in rows:
        path = row.even or row.deconvolved or row.full
        if path is not None and path.exists():
            size = math.prod(read_header(path).shape)
            voxels += size
            # both halves of a refined network pass as one mean; a denoiser's pass one by one
            passed += size * (2 if row.even is not None and config.halves == "apart" else 1)
    seconds = passed * TILE_REDUNDANCY * config.turned_copies * SECONDS_PER_VOXEL
    return Estimate(
        seconds / _cores(config.threads),
        int(1.5e9),
        4 * voxels,
        (f"For unet-small; unet-medium takes 4 times, unet-large 15 times as long. {NOTE}",),
    )


def boxes_per_epoch(row: TomogramRow, config: TrainConfig, num_rows: int) -> int:
    """How many boxes a tomogram gives: as asked for, else as listed, else its share."""
    share = max(1, SUBTOMOGRAMS_PER_EPOCH // num_rows)
    return config.subtomograms or row.num_subtomograms or share


def _cores(threads: int) -> int:
    return threads or os.cpu_count() or 1
