"""Declaration of `icelens hetero landscape`. Imports no torch."""

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, Angstrom
from icelens.jobs.job import Estimate, Job, job
from icelens.jobs.run import Run
from icelens.tasks.hetero.analysis_settings import RunAnalysisConfig
from icelens.tasks.hetero.costs import SECONDS_PER_VOXEL


class LandscapeConfig(RunAnalysisConfig):
    """Settings of `icelens hetero landscape`."""

    what: ClassVar[str] = "landscape"

    volumes: int = Field(default=500, ge=2)
    """Volumes that stand for all particles: at the centres of k-means of the latents."""

    box_size: int = Field(default=64, ge=8)
    """Side of the volumes in pixels, coarser than the model's; at most that."""

    mask: Path | None = None
    """Mask from 0 to 1 within which volumes are compared, on any grid; without it, what any of the
    volumes fills, 5 Å wider."""

    components: int = Field(default=20, ge=1)
    """Principal components of the volumes, at most."""

    clusters: int = Field(default=10, ge=1)
    """States that volumes are joined to."""

    linkage: Literal["average", "complete", "single", "ward"] = "average"
    """What joins states: mean, largest or smallest distance of their volumes, or Ward's sums."""

    mapped: int = Field(default=5000, ge=0)
    """Particles, drawn at random, whose own volumes are made too, to learn how latents give
    components; 0 learns from the volumes of the sketch alone."""

    traversals: int = Field(default=5, ge=0)
    """Components along which volumes are written."""

    frames: int = Field(default=10, ge=2, json_schema_extra=EXPERT)
    """Volumes along each component, from the 5th to the 95th percentile of the particles."""

    mask_level: float | None = Field(default=None, json_schema_extra=EXPERT)
    """Grey value above which the mask's voxels lie; without it, half of the 99.99 percentile."""

    mask_dilation: Angstrom = Field(default=5.0, ge=0, json_schema_extra=EXPERT)
    """How much wider than these voxels the mask is."""

    mask_edge: Angstrom = Field(default=0.0, ge=0, json_schema_extra=EXPERT)
    """Width of the mask's soft edge beyond that."""

    neighbours: int = Field(default=15, ge=2, json_schema_extra=EXPERT)
    """Nearest neighbours that volumes are linked to when communities are looked for."""

    resolution: float = Field(default=1.0, gt=0, json_schema_extra=EXPERT)
    """More makes more and smaller communities; 1 is plain modularity."""

    bins: int = Field(default=40, ge=5, le=500, json_schema_extra=EXPERT)
    """Bins of the free energy along each component."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Same seed, same result."""


def estimate_landscape(config: LandscapeConfig) -> Estimate:
    """Time, memory and disk from the number and size of the volumes."""
    from icelens.tasks.hetero.hetero_run import open_hetero_run

    run = open_hetero_run(config.run)
    particles = len(run.latents(config.epoch))
    sketched, mapped = min(config.volumes, particles), min(config.mapped, particles)
    voxels = min(config.box_size, run.box_size) ** 3
    return Estimate(
        seconds=SECONDS_PER_VOXEL * voxels * (sketched + mapped),
        memory_bytes=500_000_000 + 8 * sketched**2 + 200 * particles,
        disk_bytes=4 * voxels * (sketched + 2 * config.clusters + 60),
        notes=("time is that of one CPU core for decoding by a network",),
    )


@job(
    "hetero.landscape",
    cites=("traag2019leiden",),
    estimate=estimate_landscape,
)
def landscape(config: LandscapeConfig, run: Run) -> Path:
    """Compare volumes, not latents: components, states, communities and free energy of a run.

    A sketch of the latents is decoded to volumes. Their principal components within a mask are
    what moves; volumes are joined to states by their distances; all particles are mapped to the
    components by a function learnt from volumes, whose held-out score is reported. A run that was
    stopped while it decoded goes on where it was when it is started again.
    """
    from icelens.tasks.hetero.landscape import make_landscape

    return make_landscape(config, run)


JOBS: tuple[Job[Any, Any], ...] = (landscape,)
