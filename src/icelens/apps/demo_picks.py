"""The demo's second half: find particles in restored tomograms, and score one kept back."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from icelens.core.errors import InputFileError
from icelens.jobs.report import Report

KEPT_BACK, TRAINING, VALIDATION = "TS_01", ("TS_02", "TS_03"), ("TS_04",)
"""Runs by what they are for: no particle of the first is shown to the network."""
NUM_TOMOGRAMS = len(TRAINING) + len(VALIDATION) + 1
RESTORED = "restored"
"""Type of the restored tomograms: their folder's name within the simulator's folder."""
_EVALUATION = "evaluation"
_SOURCE = "icelens,1"
_STEPS = 200


@dataclass(frozen=True)
class PickScore:
    """What became of the particles of the run that was kept back."""

    particles: int
    found: int
    false: int
    f_beta: float
    rows: tuple[tuple[object, ...], ...]
    """Object, particles, picks, true, false, missed, F4, error in Å."""

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        return (
            f"In {KEPT_BACK}, whose particles it was never shown, the picker found {self.found} "
            f"of {self.particles} with {self.false} false picks: weighted F4 {self.f_beta:.2f}."
        )


def plan(folder: Path, *, seed: int) -> tuple[tuple[str, str], ...]:
    """Titles and commands: learn, segment, localise, score."""
    at = shlex.quote(str(folder))
    project = f"--project {at}/simulated"
    picker = f"--model {at}/picker --runs {KEPT_BACK}"
    return (
        (
            f"Teach a network to find the particles of {' and '.join(TRAINING)}",
            f"icelens pick train {project} --output {at}/picker --tomogram-type {RESTORED} "
            f"--truth folder,0 --train-runs {','.join(TRAINING)} "
            f"--validation-runs {','.join(VALIDATION)} --steps {_STEPS} --crop-size 48,96,96 "
            f"--validations 2 --seed {seed} --overwrite",
        ),
        (
            f"Ask it where particles are in {KEPT_BACK}, of which it knows none",
            f"icelens pick segment {project} {picker} --output {at}/segment",
        ),
        (
            "Make picks of its answer",
            f"icelens pick localize {project} {picker} --tomogram-type {RESTORED} "
            f"--output {at}/localize",
        ),
        (
            "Compare the picks with the truth",
            f"icelens pick evaluate {project} --truth folder,0 --picks {_SOURCE} "
            f"--runs {KEPT_BACK} --tomogram-type {RESTORED} --output {at}/{_EVALUATION}",
        ),
    )


def read_score(folder: Path) -> PickScore:
    """What `icelens pick evaluate` found.

    Raises:
        InputFileError: If it found nothing to score.
    """
    path = folder / _EVALUATION / "scores.json"
    scores = json.loads(path.read_text(encoding="utf-8"))
    objects = scores["objects"]
    if not objects or scores["f_beta"] is None:
        raise InputFileError(f"{path}: expected scores of objects; run `icelens demo` again")
    columns = ("particles", "picks", "true", "false", "missed", "f_beta", "rms_error")
    rows = tuple(
        (name, *(_cell(values[column]) for column in columns)) for name, values in objects.items()
    )
    particles, found, false = (
        sum(int(values[column]) for values in objects.values())
        for column in ("particles", "true", "false")
    )
    return PickScore(particles, found, false, float(scores["f_beta"]), rows)


def add_picks(report: Report, folder: Path, score: PickScore) -> None:
    """Show what was found, missed and false in the run that was kept back."""
    report.section("Picks")
    report.text(
        f"{score.sentence} All tomograms were restored by the network above, which sees no "
        f"particle's place. The picker then learnt from the true places in {' and '.join(TRAINING)}"
        f"; {' and '.join(VALIDATION)} chose its thresholds. A picker of {_STEPS} steps that saw "
        "a few dozen particles of easy, generated molecules shows how it works, not how well it "
        "does on cells."
    )
    report.picture(
        (folder / _EVALUATION / f"run_{KEPT_BACK}.png").read_bytes(),
        name="picks",
        caption=f"{KEPT_BACK}, restored: means over slices. Circles in full green were found, "
        "dashed blue ones missed, orange ones with a cross are false. Numbers stand for objects "
        "in the order of the table.",
    )
    report.table(
        ["object", "particles", "picks", "true", "false", "missed", "F4", "error (Å, RMS)"],
        score.rows,
    )


def _cell(value: float | None) -> object:
    return "-" if value is None else value
