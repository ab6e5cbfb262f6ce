"""Settings of `icelens pose watch`; declared once, imports no torch."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from icelens.jobs.config import EXPERT, OUTPUT_SHARED, Minutes
from icelens.tasks.pose.infer_settings import PosingConfig

Seconds = Annotated[float, Field(json_schema_extra={"unit": "s"})]


class WatchConfig(PosingConfig):
    """Settings of `icelens pose watch`."""

    folder: Path
    """Where particle files appear, in it or in folders below."""

    output: Path = Field(json_schema_extra=OUTPUT_SHARED)
    """Folder for the live maps, particles.star and report. Start as many processes with the same
    one as you like, on all machines that see it: they share the work."""

    pattern: str = Field(default="*.star", min_length=1)
    """Names of the files to take."""

    settle: Annotated[Seconds, Field(ge=0)] = 10.0
    """A file is taken when it did not change for so long."""

    interval: Annotated[Seconds, Field(gt=0)] = 60.0
    """The maps are made anew at most so often, and only if there are new images."""

    once: bool = False
    """Take what is there now and end."""

    stop_after: Annotated[Minutes, Field(gt=0)] | None = None
    """End when nothing new came for so long; without it, watch until stopped."""

    lost_after: Annotated[Seconds, Field(ge=5)] = Field(
        default=300.0, json_schema_extra=EXPERT | {"unit": "s"}
    )
    """A process on another machine that gave no sign of life for so long is taken to be dead; its
    unfinished files are done by others. Those of this machine are known to be dead at once."""

    save_every: Annotated[Seconds, Field(ge=0)] = Field(
        default=30.0, json_schema_extra=EXPERT | {"unit": "s"}
    )
    """How often a process writes down its sums; a crash costs the work since then, nothing else."""

    look_every: Annotated[Seconds, Field(gt=0)] = Field(
        default=5.0, json_schema_extra=EXPERT | {"unit": "s"}
    )
    """How often the folder is looked at."""

    retry_failed: bool = Field(default=False, json_schema_extra=EXPERT)
    """Try files again that could not be used before; those that changed are tried again anyway."""
