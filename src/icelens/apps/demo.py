"""`icelens demo`: restore tomograms, find particles, see orientations and states; score all.

The demo is a user: it runs the same jobs as the command line, with flags one could type, and each
command is listed in its report.
"""

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icelens.apps import arguments, demo_picks, demo_poses, demo_report, demo_states
from icelens.jobs import registry
from icelens.jobs.job import Job
from icelens.jobs.progress import Display
from icelens.jobs.run import run_job

DESCRIPTION = (
    "Simulate small half tomograms with known truth, train a network that restores them and one "
    "that finds their particles; simulate particle images and train one that sees orientations and "
    "one that sees states; score all four. Every command is shown, so that it can be typed again."
)


@dataclass(frozen=True)
class Step:
    """One command of the demo."""

    title: str
    command: str
    """The line as one would type it."""

    @property
    def words(self) -> list[str]:
        """What follows `icelens`."""
        return shlex.split(self.command)[1:]


def main(words: Sequence[str]) -> int:
    """Run the demo; `--output` is its folder."""
    given = _parse(words)
    started = time.monotonic()
    restoring = plan(given.output, seed=given.seed, epochs=given.epochs)
    run_steps(restoring)
    files = demo_report.find_files(given.output)
    rest = (
        *score(given.output, files),
        *picking(given.output, seed=given.seed),
        *posing(given.output, seed=given.seed),
        *parting(given.output, seed=given.seed),
    )
    run_steps(rest, first=len(restoring) + 1)
    commands = [step.command for step in (*restoring, *rest)]
    outcome = demo_report.write(given.output, files, commands)
    minutes = (time.monotonic() - started) / 60.0
    print(f"\n{outcome.sentence} It took {minutes:.1f} min.")
    print(f"Look at {outcome.page}")
    return 0


def _parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the demo's flags.

    Raises:
        UsageError: If one is unknown; the nearest known one is offered.
    """
    parser = arguments.Parser(
        prog="icelens demo",
        description=DESCRIPTION,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--output", type=Path, default=Path("demo"), metavar="PATH", help="folder of the demo"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="VALUE", help="another seed makes another specimen"
    )
    parser.add_argument(
        "--epochs", type=int, default=3, metavar="VALUE", help="more epochs restore better"
    )
    given, unknown = parser.parse_known_args(words)
    if unknown:
        known = ("--output", "--seed", "--epochs", "--help")
        hint = registry.did_you_mean(unknown[0], known)
        raise arguments.UsageError(f"{unknown[0]}: no such flag; {hint}")
    return given


def plan(folder: Path, *, seed: int, epochs: int) -> tuple[Step, ...]:
    """The commands of the demo; the report knows where each leaves its files."""
    at = shlex.quote(str(folder))
    star = f"--star {at}/tomograms.star"
    return (
        Step(
            "Simulate two halves of each of a few tilt series from generated molecules",
            f"icelens simulate tomograms --output {at}/simulated --shape 48,128,128 "
            f"--pixel-size 10 --count {demo_picks.NUM_TOMOGRAMS} --seed {seed}",
        ),
        Step(
            "List the tomograms",
            f"icelens restore prepare --even {at}/simulated/even --odd {at}/simulated/odd {star} "
            f"--pixel-size 10 --defocus 35000 --subtomograms 20 --output {at}/prepare",
        ),
        Step(
            "Mask what holds protein",
            f"icelens restore mask {star} --output {at}/masks",
        ),
        Step(
            "Teach a network to fill the missing wedge and drop the noise",
            f"icelens restore refine {star} --output {at}/refine --network unet-small "
            f"--box-size 48 --batch-size 2 --epochs {epochs} --mw-weight 20 --ctf-mode network "
            f"--seed {seed} --overwrite",
        ),
        Step(
            "Restore the tomograms",
            f"icelens restore predict {star} --checkpoint {at}/refine "
            f"--output {at}/simulated/{demo_picks.RESTORED} --tile-size 144",
        ),
        Step(
            "Ask without the truth how far the filling can be trusted",
            f"icelens restore assess {star} --checkpoint {at}/refine --output {at}/assess "
            "--tomograms 1",
        ),
    )


def score(folder: Path, files: demo_report.DemoFiles) -> tuple[Step, ...]:
    """Compare with the truth, before and after, in the measured and in the missing region."""
    return tuple(
        Step(
            f"Compare the tomogram {name} restoring with the truth",
            f"icelens tools fsc --map-1 {shlex.quote(str(volume))} "
            f"--map-2 {shlex.quote(str(files.truth))} --tilt-range -60,60 "
            f"--output {shlex.quote(str(folder / f'score-{name}'))}",
        )
        for name, volume in (("before", files.before), ("after", files.after))
    )


def picking(folder: Path, *, seed: int) -> tuple[Step, ...]:
    """Learn to find particles in the restored tomograms, and score one that was kept back."""
    return tuple(Step(title, command) for title, command in demo_picks.plan(folder, seed=seed))


def posing(folder: Path, *, seed: int) -> tuple[Step, ...]:
    """Learn to see orientations, and score them on images kept back."""
    return tuple(Step(title, command) for title, command in demo_poses.plan(folder, seed=seed))


def parting(folder: Path, *, seed: int) -> tuple[Step, ...]:
    """Learn the states of a molecule, and score how well they are told apart."""
    return tuple(Step(title, command) for title, command in demo_states.plan(folder, seed=seed))


def run_steps(steps: Sequence[Step], *, first: int = 1) -> None:
    """Run commands in their order, saying each."""
    for number, step in enumerate(steps, start=first):
        _announce(number, step)
        run_step(step)


def run_step(step: Step) -> Any:  # noqa: ANN401 - jobs return what they like
    """Run one command through the registry, as the command line does."""
    job: Job[Any, Any] = registry.find_job(".".join(step.words[:2]))
    request = arguments.parse(job, step.words[2:])
    with Display() as display:
        return run_job(job, request.config, overwrite=request.overwrite, on_event=display)


def _announce(number: int, step: Step) -> None:
    print(f"\n[{number}] {step.title}\n    {step.command}", file=sys.stderr)
