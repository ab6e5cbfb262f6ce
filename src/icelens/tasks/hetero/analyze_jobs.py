"""Declaration of `icelens hetero analyze`. Imports no torch."""

from pathlib import Path
from typing import Any

from icelens.jobs.job import Estimate, Job, job
from icelens.jobs.run import Run
from icelens.tasks.hetero.analyze_settings import AnalyzeConfig
from icelens.tasks.hetero.costs import SECONDS_PER_VOXEL

_SECONDS_PER_PARTICLE = 1.5e-4
"""Of the latents' analysis without UMAP, in 8 dimensions on one core."""
_SECONDS_PER_EMBEDDED = 5e-4
_BYTES_PER_PARTICLE = 3000


def estimate_analyze(config: AnalyzeConfig) -> Estimate:
    """Time from the number of particles and the size of the volumes."""
    from icelens.core.latents.embedding import MOST_EMBEDDED
    from icelens.tasks.hetero.hetero_run import open_hetero_run

    run = open_hetero_run(config.run)
    particles = len(run.latents(config.epoch)) if run.latent_dim else 0
    seconds = 5 + _SECONDS_PER_PARTICLE * particles
    if config.umap and run.latent_dim > 2:
        seconds += _SECONDS_PER_EMBEDDED * min(particles, MOST_EMBEDDED)
    voxels = 0
    if config.volumes:
        count = config.clusters + config.components * config.samples_per_component
        voxels = count * (config.box_size or run.box_size) ** 3
    return Estimate(
        seconds=seconds + SECONDS_PER_VOXEL * voxels,
        memory_bytes=600_000_000 + _BYTES_PER_PARTICLE * particles,
        disk_bytes=4 * voxels + 400 * particles,
        notes=("time is that of one core; --check-images adds that of reconstructing from images",),
    )


@job("hetero.analyze", estimate=estimate_analyze)
def analyze(config: AnalyzeConfig, run: Run) -> Path:
    """Look at the latents of a run: components, clusters, densities, outliers, and volumes.

    Writes table.csv, a line for each particle with its latent, principal components, clusters
    (numbered from 1), density and all that the particle file says in numbers; kmeans_centres.csv,
    pc_1.csv and so on with the support of each point, and volumes there. The report warns of
    latents that mirror defocus, view or optics group, and of states that one half set has alone.
    """
    from icelens.tasks.hetero.analyze_run import analyze_run

    return analyze_run(config, run)


JOBS: tuple[Job[Any, Any], ...] = (analyze,)
