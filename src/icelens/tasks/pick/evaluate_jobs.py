"""The job of pick that scores picks against a truth: `icelens pick evaluate`."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT
from icelens.jobs.job import Job, job
from icelens.jobs.run import Run
from icelens.tasks.pick.settings import RunsConfig, SourceText


class EvaluateConfig(RunsConfig):
    """Settings of `icelens pick evaluate`; tomograms are only drawn."""

    truth: SourceText = ("curation", "0")
    """Who made the true picks, as USER,SESSION."""

    picks: SourceText = ("icelens", "1")
    """Who made the picks to score, as USER,SESSION."""

    objects: tuple[str, ...] = ()
    """Objects to score; without them, every particle that has true picks or picks."""

    distance_scale: Annotated[float, Field(gt=0)] = 0.5
    """A pick is true up to this many radii of its object from a particle."""

    beta: Annotated[float, Field(gt=0)] = 4.0
    """How much more recall counts than precision in the F-beta score."""

    rule: Literal["czii", "one-to-one"] = "czii"
    """How true picks are counted: czii counts particles with a pick near, as the challenge did;
    one-to-one counts pairs. They differ only where particles overlap."""

    pictures: int = Field(default=6, ge=0, json_schema_extra=EXPERT)
    """Runs to draw in the report, the lowest scores first; 0 draws none."""

    output: Path = Path("evaluation")
    """Folder for scores.json, scores.csv, curves.csv and the report."""


@job("pick.evaluate")
def evaluate(config: EvaluateConfig, run: Run) -> Path:
    """Score picks against true ones, as the CZII challenge does or one to one.

    Counts are pooled over runs. Says precision, recall, F-beta, average precision and the error in
    Å of each object, and their mean by the objects' weights; the report shows what was found,
    missed and false. Runs without true picks are left out; runs without picks, too, unless --runs
    names them: then all their particles count as missed.
    """
    from icelens.tasks.pick.evaluate import evaluate_picks

    return evaluate_picks(config, run)


JOBS: tuple[Job[Any, Any], ...] = (evaluate,)
