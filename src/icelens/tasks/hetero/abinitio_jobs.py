"""Declaration of `icelens hetero abinitio`. Imports no torch."""

import os
from pathlib import Path
from typing import Any

from icelens.jobs.job import Estimate, Job, job
from icelens.jobs.run import Run
from icelens.tasks.hetero.abinitio_settings import AbinitioConfig
from icelens.tasks.hetero.costs import count_images

_STEP, _PASS = 1.4e-3, 4.5e-3
"""CPU-seconds of a particle in a step and in a pass, one core; both look at 20 shells at most."""
_REFINE = 12e-3
"""The same of a round of refinement, for an image of 64 px."""
_SAMPLE = 1000


def estimate_abinitio(config: AbinitioConfig) -> Estimate:
    """Time by counting particles; the starts look at batches, whatever their number."""
    counted = count_images(config)
    if counted is None:
        return Estimate()
    count, own_box = counted
    box_size = config.box_size or own_box
    starts = config.starts * (
        config.iterations * min(config.batch_size, count) * _STEP + min(count, _SAMPLE) * _PASS
    )
    refine = _REFINE * (own_box / 64.0) ** 2 * config.rounds
    seconds = starts + count * (config.passes * _PASS + refine)
    return Estimate(
        seconds=seconds / (config.threads or os.cpu_count() or 1),
        memory_bytes=int(6e8 + 40 * 8 * box_size**3),
        disk_bytes=int(count * box_size**2 * 2 + 3 * 4 * box_size**3),
        notes=(f"{count} images, {config.starts} starts; time is for this machine's CPU cores.",),
    )


@job(
    "hetero.abinitio",
    cites=("punjani2017cryosparc", "scheres2012bayesian", "gorski2005healpix"),
    estimate=estimate_abinitio,
    resumable=True,
)
def abinitio(config: AbinitioConfig, run: Run) -> Path:
    """Find structures without known poses; those of the particle file are not looked at.

    Several starts from random poses go from coarse to fine detail on batches of particles. The
    likeliest is compared with all particles on all rotations, then refined in two half sets. Writes
    particles.star with the poses, map.mrc and half maps, and with --latent-dim a linear model with
    latents.csv, which every analysis of hetero reads. Images of single particles do not tell the
    hand: the map may be the mirror image of the truth.
    """
    from icelens.tasks.hetero.abinitio.find_structure import find_structure

    return find_structure(config, run)


JOBS: tuple[Job[Any, Any], ...] = (abinitio,)
