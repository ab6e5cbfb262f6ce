"""What jobs of hetero will cost, said before they start. Imports no torch."""

import math
import os

from icelens.core.errors import IcelensError
from icelens.jobs.job import Estimate
from icelens.tasks.hetero.image_settings import ImagesConfig
from icelens.tasks.hetero.train_settings import TrainConfig

_OPERATIONS_PER_SECOND = 9e10
"""Of one CPU core with bfloat16 units, in training; measured."""
_PREPARE = 1.1e-3
"""CPU-seconds of reading and storing an image of 48 px."""
SECONDS_PER_VOXEL = 4e-6
"""Of a volume decoded on one core by a network of usual width; linear models are faster."""
_NOTE = "Time is for this machine's CPU cores; a GPU is many times faster."


def estimate_train(config: TrainConfig) -> Estimate:
    """Time from the operations of the decoder, disk from the cache of images."""
    counted = count_images(config)
    if counted is None:
        return Estimate()
    images, box_size = counted
    side = config.box_size or box_size
    samples = math.pi * side**2 / 8
    inputs = 3 * side + config.latent_dim
    weights = config.width * (inputs + config.num_layers * config.width + 2)
    learn = 6 * samples * weights * config.sample_share / _OPERATIONS_PER_SECOND
    prepare = _PREPARE * (box_size / 48) ** 2
    seconds = images * (config.epochs * learn + prepare)
    return Estimate(
        seconds=seconds / (config.threads or os.cpu_count() or 1),
        memory_bytes=int(8e8 + 24 * config.batch_size * samples * config.width + 200 * side**3),
        disk_bytes=int(4 * samples * images + 40 * side**3),
        notes=(f"{images} images, {config.epochs} epochs. {_NOTE}",),
    )


def count_images(config: ImagesConfig) -> tuple[int, int] | None:
    """Images and their largest box; None for files that cannot be read, which the job will say."""
    from icelens.core.io.particle_files import read_particles

    try:
        particles = read_particles(
            config.particles,
            stack_root=config.stack_root,
            tomograms=config.tomograms,
            skip_missing=config.skip_missing,
        ).particles
    except IcelensError:
        return None
    return (len(particles), int(particles.box_size().max())) if len(particles) else None
