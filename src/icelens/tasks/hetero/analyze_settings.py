"""Settings of `icelens hetero analyze`. Imports no torch."""

from typing import Annotated, ClassVar

from pydantic import Field

from icelens.jobs.config import EXPERT, PositiveAngstrom
from icelens.tasks.hetero.analysis_settings import RunAnalysisConfig


class AnalyzeConfig(RunAnalysisConfig):
    """Settings of `icelens hetero analyze`."""

    what: ClassVar[str] = "latent"

    clusters: int = Field(default=20, ge=1, le=10_000)
    """Groups of k-means; a volume is made at the particle nearest to the middle of each."""

    components: int = Field(default=2, ge=0, le=100)
    """Principal components that volumes are made along."""

    samples_per_component: int = Field(default=10, ge=2, le=1000)
    """Volumes along each, evenly from the 5th to the 95th percentile of the particles."""

    volumes: bool = True
    """Make volumes; tables and pictures of latents come without them, too."""

    convergence: bool = False
    """Compare the epochs whose latents were kept, to see whether latents and volumes have come to
    rest."""

    umap: bool = True
    """Draw UMAP of latents of three or more dimensions, if umap-learn is installed."""

    box_size: int | None = Field(default=None, ge=8)
    """Side of coarser volumes of the same width, in pixels; faster to make and to look at."""

    low_pass: PositiveAngstrom | None = None
    """Take out what is finer than this in the volumes."""

    check_images: bool = True
    """Compare each volume with a map of the images that lie nearest."""

    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """Where to make volumes: auto, cpu, cuda, cuda:N or mps."""

    mixtures: int = Field(default=10, ge=1, le=100, json_schema_extra=EXPERT)
    """Gaussians to try at most; the number is chosen by the Bayesian information criterion."""

    outlier_sigma: Annotated[float, Field(gt=0)] = Field(default=3.0, json_schema_extra=EXPERT)
    """Particles farther out than so many standard deviations are outliers; in any dimension 3
    leaves out 0.27 % of a Gaussian."""

    umap_neighbours: int = Field(default=15, ge=2, json_schema_extra=EXPERT)
    """Neighbours that UMAP keeps together."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Same seed, same clusters, same pictures."""

    threads: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """CPU threads for volumes; 0 takes as many as there are cores."""
