"""Compare two maps: curves over all, the measured and the missing region, and one sentence."""

import math
from pathlib import Path

import torch

from icelens.core.errors import GeometryError, MetadataError
from icelens.core.events import Message, Saved
from icelens.core.io.fsc_table import write_fsc
from icelens.core.metrics.fsc import (
    ShellCorrelation,
    fourier_shell_correlation,
    mean_correlation,
    resolution_at,
)
from icelens.core.metrics.phase_randomisation import masked_correlation
from icelens.core.optics.missing_wedge import TiltScheme, measured_mask
from icelens.core.plots.curves import fsc_curves
from icelens.jobs.run import Run
from icelens.tasks.tools.jobs import FscConfig
from icelens.tasks.tools.maps import as_tensor, check_same_grid, open_map, open_mask

THRESHOLDS = (0.5, 0.143)
Curves = dict[str, ShellCorrelation]


def compare_maps(config: FscConfig, run: Run) -> Path:
    """Write the table, picture and report of a comparison; return the table."""
    curves, summary = correlate_files(config, run)
    path = run.folder / "fsc.csv"
    write_curves(path, curves)
    run.on_event(Saved(path, "table"))
    report(run, curves, summary)
    run.on_event(Message(sentence(summary, config.mean_between)))
    return path


def correlate_files(config: FscConfig, run: Run) -> tuple[Curves, dict[str, dict[str, float]]]:
    """All curves that were asked for, and their figures, by name."""
    tilts = checked_tilts(config.tilt_range)
    map_1 = open_map(config.map_1, config.pixel_size, config.pixel_size_from)
    map_2 = open_map(config.map_2, config.pixel_size, config.pixel_size_from)
    check_same_grid(config.map_1, map_1, config.map_2, map_2)
    mask = None if config.mask is None else open_mask(config.mask, map_1.shape)
    tensors = as_tensor(map_1), as_tensor(map_2)
    p = map_1.pixel_size
    curves = {"all": fourier_shell_correlation(*tensors, pixel_size=p, mask=mask)}
    if mask is not None:
        run.citations.append("chen2013highresolution")
        generator = torch.Generator().manual_seed(config.seed)
        curves["corrected"] = masked_correlation(
            *tensors, mask, pixel_size=p, generator=generator
        ).corrected
    if tilts is not None:
        measured = measured_mask(map_1.shape, tilts)
        for name, region in (("measured", measured), ("missing", 1.0 - measured)):
            curves[name] = fourier_shell_correlation(
                *tensors, pixel_size=p, mask=mask, region=region
            )
    summary = {name: figures(curve, config.mean_between) for name, curve in curves.items()}
    if float(curves["all"].correlation[1:4].mean()) < -0.2:
        text = "the maps correlate negatively at low resolution: do they differ in contrast?"
        run.on_event(Message(text, "warning"))
    return curves, summary


def checked_tilts(tilt_range: tuple[float, float] | None) -> TiltScheme | None:
    """The scheme of a tilt range.

    Raises:
        MetadataError: If the range is reversed, impossible, or leaves nothing missing.
    """
    if tilt_range is None:
        return None
    low, high = tilt_range
    if not -90 <= low < high <= 90 or high - low > 179:
        raise MetadataError(
            f"--tilt-range is {low:g},{high:g}; expected two ascending angles from -90 to 90 "
            "degrees that leave a wedge, such as -60,60"
        )
    return TiltScheme(low, high)


def figures(curve: ShellCorrelation, between: tuple[float, float]) -> dict[str, float]:
    """Resolution in Å at each threshold, and the mean correlation (NaN if no shell is between)."""
    values = {f"resolution_{height:g}": resolution_at(curve, height) for height in THRESHOLDS}
    try:
        values["mean"] = mean_correlation(curve, *between)
    except GeometryError:
        # maps of fine sampling or few voxels have no shell there; their resolutions still count
        values["mean"] = math.nan
    return values


def sentence(summary: dict[str, dict[str, float]], between: tuple[float, float]) -> str:
    """The result in words."""
    parts = []
    for name, values in summary.items():
        text = f"{values['resolution_0.5']:.1f} Å at 0.5 and {values['resolution_0.143']:.1f} Å at "
        text += "0.143"
        if not math.isnan(values["mean"]):
            coarse, fine = between
            text += f", mean correlation {values['mean']:.3f} from {coarse:g} to {fine:g} Å"
        parts.append(text if name == "all" else f"{name}: {text}")
    return "Maps agree to " + "; ".join(parts)


def report(run: Run, curves: Curves, summary: dict[str, dict[str, float]]) -> None:
    """Table of figures and picture of the curves."""
    run.report.section("Fourier shell correlation")
    run.report.table(
        ["curve", "Å at 0.5", "Å at 0.143", "mean correlation"],
        [[name, *values.values()] for name, values in summary.items()],
    )
    picture = fsc_curves(
        {
            # a shell without samples has no correlation; the line is broken there
            name: torch.where(curve.count > 0, curve.correlation, math.nan).numpy()
            for name, curve in curves.items()
        },
        curves["all"].spatial_frequency.numpy(),
        thresholds={f"{height:g}": height for height in THRESHOLDS},
    )
    caption = "Correlation of the two maps by resolution: " + ", ".join(curves) + "."
    run.report.figure(picture, name="fsc", caption=caption)


def write_curves(path: Path, curves: Curves) -> None:
    """A CSV with one row for each shell; each curve has its values and its count of samples."""
    frequency = next(iter(curves.values())).spatial_frequency.tolist()
    columns: dict[str, list[float]] = {}
    for name, curve in curves.items():
        columns[name] = curve.correlation.double().tolist()
        columns[f"{name}_count"] = curve.count.double().tolist()
    write_fsc(path, frequency, columns)
