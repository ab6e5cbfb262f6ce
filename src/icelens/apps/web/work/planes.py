"""Planes of volumes, their headers and spectra, cut in a process of its own.

It maps files into memory, which ends a process when a file shrinks meanwhile: not the server's.
"""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from icelens.apps.web.job_view.openers import opening_commands
from icelens.apps.web.slices.greys import PERCENTS, codes
from icelens.apps.web.slices.opened import OpenVolume, OpenVolumes
from icelens.apps.web.slices.planes import Axis, Plane, binned, plane
from icelens.apps.web.slices.spectra import log_power
from icelens.apps.web.worker import Answer
from icelens.core.errors import GeometryError

LARGEST_TABLE = 4_000_000
"""Values of a plane that is written as text."""
_volumes = OpenVolumes()


def header(path: str) -> Answer:
    """Shape, sampling and grey values of a volume, and commands that open it elsewhere."""
    volume = _volumes.open(Path(path))
    found = volume.header
    return Answer(
        {
            "name": Path(path).name,
            "shape": list(found.shape),
            "pixel_size": found.pixel_size,
            "origin_xyz": list(found.origin_xyz),
            "dtype": found.dtype.name,
            "format": found.format,
            "percents": list(PERCENTS),
            "quantiles": list(volume.greys.quantiles),
            "low": volume.greys.low,
            "high": volume.greys.high,
            "version": "-".join(str(part) for each in volume.stamp for part in each),
            "commands": dict(opening_commands(path)),
        }
    )


def cut(path: str, axis: Axis, index: int, slab: int, max_size: int) -> Answer:
    """One plane as 16-bit codes; see `greys.codes`.

    Args:
        path: Volume.
        axis: What the plane is perpendicular to.
        index: Voxel along it.
        slab: Planes averaged about it.
        max_size: Longest side of the answer; larger planes are binned.
    """
    volume = _volumes.open(Path(path))
    values, factor = binned(plane(volume.array, axis, index, slab=slab), max_size)
    return _coded(values, volume.greys.low, volume.greys.high, factor, volume)


def spectrum(path: str, axis: Axis, index: int, slab: int, max_size: int) -> Answer:
    """Decimal logarithm of the power of a plane as 16-bit codes, frequency 0 in the middle.

    Args:
        path: Volume.
        axis: What the plane is perpendicular to.
        index: Voxel along it.
        slab: Planes averaged about it.
        max_size: Longest side of the answer; larger spectra are binned.
    """
    volume = _volumes.open(Path(path))
    power = log_power(plane(volume.array, axis, index, slab=slab))
    low, high = float(power.min()), float(power.max())
    values, factor = binned(power, max_size)
    return _coded(values, low, high if high > low else low + 1.0, factor, volume)


def table(path: str, axis: Axis, index: int, slab: int) -> Answer:
    """The raw values of a plane as CSV, under one line that says what they are.

    Raises:
        GeometryError: If there are too many.
    """
    volume = _volumes.open(Path(path))
    values = plane(volume.array, axis, index, slab=slab)
    if math.prod(values.shape) > LARGEST_TABLE:
        raise GeometryError(
            f"{path}: a plane of {values.shape[0]} x {values.shape[1]} values is too large for a "
            "table; read the file itself"
        )
    sampling = volume.header.pixel_size
    rows, columns = {"z": ("y", "x"), "y": ("z", "x"), "x": ("y", "z")}[axis]
    words = f"{Path(path).name}, {axis} = {index}, slab {slab}, rows {rows}, columns {columns}"
    text = io.StringIO()
    note = words + (f", {sampling:g} Å/px" if sampling else "")
    np.savetxt(text, values, fmt="%.7g", delimiter=",", header=" ".join(note.split()))
    return Answer({}, text.getvalue().encode())


def _coded(values: Plane, low: float, high: float, factor: int, volume: OpenVolume) -> Answer:
    data: dict[str, Any] = {
        "rows": values.shape[0],
        "columns": values.shape[1],
        "low": low,
        "high": high,
        "bin": factor,
        "pixel_size": volume.header.pixel_size or 0.0,
    }
    return Answer(data, codes(values, low, high).tobytes())
