"""What training, inference and refinement will cost, said before they start. Imports no torch."""

import os
from pathlib import Path

from icelens.core.errors import IcelensError
from icelens.jobs.job import Estimate
from icelens.tasks.pose.infer_settings import InferConfig
from icelens.tasks.pose.refine_settings import RefineConfig
from icelens.tasks.pose.train_settings import TrainConfig

_LEARN = {"polar": 14e-3, "unet": 30e-3, "resnet": 40e-3, "convmixer": 90e-3}
"""CPU-seconds of one image of 64 px in training, bfloat16; measured on one core, as all here."""
_OTHER = 40e-3
_ANSWER = 0.35
"""Of the time that the same image takes in training."""
_REFINE, _READ, _INSERT = 8e-3, 1.5e-3, 2e-4
"""CPU-seconds of an image of 64 px; refinement within 9 degrees, from three poses."""
_CLIMB = 5e-3
"""The same within 6 degrees from one pose, up to shell 32; the finest samples cost most of it."""
_BYTES_OF_VOXEL = 8.0
"""Of a transform in single precision."""
_FULL_BOX = 64.0
_NOTE = "Time is for this machine's CPU cores; a GPU is many times faster."


def estimate_train(config: TrainConfig) -> Estimate:
    """Time by counting images, memory by the images held in half precision."""
    counted = _count(config.particles, config.stack_root)
    if counted is None:
        return Estimate()
    images, box_size = counted
    scale = (config.box_size / _FULL_BOX) ** 2
    epochs = config.epochs + (config.simulated_epochs if config.simulate_from else 0)
    learn = _LEARN.get(config.encoder, _OTHER) * scale
    seconds = images * (epochs * learn * (1.0 - config.validation) + _read(box_size))
    held = 4 * config.box_size**2 * images / (2 if config.halves else 1)
    return Estimate(
        seconds=seconds / _cores(config.threads),
        memory_bytes=int(1.2e9 + held + 40 * box_size**3 * 8),
        disk_bytes=int(60e6 + 2 * 4 * box_size**3),
        notes=(f"{images} images, {epochs} epochs. {_NOTE}",),
    )


def estimate_infer(config: InferConfig) -> Estimate:
    """Time by counting images; memory by the sums and the reference's tables."""
    counted = _count(config.particles, config.stack_root)
    if counted is None:
        return Estimate()
    images, box_size = min(counted[0], config.first or counted[0]), counted[1]
    area = (box_size / _FULL_BOX) ** 2
    each = _ANSWER * _LEARN["polar"] + _read(box_size)
    each += (_REFINE * area if config.refine else 0.0) + (
        _INSERT * area if config.reconstruct else 0.0
    )
    return Estimate(
        seconds=images * each / _cores(config.threads),
        memory_bytes=int(1e9 + config.workers * (16 + 64) * 8 * box_size**3 / 2),
        disk_bytes=int(600 * images + 3 * 4 * box_size**3 + 2 * 64 * box_size**3),
        notes=(f"{images} images. {_NOTE}",),
    )


def estimate_refine(config: RefineConfig) -> Estimate:
    """Time from the number of particles and samples, memory from the padded transform."""
    from icelens.core.io.particle_files import read_particles

    try:
        particles = read_particles(
            config.particles,
            stack_root=config.stack_root,
            tomograms=config.tomograms,
            skip_missing=config.skip_missing,
            pixel_size=config.pixel_size,
        ).particles
    except IcelensError:
        return Estimate()
    if not len(particles):
        return Estimate()
    box_size = int(particles.box_size().max())
    pixel_size = float(particles.pixel_size().min())
    finest = max(config.max_resolution or 0.0, 2.0 * pixel_size)
    radius = box_size * pixel_size / finest
    seconds = _CLIMB * len(particles) * (radius / 32.0) ** 2 * config.iterations
    table = _BYTES_OF_VOXEL * (4.0 * radius) ** 3
    return Estimate(
        seconds=seconds,
        memory_bytes=int(4e8 + 3.0 * table * (2 if config.halves else 1)),
        disk_bytes=500 * len(particles) + (3 * 4 * box_size**3 if config.halves else 0),
        notes=("Time is for one CPU core.",),
    )


def _read(box_size: int) -> float:
    return _READ * (box_size / _FULL_BOX) ** 2


def _count(paths: tuple[Path, ...], stack_root: Path | None) -> tuple[int, int] | None:
    """Images and the largest box; None for files that cannot be read, which the job will say."""
    from icelens.core.io.particle_files import read_particles

    try:
        particles = read_particles(paths, stack_root=stack_root).particles
    except IcelensError:
        return None
    return (len(particles), int(particles.box_size().max())) if len(particles) else None


def _cores(threads: int) -> int:
    return threads or os.cpu_count() or 1
