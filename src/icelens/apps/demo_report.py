"""The demo's last page: slices and spectra before and after, curves, picks, poses and states."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from icelens.apps import demo_picks, demo_poses, demo_states
from icelens.core.errors import InputFileError
from icelens.core.io.atomic import atomic_path
from icelens.jobs.journal import read_metrics
from icelens.jobs.report import REPORT_NAME, Report, write_page

if TYPE_CHECKING:
    from icelens.core.data.volume import Volume

BAND = (30.0, 200.0)
"""Resolutions in Å over which correlation is averaged: from the largest particle to its domains."""

LOSS_CAPTION = (
    "Loss at each step (faint) and its running median. It differs from box to box more than "
    "it falls in a training this short; what was learnt is shown by the correlation above."
)


@dataclass(frozen=True)
class DemoFiles:
    """The three volumes the demo compares."""

    before: Path
    after: Path
    truth: Path


@dataclass(frozen=True)
class Fsc:
    """Correlation with the truth, shell by shell."""

    spatial_frequency: tuple[float, ...]
    """In 1/Å."""
    measured: tuple[float, ...]
    missing: tuple[float, ...]

    def mean(self, region: str) -> float:
        """Mean of a region's shells inside `BAND`."""
        finest, coarsest = BAND
        curve: tuple[float, ...] = getattr(self, region)
        values = [
            value
            for frequency, value in zip(self.spatial_frequency, curve, strict=True)
            if 1.0 / coarsest <= frequency <= 1.0 / finest and not math.isnan(value)
        ]
        return sum(values) / len(values)


@dataclass(frozen=True)
class Outcome:
    """Where to look, and what improved in one sentence."""

    page: Path
    sentence: str


def find_files(folder: Path) -> DemoFiles:
    """The volumes of the first tomogram that the demo's jobs left."""
    from icelens.core.io.tomogram_star import read_tomograms

    row = next(iter(read_tomograms(folder / "tomograms.star")))
    simulated = folder / "simulated"
    return DemoFiles(
        before=_first_file(simulated / "full"),
        after=row.require("corrected"),
        truth=_first_file(simulated / "truth"),
    )


def read_fsc(path: Path) -> Fsc:
    """Curves that `icelens tools fsc` wrote.

    Raises:
        InputFileError: If a column is missing.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if float(row["spatial_frequency"]) > 0]
    columns = ("spatial_frequency", "measured", "missing")
    absent = [name for name in columns if not rows or name not in rows[0]]
    if absent:
        raise InputFileError(f"{path}: expected a column {absent[0]}; run `icelens demo` again")
    values = {name: tuple(_value(row, name) for row in rows) for name in columns}
    return Fsc(**values)


def _value(row: dict[str, str], name: str) -> float:
    """A shell's value, or nan where the region has no sample in that shell."""
    empty = float(row.get(f"{name}_count") or 1) == 0
    return math.nan if empty else float(row[name])


def write(folder: Path, files: DemoFiles, commands: list[str]) -> Outcome:
    """Write `report.html` and its pictures into the demo's folder."""
    before = read_fsc(folder / "score-before" / "fsc.csv")
    after = read_fsc(folder / "score-after" / "fsc.csv")
    picks = demo_picks.read_score(folder)
    poses = demo_poses.read_score(folder)
    states = demo_states.read_score(folder)
    own = _sentence(before, after)
    sentence = f"{own} {picks.sentence} {poses.sentence} {states.sentence}"
    report = Report()
    report.text(sentence)
    _add_pictures(report, files)
    _add_curves(report, before, after)
    _add_loss(report, folder / "refine")
    demo_picks.add_picks(report, folder, picks)
    demo_poses.add_poses(report, folder, poses)
    demo_states.add_states(report, folder, states)
    report.section("Do it yourself")
    report.text("The demo ran these commands; each folder holds a report of its own.")
    report.table(["command"], [[command] for command in commands])
    for name, png in report.pictures.items():
        with atomic_path(folder / f"{name}.png") as temporary:
            temporary.write_bytes(png)
    page = folder / REPORT_NAME
    write_page(page, "icelens: tomograms, their particles, orientations and states", report.parts)
    return Outcome(page, sentence)


def _sentence(before: Fsc, after: Fsc) -> str:
    fine, coarse = BAND
    return (
        f"Correlation with the truth between {coarse:g} and {fine:g} Å "
        f"went from {before.mean('missing'):.2f} to {after.mean('missing'):.2f} in the missing "
        f"wedge and from {before.mean('measured'):.2f} to {after.mean('measured'):.2f} "
        "where the tilts did measure."
    )


def _add_pictures(report: Report, files: DemoFiles) -> None:
    from icelens.core.plots.slices import orthogonal_slices, power_spectra

    volumes = {name: _read(getattr(files, name)) for name in ("before", "after", "truth")}
    arrays = {name: volume.array for name, volume in volumes.items()}
    pixel_size = volumes["truth"].pixel_size
    report.section("Slices")
    report.figure(
        orthogonal_slices(arrays, pixel_size),
        name="slices",
        caption="Central slices before and after restoring, and the simulated truth. The lower row "
        "runs along the beam: there the missing wedge smears particles. Protein is dark.",
    )
    report.section("Power spectra")
    report.figure(
        power_spectra(arrays, pixel_size),
        name="power_spectra",
        caption="Power in x and z. The dark double cone before restoring is the missing wedge.",
    )


def _add_curves(report: Report, before: Fsc, after: Fsc) -> None:
    from icelens.core.plots.curves import fsc_curves

    report.section("Correlation with the truth")
    for region, title in (
        ("measured", "Where the tilts did measure"),
        ("missing", "In the missing wedge"),
    ):
        curves = {"before": getattr(before, region), "after": getattr(after, region)}
        figure = fsc_curves(curves, before.spatial_frequency, thresholds={"0.5": 0.5}, title=title)
        report.figure(figure, name=f"fsc_{region}", caption=f"{title}: FSC to the truth.")
    rows = [
        [words, before.mean(region), after.mean(region)]
        for region, words in (("measured", "measured region"), ("missing", "missing wedge"))
    ]
    report.table(["mean FSC, 200 to 30 Å", "before", "after"], rows)


def _add_loss(report: Report, folder: Path) -> None:
    from icelens.core.plots.curves import loss_curve

    rows = [row for row in read_metrics(folder) if row.get("loss") is not None]
    if rows:
        points = [row["step"] for row in rows], [row["loss"] for row in rows]
        report.section("Training")
        report.figure(loss_curve({"loss": points}), name="loss", caption=LOSS_CAPTION)


def _read(path: Path) -> "Volume":
    from icelens.core.io.volumes import open_volume

    return open_volume(path)


def _first_file(folder: Path) -> Path:
    found = sorted(folder.glob("*.mrc"))
    if not found:
        raise InputFileError(f"{folder}: expected a simulated tomogram; run `icelens demo` again")
    return found[0]
