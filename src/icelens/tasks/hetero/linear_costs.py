"""What `icelens hetero linear` will cost, said before it starts. Imports no torch."""

import math
import os

from icelens.jobs.job import Estimate
from icelens.tasks.hetero.costs import count_images
from icelens.tasks.hetero.linear_settings import LinearConfig

_ROUND = 1.2e-9
"""CPU-seconds of a sample and a number that is summed up for it; measured, as all here."""
_VOXEL = 5e-5
"""CPU-seconds of solving for a voxel of a component, all rounds together."""
_PREPARE = 1.1e-3
_USUAL = 5
"""Components that half sets agree on; the others are left out after the coarse stage."""


def estimate_linear(config: LinearConfig) -> Estimate:
    """Time and memory from the numbers that are summed up at each sample and grid point."""
    counted = count_images(config)
    if counted is None:
        return Estimate()
    images, box_size = counted
    side = config.box_size or box_size
    samples = math.pi * side**2 / 8
    kept = min(config.components, _USUAL) + 1
    width = 2 * kept + kept * (kept + 1) / 2
    coarse = (config.components + 1) * (config.components + 6) / 2
    seconds = images * _PREPARE * (box_size / 48) ** 2
    seconds += images * _ROUND * 8 * (12 * 100 * coarse + 8 * samples * width)
    seconds += _VOXEL * side**3 * kept
    points = 4 * side**3
    return Estimate(
        seconds=seconds / (config.threads or os.cpu_count() or 1),
        memory_bytes=int(6e8 + 4 * points * width * 3 + min(12 * samples * images, 1 << 30)),
        disk_bytes=int(4 * samples * images + 4 * side**3 * (4 * kept + 6)),
        notes=(
            f"{images} images, up to {config.components} components. Time is for this machine's "
            "CPU cores.",
        ),
    )
