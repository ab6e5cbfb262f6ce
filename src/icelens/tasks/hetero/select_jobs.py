"""Declaration of `icelens hetero select`. Imports no torch."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, OUTPUT_FILE, Config
from icelens.jobs.job import Job, job
from icelens.jobs.run import Run


class SelectConfig(Config):
    """Settings of `icelens hetero select`."""

    run: Path
    """Folder of a run of hetero."""

    output: Path = Field(default=Path("selected.star"), json_schema_extra=OUTPUT_FILE)
    """Particles to write; .cs only if the run's particles came from .cs."""

    where: str | None = None
    """Condition on columns of the analysis or the particle file, such as
    "kmeans in (1,4) and norm < 3"."""

    clusters: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """Keep these clusters of k-means, numbered from 1 as in the report."""

    among: Path | None = None
    """Keep particles that this table names: CSV with a column row, as --index and the latent
    explorer write it."""

    outliers: Literal["keep", "drop", "only"] = "keep"
    """What to do with particles far outside the others."""

    invert: bool = False
    """Keep what would be left out, and the other way round."""

    index: Path | None = None
    """Also write which particles are kept, as CSV with particle and row."""

    epoch: int | None = Field(default=None, ge=0, json_schema_extra=EXPERT)
    """Judge by the latents after this epoch, without the analysis."""

    analysis: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the analysis; without it, analysis/latent of the run."""

    outlier_sigma: Annotated[float, Field(gt=0)] | None = Field(
        default=None, json_schema_extra=EXPERT
    )
    """Limit of outliers; without it, that of the analysis, or 3."""


@job("hetero.select")
def select(config: SelectConfig, run: Run) -> Path:
    """Write the particles of a run that a condition, clusters, a table or the outlier rule choose.

    Conditions may name the columns of table.csv of `hetero analyze` (latent_1, pc_1, kmeans, gmm,
    norm, density, sigma, defocus ...) and those of the particle file; without an analysis there are
    latent_1 ..., norm, sigma and those of the file. Rows keep their order, optics groups stay, and
    of a tilt series all images are kept or none.
    """
    from icelens.tasks.hetero.select_particles import write_selection

    return write_selection(config, run)


JOBS: tuple[Job[Any, Any], ...] = (select,)
