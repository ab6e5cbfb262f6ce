"""Declaration of `icelens hetero evaluate`. Imports no torch."""

from pathlib import Path
from typing import Any

from pydantic import Field

from icelens.jobs.config import EXPERT, PositiveAngstrom
from icelens.jobs.job import Estimate, Job, job
from icelens.jobs.run import Run
from icelens.tasks.hetero.analysis_settings import OfRunConfig
from icelens.tasks.hetero.costs import SECONDS_PER_VOXEL

_SECONDS_PER_PIXEL = 1e-7
"""Of an image that is read, prepared, encoded and compared, on one core."""


class EvaluateConfig(OfRunConfig):
    """Settings of `icelens hetero evaluate`."""

    run: Path
    """Folder of a run of hetero whose model finds latents of images: a VAE or a linear model."""

    particles: tuple[Path, ...] = Field(min_length=1)
    """Other particle images with poses: STAR or .cs files, joined if several."""

    output: Path = Path("scores")
    """Folder for latents.csv, scores.csv and the report."""

    volumes: int = Field(default=500, ge=1)
    """Volumes that images are compared with; if there are more particles, those of similar latents
    share one."""

    training_sample: int = Field(default=1000, ge=0)
    """Particles of the run, drawn at random, that scores are compared with; 0 compares with
    none."""

    pixel_size: PositiveAngstrom | None = Field(default=None, json_schema_extra=EXPERT)
    """Sampling of the images, whatever their file says."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the image stacks, if they are not where the file says."""

    tomograms: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """STAR file of the tomograms of 2D tilt stacks, unless an optimisation set names it."""

    skip_missing: bool = Field(default=False, json_schema_extra=EXPERT)
    """Leave out images whose stack is missing instead of stopping."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Same seed, same sample and same states."""


def estimate_evaluate(config: EvaluateConfig) -> Estimate:
    """Time and disk from the number of images and volumes."""
    from icelens.core.io.particle_files import read_particles
    from icelens.tasks.hetero.hetero_run import open_hetero_run

    run = open_hetero_run(config.run)
    particles = read_particles(
        list(config.particles), stack_root=config.stack_root, tomograms=config.tomograms
    ).particles
    images = len(particles) + config.training_sample
    return Estimate(
        seconds=SECONDS_PER_VOXEL * min(config.volumes, images) * run.box_size**3
        + _SECONDS_PER_PIXEL * images * run.box_size**2,
        memory_bytes=500_000_000 + 500 * images,
        disk_bytes=2 * len(particles) * run.box_size**2 + 200 * images,
        notes=("time is that of one CPU core for decoding by a network",),
    )


@job("hetero.evaluate", estimate=estimate_evaluate)
def evaluate(config: EvaluateConfig, run: Run) -> Path:
    """Find the latents of other particles, and how well the model explains each of their images.

    scores.csv has a line for each image: latent and its deviation, loss per sample in units of the
    noise, log-likelihood, explained share, and how the loss lies among those of the particles the
    model was trained on. A warning says if the others are explained worse as a whole.
    """
    from icelens.tasks.hetero.evaluate import evaluate_particles

    return evaluate_particles(config, run)


JOBS: tuple[Job[Any, Any], ...] = (evaluate,)
