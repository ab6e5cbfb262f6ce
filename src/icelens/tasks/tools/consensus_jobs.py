"""Jobs of tools that keep what several programs agree on: poses and picks."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, OUTPUT_FILE, Config, Degrees, PositiveAngstrom
from icelens.jobs.job import job
from icelens.jobs.run import Run


class ConsensusPosesConfig(Config):
    """Settings of `icelens tools consensus-poses`."""

    particles: tuple[Path, ...] = Field(min_length=1)
    """Two or more files with poses of the same particles; rows of the first are written."""

    output: Path = Field(default=Path("consensus.star"), json_schema_extra=OUTPUT_FILE)
    """File to write: rows of the first file, their poses the mean of those that agree."""

    symmetry: str = "C1"
    """Point group: poses that it makes equivalent do not differ."""

    threshold: Annotated[Degrees, Field(gt=0)] = 5.0
    """Poses agree that lie no farther from the middlemost one."""

    at_least: int | None = Field(default=None, ge=2)
    """How many files have to agree on a particle: all, or so many."""

    max_shift_difference: PositiveAngstrom | None = Field(
        default=None, json_schema_extra=EXPERT | {"unit": "Å"}
    )
    """To agree, shifts also have to lie no farther from that of the middlemost pose."""

    keep_poses: bool = Field(default=False, json_schema_extra=EXPERT)
    """Write the poses of the first file instead of means."""

    coordinate_margin: Annotated[float, Field(gt=0)] = Field(
        default=5.0, json_schema_extra=EXPERT | {"unit": "px"}
    )
    """How far places of one particle in its micrograph may lie apart, if image names differ."""


@job("tools.consensus-poses", cites=("moakher2002means",))
def consensus_poses(config: ConsensusPosesConfig, run: Run) -> Path:
    """Keep the particles on whose poses several files agree, and average those poses.

    The new columns ilConsensusCount and ilConsensusDegrees say how many files agreed and how far
    from their mean they are on average. Rows keep the order of the first file.
    """
    from icelens.tasks.tools.consensus_poses import write_consensus

    return write_consensus(config, run)


class ConsensusPicksConfig(Config):
    """Settings of `icelens tools consensus-picks`."""

    picks: tuple[Path, ...] = Field(min_length=1)
    """Two or more STAR files with rlnMicrographName (or rlnTomoName) and coordinates in pixels."""

    output: Path = Field(default=Path("consensus_picks.star"), json_schema_extra=OUTPUT_FILE)
    """STAR file to write."""

    operation: Literal["intersection", "union", "difference"] = "intersection"
    """Picks of the first file that all others have too; all different picks; or picks of the first
    file that no other has."""

    distance: Annotated[float, Field(gt=0, json_schema_extra={"unit": "px"})] = 20.0
    """Picks that lie no farther apart are the same, in the pixels of the coordinates."""


@job("tools.consensus-picks")
def consensus_picks(config: ConsensusPicksConfig, run: Run) -> Path:
    """Intersect, unite or subtract picks by their places in micrographs or tomograms.

    Rows come as they are from the first file that has the pick, in the order of the files. A union
    has the columns that all files share, and the optics groups of all, numbered anew.
    """
    from icelens.tasks.tools.consensus_picks import write_consensus_picks

    return write_consensus_picks(config, run)


JOBS = (consensus_poses, consensus_picks)
