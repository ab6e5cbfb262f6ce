"""`icelens demo`: simulate a small tomogram pair, restore it, score it, and show what improved.

The demo is a user: it runs the same jobs as the command line, with flags one could type, and each
command is listed in its report.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icelens.apps import arguments, demo_report
from icelens.core.errors import IcelensError
from icelens.jobs import registry
from icelens.jobs.job import Job
from icelens.jobs.journal import read_metrics
from icelens.jobs.progress import Display
from icelens.jobs.run import run_job

PIXEL_SIZE = 10
DEFOCUS = 35000


@dataclass(frozen=True)
class Step:
    """One command of the demo."""

    title: str
    words: tuple[str, ...]

    @property
    def command(self) -> str:
        """The line as one would type it."""
        return " ".join(("icelens", *self.words))


def main(words: Sequence[str]) -> int:
    """Run the demo; `--output` is its folder."""
    parser = argparse.ArgumentParser(prog="icelens demo", description=__doc__, allow_abbrev=False)
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder of the demo")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes another specimen")
    parser.add_argument("--epochs", type=int, default=4, help="more epochs restore better")
    given = parser.parse_args(words)
    started = time.monotonic()
    steps = plan(given.output, seed=given.seed, epochs=given.epochs)
    for number, step in enumerate(steps, start=1):
        print(f"\n[{number}/{len(steps)}] {step.title}\n      {step.command}", file=sys.stderr)
        run_step(step)
    outcome = demo_report.write(given.output, [step.command for step in steps])
    minutes = (time.monotonic() - started) / 60.0
    print(f"\n{outcome.sentence} It took {minutes:.1f} min.")
    print(f"Look at {outcome.page}")
    return 0


def plan(folder: Path, *, seed: int, epochs: int) -> tuple[Step, ...]:
    """The commands of the demo; the report knows where each leaves its files."""
    simulated, star = folder / "simulated", folder / "tomograms.star"
    selected = ("--star", str(star))
    checkpoint = ("--checkpoint", str(folder / "refine"))
    return (
        Step(
            "Simulate two halves of a tilt series from generated molecules",
            ("simulate", "tomograms", "--output", str(simulated), "--shape", "48,128,128")
            + ("--pixel-size", str(PIXEL_SIZE), "--count", "1", "--seed", str(seed)),
        ),
        Step(
            "List the tomograms",
            ("restore", "prepare", "--even", str(simulated / "even"))
            + ("--odd", str(simulated / "odd"), *selected, "--pixel-size", str(PIXEL_SIZE))
            + ("--defocus", str(DEFOCUS), "--subtomograms", "100")
            + ("--output", str(folder / "prepare")),
        ),
        Step(
            "Mask what holds protein",
            ("restore", "mask", *selected, "--output", str(folder / "masks")),
        ),
        Step(
            "Teach a network to fill the missing wedge and drop the noise",
            ("restore", "refine", *selected, "--output", str(folder / "refine"))
            + ("--network", "unet-small", "--box-size", "48", "--batch-size", "2")
            + ("--epochs", str(epochs), "--mw-weight", "20", "--ctf-mode", "network")
            + ("--seed", str(seed), "--overwrite"),
        ),
        Step(
            "Restore the tomogram",
            ("restore", "predict", *selected, *checkpoint, "--output", str(folder / "corrected")),
        ),
        Step(
            "Ask without the truth how far the filling can be trusted",
            ("restore", "assess", *selected, *checkpoint, "--output", str(folder / "assess")),
        ),
    )


def run_step(step: Step) -> Any:  # noqa: ANN401 - jobs return what they like
    """Run one command through the registry, as the command line does."""
    job: Job[Any, Any] = registry.find_job(".".join(step.words[:2]))
    request = arguments.parse(job, step.words[2:])
    with Display() as display:
        return run_job(job, request.config, overwrite=request.overwrite, on_event=display)


def losses(folder: Path) -> tuple[list[int], list[float]]:
    """Steps and losses of the training."""
    rows = [row for row in read_metrics(folder) if row.get("loss") is not None]
    if not rows:
        raise IcelensError(f"{folder}: has no losses; run `icelens demo` again")
    return [row["step"] for row in rows], [row["loss"] for row in rows]
