"""What users get wrong, on the real command line: exit 2, one line that helps, nothing left."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from restore_files import write_density, write_halves

from icelens.apps import cli
from icelens.core.io.tomogram_star import update_tomograms
from icelens.training.checkpoint import save_checkpoint

EVEN, ODD, STAR = Path("even/TS_01_EVN.mrc"), Path("odd/TS_01_ODD.mrc"), Path("tomograms.star")
PREPARE = "prepare --even even --odd odd --star new.star --pixel-size 10"
REFINE = f"refine --star {STAR} --box-size 16 --network unet-small --device cpu --threads 1"
PREDICT = f"predict --star {STAR} --checkpoint x --device cpu --threads 1"
MASK = f"mask --star {STAR}"
LEFT_BY_DESIGN = {"run.json", "run-1.json", "log.txt", "report.html", "metrics.jsonl"}


def in_star(old: str, new: str) -> Callable[[], object]:
    return lambda: STAR.write_text(STAR.read_text().replace(old, new))


def in_row(column: str, value: object) -> Callable[[], object]:
    return lambda: update_tomograms(STAR, column, {1: value})


def content(path: Path | str, data: bytes) -> Callable[[], object]:
    return lambda: Path(path).write_bytes(data)


def density(value: float) -> Callable[[], object]:
    return lambda: write_density(EVEN, np.full((20, 32, 36), value))


def described(**description: object) -> Callable[[], object]:
    return lambda: save_checkpoint(Path("x"), {}, {"task": "restore", **description})


def nothing() -> None:
    """Leave the files as they are: the words are wrong."""


CASES: dict[str, tuple[Callable[[], object], str, str]] = {
    "missing half": (EVEN.unlink, PREPARE, "even: no density file"),
    "empty file": (content(EVEN, b""), PREPARE, "even/TS_01_EVN.mrc: the file is empty"),
    "no MRC": (content(EVEN, b"words" * 999), REFINE, "even/TS_01_EVN.mrc: not an MRC file"),
    "constant half": (density(3.0), MASK, "even/TS_01_EVN.mrc: every voxel is 3"),
    "not a number": (density(np.nan), REFINE, "even/TS_01_EVN.mrc: .*not finite"),
    "other name": (lambda: EVEN.rename("even/TS_7_EVN.mrc"), PREPARE, "no partner for"),
    "tilts reversed": (nothing, f"{PREPARE} --tilt-min 60 --tilt-max -60", "reversed"),
    "row to nowhere": (EVEN.unlink, MASK, "names even/TS_01_EVN.mrc, which does not exist"),
    "no pixel size": (in_star("10.000000", "None"), MASK, "rlnPixelSize is empty"),
    "no column": (in_star("_rlnTiltMin", "_rlnOther"), MASK, "column rlnTiltMin is missing"),
    "zero count": (in_star("\t2\tNone", "\t0\tNone"), REFINE, "rlnNumberSubtomo is 0, expected 1"),
    "part of a box": (in_star("\t2\tNone", "\t1.5\tNone"), REFINE, "expected a whole number"),
    "empty mask": (
        lambda: (write_density(Path("m.mrc"), np.zeros((20, 32, 36))), in_row("mask", "m.mrc")()),
        REFINE,
        "the mask leaves no voxel",
    ),
    "mask of NaN": (
        lambda: (
            write_density(Path("m.mrc"), np.full((20, 32, 36), np.nan)),
            in_row("mask", "m.mrc")(),
        ),
        REFINE,
        "m.mrc: the mask holds NaN",
    ),
    "odd box": (nothing, f"{REFINE} --box-size 20", "--box-size: found '20', expected a multiple"),
    "huge box": (nothing, f"{REFINE} --box-size 96", "too large .* --box-size 32"),
    "endless rows": (nothing, f"{MASK} --tomograms 1-9999999999", "no row has rlnIndex 2"),
    "unknown flag": (nothing, f"{REFINE} --boxsize 16", "did you mean --box-size"),
    "three words": (
        nothing,
        "../simulate tomograms --shape a,b,c --output o",
        "expected a whole number",
    ),
    "pickle": (content("x", b"PK\x03\x04" * 9), PREDICT, "x: a pickle"),
    "short description": (described(method="denoise"), PREDICT, "x: its description lacks"),
    "other method": (described(method="magic"), PREDICT, "x: made by task 'restore'"),
}


@pytest.mark.parametrize("name", CASES)
def test_mistake_is_one_line_and_leaves_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, words, says = CASES[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    write_halves(tmp_path, "TS_01")
    good = PREPARE.replace("new.star", str(STAR)) + " --subtomograms 2 --defocus 30000"
    assert cli.main(["restore", *good.split()]) == 0
    spoil()
    capsys.readouterr()
    before, star = {path for path in tmp_path.rglob("*") if path.is_file()}, STAR.read_bytes()
    task = [] if words.startswith("../") else ["restore"]
    assert cli.main([*task, *words.removeprefix("../").split()]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("icelens: ")]
    assert len(lines) == 1
    assert re.search(says, lines[0])
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert {p.name for p in new if not p.name.endswith("lock")} <= LEFT_BY_DESIGN
    assert STAR.read_bytes() == star
