"""Declaration of `icelens hetero traverse`. Imports no torch."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from icelens.jobs.config import EXPERT
from icelens.jobs.job import Estimate, Job, job
from icelens.jobs.run import Run
from icelens.tasks.hetero.analysis_settings import StationsConfig
from icelens.tasks.hetero.costs import SECONDS_PER_VOXEL

Way = Literal["direct", "graph", "pc", "ridge"]


class TraverseConfig(StationsConfig):
    """Settings of `icelens hetero traverse`."""

    what: ClassVar[str] = "traverse"

    mode: Way | None = None
    """How to go: straight; from neighbour to neighbour; along a principal component; or along the
    ridge of density. Without it, graph where anchors are given, else pc."""

    anchors: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Particles to go through, two or more, by the row of their first image from 0, such as
    12,345,678; not for pc."""

    count: int = Field(default=10, ge=2, le=10_000)
    """Points from one anchor to the next, both included, or along the component; graph names every
    particle on its way."""

    loop: bool = False
    """Go on from the last anchor to the first."""

    component: int = Field(default=1, ge=1)
    """Principal component that pc follows, from 1, between the 5th and the 95th percentile."""

    neighbours: int = Field(default=10, ge=1, le=1000, json_schema_extra=EXPERT)
    """Nearest neighbours that graph may step to."""

    average_degree: Annotated[float, Field(gt=0)] = Field(default=5.0, json_schema_extra=EXPERT)
    """Neighbours that are left on average once the longest steps are forbidden."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Of the draw of particles for the graph, if there are more than 100,000."""

    @property
    def way(self) -> Way:
        """How to go."""
        return self.mode or ("graph" if self.anchors else "pc")

    @model_validator(mode="after")
    def _has_anchors(self) -> "TraverseConfig":
        if self.way == "pc" and self.anchors:
            raise ValueError("--anchors are for direct, graph and ridge; leave them out with pc")
        if self.way != "pc" and len(self.anchors) < 2:
            raise ValueError(
                f"--anchors has {len(self.anchors)} rows, expected two or more for --mode "
                f"{self.way}, such as 12,345"
            )
        if len(set(self.anchors)) != len(self.anchors):
            raise ValueError("--anchors names a row twice; use --loop to return to the first")
        if self.way == "pc" and self.loop:
            raise ValueError("--loop is for direct, graph and ridge; leave it out with pc")
        return self


def estimate_traverse(config: TraverseConfig) -> Estimate:
    """Time by the volumes; those of a graph are not known before."""
    from icelens.tasks.hetero.hetero_run import open_hetero_run

    run = open_hetero_run(config.run)
    legs = 1 if config.way == "pc" else len(config.anchors) - 1 + config.loop
    voxels = config.count * legs * (config.box_size or run.box_size) ** 3 * config.volumes
    return Estimate(
        seconds=5 + SECONDS_PER_VOXEL * voxels,
        memory_bytes=1_000_000_000,
        disk_bytes=4 * voxels,
        notes=("a path over the graph may have more or fewer points",)
        if config.way == "graph"
        else (),
    )


@job("hetero.traverse", estimate=estimate_traverse)
def traverse(config: TraverseConfig, run: Run) -> Path:
    """Follow a path through the latents of a run and make the volumes along it.

    Writes path.csv: each point's latent, the row of the particle nearest to it, and how many
    particles stand behind it (supported, sparse or extrapolated); in graph mode every point is a
    particle. Straight paths may cross what no particle looks like; the table and the report say
    where.
    """
    from icelens.tasks.hetero.traverse_run import traverse_run

    return traverse_run(config, run)


JOBS: tuple[Job[Any, Any], ...] = (traverse,)
