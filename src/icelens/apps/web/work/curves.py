"""Curves that need mathematics: resolutions read off, Guinier plots of maps, STAR files."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from icelens.apps.web.curve_tables import (
    THRESHOLDS,
    Curve,
    CurveTable,
    correlation_table,
    finite,
    guinier_table,
)
from icelens.apps.web.worker import Answer
from icelens.core.errors import GeometryError, InputFileError
from icelens.core.fourier.frequencies import shell_frequencies
from icelens.core.fourier.sharpening import radial_amplitude
from icelens.core.io.slabs import check_values
from icelens.core.io.star import read_star
from icelens.core.io.volumes import open_volume
from icelens.core.metrics.fsc import ShellCorrelation, resolution_at
from icelens.core.metrics.guinier import fit_guinier

if TYPE_CHECKING:
    import pandas

MOST_VOXELS = 640**3
"""A larger map would fill the memory of a workstation when it is transformed."""
_FREQUENCY = "rlnResolution"
_CORRELATIONS = {
    "rlnFourierShellCorrelationCorrected": "corrected",
    "rlnFourierShellCorrelationUnmaskedMaps": "unmasked",
    "rlnFourierShellCorrelationMaskedMaps": "masked",
    "rlnCorrectedFourierShellCorrelationPhaseRandomizedMaskedMaps": "phases made random",
    "rlnFourierShellCorrelation": "half maps",
    "rlnGoldStandardFsc": "half maps",
}
_LOGARITHMS = {
    "rlnLogAmplitudesOriginal": "original",
    "rlnLogAmplitudesWeighted": "weighted by the FSC",
    "rlnLogAmplitudesSharpened": "sharpened",
    "rlnLogAmplitudesIntercept": "fitted line",
}


def readings(curves: Sequence[dict[str, Any]]) -> Answer:
    """Where each correlation first falls below each threshold.

    Args:
        curves: Fields of `Curve`, with x in 1/Å.
    """
    found = [
        {"name": curve.name, "threshold": threshold, **_reading(curve, threshold)}
        for curve in (Curve.model_validate(each) for each in curves)
        for threshold in THRESHOLDS
    ]
    return Answer({"readings": found})


def guinier(path: str, low: float, high: float | None) -> Answer:
    """The Guinier plot of a map, with the line fitted between two resolutions in Å.

    Raises:
        InputFileError: If the file is no map, or too large to transform here.
    """
    volume = open_volume(Path(path))
    if volume.array.size > MOST_VOXELS:
        raise InputFileError(
            f"{path}: {volume.array.size:.2g} voxels, expected at most {MOST_VOXELS:.2g}; crop or "
            "resample it with tools edit-map first"
        )
    check_values(Path(path), volume.array)
    values = torch.from_numpy(volume.array.astype("float32"))
    amplitude = radial_amplitude(values)
    z, y, x = values.shape
    frequency = shell_frequencies((z, y, x), pixel_size=volume.pixel_size)
    finest = 2.0 * volume.pixel_size if high is None else high
    square = finite(frequency.square().tolist())[1:]
    curves = [Curve(name="map", x=square, y=finite(amplitude.double().log().tolist())[1:])]
    facts: dict[str, Any] = {"b_factor": None}
    try:
        fit = fit_guinier(amplitude, frequency, low_resolution=low, high_resolution=finest)
    except GeometryError as error:
        note = f"No line: {error}."
    else:
        facts["b_factor"] = fit.b_factor
        note = f"B-factor {fit.b_factor:.0f} Å², fitted from {low:g} to {finest:.3g} Å, no mask."
        line = [value if used else None for value, used in zip(
            finite(fit.line().tolist()), fit.is_fitted.tolist(), strict=True)]  # fmt: skip
        curves.append(Curve(name="fitted line", x=square, y=line[1:], dashed=True))
    table = guinier_table(f"{Path(path).parent.name}/{Path(path).name}", curves, note)
    return Answer({"tables": [table.model_dump()], **facts})


def star_curves(path: str) -> Answer:
    """Correlations and Guinier plots that a STAR file holds, such as RELION's postprocess.star.

    Raises:
        InputFileError: If it holds none.
    """
    tables = []
    for name, block in read_star(Path(path)).items():
        table = _star_table(f"{Path(path).name}, {name}", block)
        if table is not None:
            tables.append(table.model_dump())
    if not tables:
        raise InputFileError(
            f"{path}: holds no curve; expected a table with rlnFourierShellCorrelation or "
            "rlnLogAmplitudesOriginal, as in RELION's postprocess.star"
        )
    return Answer({"tables": tables})


def _star_table(title: str, block: "pandas.DataFrame") -> CurveTable | None:
    wanted = _CORRELATIONS if _FREQUENCY in block else _LOGARITHMS
    x_name = _FREQUENCY if _FREQUENCY in block else "rlnResolutionSquared"
    names = [name for name in wanted if name in block]
    if x_name not in block or not names:
        return None
    x = finite(block[x_name].tolist())
    curves = [
        Curve(
            name=wanted[name],
            x=x,
            y=finite(block[name].tolist()),
            dashed=wanted[name] == "fitted line",
        )
        for name in names
    ]
    make = correlation_table if wanted is _CORRELATIONS else guinier_table
    return make(title, curves)


def _reading(curve: Curve, threshold: float) -> dict[str, Any]:
    """Resolution in Å, None where it is not known; whether it is only that of the last shell."""
    shells = zip(curve.x, curve.y, strict=True)
    known = [(x, y) for x, y in shells if x is not None and y is not None and x >= 0]
    if len(known) < 2:
        return {"resolution": None, "is_limit": False}
    x, y = (torch.tensor(each, dtype=torch.float64) for each in zip(*known, strict=True))
    try:
        resolution = resolution_at(ShellCorrelation(x, y, torch.ones_like(x)), threshold)
    except ZeroDivisionError:
        resolution = math.nan
    if not (math.isfinite(resolution) and resolution > 0):  # below the threshold from the start
        return {"resolution": None, "is_limit": False}
    return {"resolution": resolution, "is_limit": bool((y >= threshold).all())}
