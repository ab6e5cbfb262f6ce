"""Job of tools that compares the poses of the same particles in two files."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from icelens.jobs.config import EXPERT, Config
from icelens.jobs.job import job
from icelens.jobs.run import Run


class ComparePosesConfig(Config):
    """Settings of `icelens tools compare-poses`."""

    particles_1: Path
    """One file of particles with poses, such as the truth."""

    particles_2: Path
    """The other; rows are paired by image, else by place in the micrograph."""

    symmetry: str = "C1"
    """Point group: poses that it makes equivalent do not differ."""

    align_frames: bool = False
    """Take away the one turn and shift of the whole reference that brings most poses together."""

    output: Path = Path("compared_poses")
    """Folder for poses.csv, the pictures and the report."""

    frame: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Take away the turn and shift in the frame.json of an earlier comparison instead."""

    coordinate_margin: Annotated[float, Field(gt=0)] = Field(
        default=5.0, json_schema_extra=EXPERT | {"unit": "px"}
    )
    """How far places of one particle in its micrograph may lie apart, if image names differ."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Chooses the particles by which frames are aligned."""


@job("tools.compare-poses")
def compare_poses(config: ComparePosesConfig, run: Run) -> Path:
    """Say how far the poses of two files are apart: angle, view, in-plane angle and shift.

    Writes a table with a row for each particle in both files and a report with mean, median,
    quartiles and the shares below 5 and 10 degrees, and says how many are in only one file.
    """
    from icelens.tasks.tools.compare_poses import write_comparison

    return write_comparison(config, run)


JOBS = (compare_poses,)
