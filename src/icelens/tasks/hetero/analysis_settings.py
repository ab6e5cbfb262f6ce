"""Where jobs that analyse a run of hetero write: below the run. Imports no torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from icelens.jobs.config import EXPERT, DeviceConfig, PositiveAngstrom

_SIGN_OF_A_RUN = "hetero.json"
"""What a run holds; checked here because the folder of the analysis is made before it begins."""


class OfRunConfig(DeviceConfig):
    """Settings shared by jobs that look at a run and write elsewhere."""

    run: Path
    """Folder of a run of hetero: the --output of train, linear or abinitio."""

    @model_validator(mode="after")
    def _is_no_run(self) -> Self:
        # its record, report and latents would be written over, and it could not go on
        output: Path | None = getattr(self, "output", None)
        if output is not None and (output / _SIGN_OF_A_RUN).is_file():
            which = "the run itself" if output.resolve() == self.run.resolve() else "another run"
            raise ValueError(f"--output is {output}, {which}; name another folder")
        return self


class RunAnalysisConfig(OfRunConfig):
    """Settings shared by jobs that analyse a run and write `<run>/analysis/<what>`."""

    what: ClassVar[str] = ""

    output: Path | None = None
    """Folder for the results; without it, one in the run's folder analysis."""

    epoch: int | None = Field(default=None, ge=0, json_schema_extra=EXPERT)
    """Take the latents as they were after this epoch; volumes are those of the final model."""

    @model_validator(mode="before")
    @classmethod
    def _below_the_run(cls, values: Any) -> Any:  # noqa: ANN401 - pydantic hands over anything
        if not isinstance(values, Mapping) or not values.get("run") or values.get("output"):
            return values
        if not (Path(values["run"]) / _SIGN_OF_A_RUN).is_file():
            return values  # the job says that this is no run; no folder is made in it
        return {**values, "output": Path(values["run"]) / "analysis" / cls.what}


class StationsConfig(RunAnalysisConfig):
    """Settings shared by analyses that make volumes at chosen latents."""

    volumes: bool = True
    """Make volumes; tables and pictures of latents come without them, too."""

    box_size: int | None = Field(default=None, ge=8)
    """Side of coarser volumes of the same width, in pixels; faster to make and to look at."""

    low_pass: PositiveAngstrom | None = None
    """Take out what is finer than this in the volumes."""

    check_images: bool = True
    """Compare each volume with a map of the images that lie nearest."""
