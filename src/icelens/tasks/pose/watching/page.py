"""The live page of a watch: resolution over images, the map, and what was left out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from icelens.core.io.atomic import atomic_path
from icelens.core.plots.curves import loss_curve
from icelens.core.plots.histograms import stacked_histograms
from icelens.jobs.journal import METRICS_NAME
from icelens.jobs.report import REPORT_NAME, write_page
from icelens.jobs.run import Run
from icelens.tasks.pose.confidence import DirectionalScores, drift
from icelens.tasks.pose.infer_report import report_maps
from icelens.tasks.pose.watching.collector import Collected

_MOST_FAILED = 50


def write_live_page(live: Path, collected: Collected, known: DirectionalScores | None) -> list[str]:
    """Write `report.html` of the shared output anew.

    Args:
        live: The shared output.
        collected: What there is.
        known: How sure the model is of particles that it was held out from.

    Returns:
        The page's parts, for the report of the run that wrote it.
    """
    page = Run(live)
    page.report.section("So far")
    page.report.table(["", ""], _numbers(collected.metrics))
    history = _history(live, "resolution")
    if len(history) > 1:
        images, values = zip(*history, strict=True)
        page.report.figure(
            loss_curve({"half maps": (images, values)}, xlabel="images", ylabel="resolution (Å)"),
            name="resolution",
            caption="Where the half maps' correlation falls below 0.143, over the images so far.",
        )
    if collected.maps is not None:
        report_maps(collected.maps, collected.grid.pixel_size, page)
    if len(collected.probability):
        _confidence(collected, known, page)
    _tables(collected, page)
    for name, png in page.report.pictures.items():
        with atomic_path(live / f"{name}.png") as temporary:
            temporary.write_bytes(png)
    write_page(live / REPORT_NAME, f"pose.watch: {live.name}", page.report.parts)
    return page.report.parts


def drift_warning(collected: Collected, known: DirectionalScores | None) -> str | None:
    """What to say if the particles are not what the model learnt; None if they are."""
    if known is None or not len(collected.probability):
        return None
    if not drift(collected.probability, known).is_large:
        return None
    return (
        "the network is less sure of these particles than of those it was tested on; poses may be "
        "wrong, train or fine-tune on this set"
    )


def _confidence(collected: Collected, known: DirectionalScores | None, page: Run) -> None:
    page.report.section("Confidence")
    groups = {"new particles": collected.probability}
    if known is not None:
        groups["held out in training"] = known.held_out
    warning = drift_warning(collected, known)
    if warning:
        page.report.text(f"Warning: {warning}.")
    page.report.figure(
        stacked_histograms(groups, label="probability of the best pose", limits=(0.0, 1.0)),
        name="confidence",
        caption="How sure the network is of these particles, and of those held out in training.",
    )


def _tables(collected: Collected, page: Run) -> None:
    page.report.section("Processes")
    rows = [
        [name, "ended" if each.is_closed else "running", len(each.contents.included)]
        for name, each in collected.accounts.items()
    ]
    page.report.table(["process", "state", "files"], rows)
    failed = left_out(collected)
    if failed:
        page.report.section(f"Files left out ({len(failed)})")
        page.report.table(["file", "why"], failed[:_MOST_FAILED])


def left_out(collected: Collected) -> list[tuple[str, str]]:
    """Files that could not be used, and why."""
    included: set[str] = set()
    failed: dict[str, Mapping[str, Any]] = {}
    for account in collected.accounts.values():
        included |= account.contents.included.keys()
        failed |= account.contents.failed
    said = [each for name, each in failed.items() if name not in included]
    return sorted((str(each["file"]), str(each["reason"])) for each in said)


def _numbers(metrics: Mapping[str, float]) -> Sequence[tuple[str, object]]:
    words = {
        "files": "files",
        "images": "images",
        "used": "images in the maps",
        "resolution": "resolution (Å, FSC 0.143)",
        "median_probability": "median probability of the best pose",
        "unsure_share": "share of unsure answers (z-score below -2)",
    }
    return [(text, metrics[name]) for name, text in words.items() if name in metrics]


def _history(live: Path, name: str) -> list[tuple[float, float]]:
    """Values of a metric over the number of images; the file's last line may be cut."""
    rows: dict[int, float] = {}
    for line in (live / METRICS_NAME).read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if row.get(name) is not None:
            rows[int(row["step"])] = float(row[name])
    return sorted(rows.items())
