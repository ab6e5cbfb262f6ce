"""What training and segmenting will cost, said before they start. Imports no torch."""

import math
import os
from pathlib import Path

from icelens.core.errors import IcelensError
from icelens.core.io.copick.project import Project, open_project
from icelens.jobs.job import Estimate
from icelens.tasks.pick.train_settings import SegmentConfig, TrainConfig

SECONDS_PER_VOXEL = {"half-unet": 0.5e-6}
"""Of a training step, float32, one core of 2.5 GHz with AVX-512; a forward pass takes a third."""
_OTHER_SECONDS_PER_VOXEL = 1.9e-6
STEPS_PER_PICK, FEWEST_STEPS, MOST_STEPS = 10, 800, 20_000
_BYTES_PER_VOXEL = 450.0
_NOTE = "Time is for this machine's CPU cores; a GPU is 10 to 100 times faster."


def estimate_train(config: TrainConfig) -> Estimate:
    """Time by counting steps; memory by the tomograms, which are held in half precision."""
    voxels = math.prod(config.crop_size) * config.batch_size
    rate = SECONDS_PER_VOXEL.get(config.network, _OTHER_SECONDS_PER_VOXEL)
    named = {
        name.rpartition("/")[2]  # several projects tell their runs apart by a word before
        for name in (*config.train_runs, *config.validation_runs, *config.test_runs)
    }
    if not config.train_runs:  # all others are trained on
        named = set()
    projects = [open_project(path) for path in config.project if _opens(path)]
    size = sum(_voxels(each, named, config.voxel_size, config.tomogram_type) for each in projects)
    num_picks = sum(_picks(each, config) for each in projects)
    steps = config.steps or steps_for(num_picks)
    return Estimate(
        seconds=steps * voxels * rate / _cores(config.threads),
        memory_bytes=int(600e6 + voxels * _BYTES_PER_VOXEL + 2 * size),
        disk_bytes=60_000_000,
        notes=(f"{steps} steps of {config.batch_size} crop(s). {_NOTE}",),
    )


def estimate_segment(config: SegmentConfig) -> Estimate:
    """Time by counting voxels, views and models."""
    if not _opens(config.project):
        return Estimate()
    types = () if config.tomogram_type is None else (config.tomogram_type,)
    size = _voxels(open_project(config.project), set(config.runs), config.voxel_size, types)
    passes = config.views * (1 if config.soup else len(config.model))
    seconds = 1.8 * size * passes * SECONDS_PER_VOXEL["half-unet"] / 3 / _cores(config.threads)
    return Estimate(seconds, int(1.5e9), 2 * size, (f"For half-unet. {_NOTE}",))


def _voxels(
    project: Project, runs: set[str], pixel_size: float | None, types: tuple[str, ...]
) -> int:
    """Voxels of the chosen tomograms, of those that can be told."""
    total = 0
    for run in project.run_names():
        if runs and run not in runs:
            continue
        for tomogram_type in types or (None,):
            try:
                key = project.choose_tomogram(run, pixel_size, tomogram_type)
                total += math.prod(project.tomogram_shape(run, key))
            except IcelensError:
                continue
    return total


def steps_for(num_picks: int) -> int:
    """Optimiser steps that so many picks deserve: fewer learn too little, more learn by heart."""
    return min(max(STEPS_PER_PICK * num_picks, FEWEST_STEPS), MOST_STEPS)


def _picks(project: Project, config: TrainConfig) -> int:
    """Picks to learn from, of those that can be told."""
    runs = {name.rpartition("/")[2] for name in config.train_runs}
    total = 0
    for run in project.run_names():
        if runs and run not in runs:
            continue
        for key in project.picks(run):
            source = (key.source.user_id, key.source.session_id)
            is_wanted = config.truth is None or source == config.truth
            if is_wanted and (not config.objects or key.name in config.objects):
                total += len(project.read_picks(run, key))
    return total


def _opens(path: Path) -> bool:
    try:
        open_project(path)
    except IcelensError:
        return False
    return True


def _cores(threads: int) -> int:
    return threads or os.cpu_count() or 1
