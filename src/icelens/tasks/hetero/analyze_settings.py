"""Settings of `icelens hetero analyze`. Imports no torch."""

from typing import Annotated, ClassVar

from pydantic import Field

from icelens.jobs.config import EXPERT
from icelens.tasks.hetero.analysis_settings import StationsConfig


class AnalyzeConfig(StationsConfig):
    """Settings of `icelens hetero analyze`."""

    what: ClassVar[str] = "latent"

    clusters: int = Field(default=20, ge=1, le=10_000)
    """Groups of k-means; a volume is made at the particle nearest to the middle of each."""

    components: int = Field(default=2, ge=0, le=100)
    """Principal components that volumes are made along."""

    samples_per_component: int = Field(default=10, ge=2, le=1000)
    """Volumes along each, evenly from the 5th to the 95th percentile of the particles."""

    convergence: bool = False
    """Compare the epochs whose latents were kept, to see whether latents and volumes have come to
    rest."""

    umap: bool = True
    """Draw UMAP of latents of three or more dimensions, if umap-learn is installed."""

    mixtures: int = Field(default=10, ge=1, le=100, json_schema_extra=EXPERT)
    """Gaussians to try at most; the number is chosen by the Bayesian information criterion."""

    outlier_sigma: Annotated[float, Field(gt=0)] = Field(default=3.0, json_schema_extra=EXPERT)
    """Particles farther out than so many standard deviations are outliers; in any dimension 3
    leaves out 0.27 % of a Gaussian."""

    umap_neighbours: int = Field(default=15, ge=2, json_schema_extra=EXPERT)
    """Neighbours that UMAP keeps together."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Same seed, same clusters, same pictures."""
