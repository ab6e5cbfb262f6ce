"""The job of pick that relates picks to a membrane: `icelens pick membrane`."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from icelens.jobs.config import EXPERT, Angstrom, Config
from icelens.jobs.job import Job, job
from icelens.jobs.run import Run
from icelens.tasks.pick.settings import SourceText


class MembraneConfig(Config):
    """Settings of `icelens pick membrane`."""

    project: Path
    """Configuration of a copick project (JSON), or a plain folder of tomograms with a table of
    coordinates (STAR or CSV)."""

    picks: SourceText = ("icelens", "1")
    """Whose picks to look at, as USER,SESSION."""

    segmentation: Annotated[tuple[str, ...], Field(min_length=1, max_length=3)]
    """The membrane, as NAME or NAME,USER,SESSION; by NAME alone, the only one of that name."""

    runs: tuple[str, ...] = ()
    """Names of the runs to work on; without them, all that have such picks."""

    objects: tuple[str, ...] = ()
    """Objects to look at; without them, all that have such picks."""

    distance: tuple[Angstrom, Angstrom] | None = None
    """Picks so far from the membrane's surface belong to it, as MIN,MAX; below 0 is inside the
    membrane. Without it, 10,100, or 0,250 for midpoints."""

    output_session: str | None = None
    """Session of the picks that belong to the membrane; the others go to this session with -far.
    Without it, the session of the picks with -membrane."""

    orientation: Literal["auto", "normal", "keep"] = "auto"
    """normal: turn the z axis of picks to the membrane's normal, from membrane to pick; keep: leave
    orientations as they are; auto: normal where no pick of the file has an orientation."""

    voxel_size: Annotated[Angstrom, Field(gt=0)] | None = None
    """Sampling of the segmentation; without it, the only one there is."""

    label: int | None = Field(default=None, ge=1, json_schema_extra=EXPERT)
    """Label that is the membrane; without it, everything but 0."""

    normal_radius: Annotated[Angstrom, Field(gt=0)] = Field(
        default=45.0, json_schema_extra=EXPERT | {"unit": "Å"}
    )
    """The normal is a mean over so much surface around a pick's foot, and at least 3 voxels."""

    mode: Literal["distance", "midpoint"] = Field(default="distance", json_schema_extra=EXPERT)
    """distance: sort and orient picks; midpoint: write the middle of pairs of picks that are each
    other's nearest on the same piece of membrane, for user USER-midpoint, and the pairs for
    USER-endpoint."""

    pair_distance: tuple[Angstrom, Angstrom] = Field(
        default=(100.0, 700.0), json_schema_extra=EXPERT | {"unit": "Å"}
    )
    """Picks so far apart make a pair, as MIN,MAX."""

    output: Path = Path("membrane")
    """Folder of the record and the report; picks go into the project."""

    @model_validator(mode="after")
    def _check(self) -> "MembraneConfig":
        for flag, window in (("distance", self.distance), ("pair-distance", self.pair_distance)):
            if window is not None and not window[0] < window[1]:
                low, high = window
                raise ValueError(f"--{flag} is {low:g},{high:g}; give the smaller one first")
        if self.mode == "distance" and self.output_session == self.picks[1]:
            raise ValueError(
                f"--output-session is {self.output_session}, that of --picks, which would be "
                "replaced by some of themselves; choose another"
            )
        if len(self.segmentation) == 2:
            raise ValueError(
                f"--segmentation is {','.join(self.segmentation)}; give NAME or NAME,USER,SESSION"
            )
        return self


@job("pick.membrane")
def membrane(config: MembraneConfig, run: Run) -> list[Path]:
    """Sort picks by their distance to a membrane and orient them along its local normal.

    Picks within the distance window go to one session, the others to another, so that none is
    lost; every object gets both files, empty ones too.
    """
    from icelens.tasks.pick.membrane import relate_runs

    return relate_runs(config, run)


JOBS: tuple[Job[Any, Any], ...] = (membrane,)
