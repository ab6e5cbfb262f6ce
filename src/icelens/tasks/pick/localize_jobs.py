"""The job of pick that turns what a network says into picks: `icelens pick localize`."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT
from icelens.jobs.job import Job, job
from icelens.jobs.run import Run
from icelens.tasks.pick.settings import (
    CENTROID_SCALE,
    EXCLUSION_SCALE,
    NamedSourceText,
    RunsConfig,
)


class LocalizeConfig(RunsConfig):
    """Settings of `icelens pick localize`."""

    model: Path | None = None
    """The model that made the probabilities (its file or folder): gives thresholds, and the radius
    of objects that the project does not know."""

    segmentation: NamedSourceText = ("predict", "icelens", "1")
    """What to read, as NAME,USER,SESSION: probabilities for peaks, labels for the other methods."""

    objects: tuple[str, ...] = ()
    """Objects to pick; without them, every particle that was predicted."""

    method: Literal["peaks", "watershed", "com"] = "peaks"
    """peaks: maxima of the probability; watershed: labels, split where particles touch; com: centre
    of mass of each connected region of labels."""

    threshold: tuple[str, ...] = ()
    """Least probability of a peak, as OBJECT=VALUE or one VALUE for the other objects; without it,
    what the model found best, else 0.25."""

    exclusion_scale: float = Field(default=EXCLUSION_SCALE, gt=0)
    """Peaks of one object are no closer than this many of its radii."""

    radius_min_scale: float = Field(default=0.5, ge=0)
    """Regions of labels smaller than a sphere of this many radii are no particle."""

    radius_max_scale: float = Field(default=1.0, gt=0)
    """Regions of labels larger than a sphere of this many radii are no particle."""

    refinement: Literal["centroid", "quadratic", "none"] = Field(
        default="centroid", json_schema_extra=EXPERT
    )
    """How peaks get finer than a voxel: centre of mass around them, or a parabola along each
    axis."""

    centroid_scale: Annotated[float, Field(gt=0)] = Field(
        default=CENTROID_SCALE, json_schema_extra=EXPERT
    )
    """The centre of mass is taken within this many radii of a peak."""

    user: str = "icelens"
    """Whose picks they shall be."""

    session: str = "1"
    """In which session; earlier picks of that user and session are replaced."""

    output: Path = Path("localize")
    """Folder of the record and the report; picks go into the project."""


@job("pick.localize", shared_by="runs")
def localize(config: LocalizeConfig, run: Run) -> list[Path]:
    """Find particles in what a network predicted, with a score each, and write them as picks.

    Every object of every run gets its file of picks, an empty one where none was found.
    """
    from icelens.tasks.pick.localize import localize_runs

    return localize_runs(config, run)


JOBS: tuple[Job[Any, Any], ...] = (localize,)
