"""A small job with settings of every kind, which can be told how to end."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from icelens.core.errors import GeometryError, StoppedEarly
from icelens.core.events import Message, Metrics, Progress, Saved
from icelens.jobs.config import EXPERT, Angstrom, Config
from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run


class Optimisation(Config):
    """How to step."""

    learning_rate: float = 1e-3
    """Size of a step."""
    num_steps: int = Field(default=3, ge=1)
    """How many steps."""


class ToyConfig(Config):
    """Settings of every kind."""

    star: Path
    """A list of tomograms."""
    output: Path = Path("toy")
    """Folder of the run."""
    end: Literal["well", "bug", "mistake", "interrupt", "time"] = "well"
    """How the job ends."""
    box_size: int = Field(default=96, ge=32, multiple_of=16)
    """Side of a box, in voxels."""
    pixel_size: Angstrom | None = None
    """Sampling; none reads it from the header."""
    shape: tuple[int, int, int] = (64, 160, 160)
    """Voxels along z, y and x."""
    tilt_range: tuple[float, float] = (-60.0, 60.0)
    """Lowest and highest tilt, 100 % of them."""
    maps: tuple[Path, ...] = ()
    """Density maps."""
    invert: bool = True
    """Flip the contrast."""
    seed: int = Field(default=0, json_schema_extra=EXPERT)
    """Fixes everything random."""
    optimisation: Optimisation = Optimisation(learning_rate=2e-3)
    """How to learn."""


def estimate_toy(config: ToyConfig) -> Estimate:
    return Estimate(90.0, 10**9, 10**6, (f"boxes of {config.box_size} voxels",))


@job("restore.toy", cites=("liu2022isonet",), estimate=estimate_toy, resumable=True)
def toy(config: ToyConfig, run: Run) -> Path:
    """Pretend to learn."""
    for step in range(config.optimisation.num_steps):
        run.on_event(Progress("train", step + 1, config.optimisation.num_steps))
        run.on_event(Metrics(step, {"loss": 1.0 / (step + 1)}))
    run.on_event(Message("half way", "warning"))
    endings = {
        "bug": ValueError("boom"),
        "mistake": GeometryError("a.mrc: not cubic"),
        "interrupt": KeyboardInterrupt(),
        "time": StoppedEarly("the time limit of 1 minute was reached"),
    }
    if config.end in endings:
        raise endings[config.end]
    result = run.folder / "result.txt"
    result.write_text("resumed" if run.resume else "new")
    run.on_event(Saved(result, "text"))
    run.report.section("Result")
    run.report.table(["what", "value"], [["<score>", 0.5]])
    return result
