"""SerialEM's mdoc: angles and accumulated dose of a tilt series."""

import re
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.tilt_series import TiltSeries
from icelens.core.errors import InputFileError
from icelens.core.io.number_table import read_text

_SECTION = re.compile(r"\[(ZValue|FrameSet)\s*=\s*([^\]]*)\]\Z")
_AXIS = re.compile(r"Tilt axis angle\s*=\s*(-?[\d.]+)", re.IGNORECASE)
# strptime takes one blank for any number of them.
_DATE_FORMATS = ("%d-%b-%y %H:%M:%S", "%d-%b-%Y %H:%M:%S")


def read_mdoc(path: Path) -> TiltSeries:
    """Read the sections of a tilt series' mdoc, in the file's order.

    The dose before each image is `PriorRecordDose` if SerialEM wrote it, else the sum of
    `ExposureDose` over images with an earlier `DateTime`; it is unknown if those are all zero. The
    defocus of an mdoc is the microscope's setting, not a measurement, and is left out.

    Raises:
        InputFileError: If the file is missing, holds no sections, or a section has no angle.
    """
    text = read_text(path, expected="an mdoc of SerialEM")
    general, sections = _sections(text)
    if not sections:
        raise InputFileError(f"{path}: no [ZValue = ...] section, expected an mdoc; check the path")
    angles = [_number(path, position, section, "TiltAngle") for position, section in sections]
    axis = _AXIS.search(text)
    spacing = general.get("PixelSpacing") or sections[0][1].get("PixelSpacing")
    return TiltSeries(
        np.array(angles),
        dose=_prior_dose(path, sections),
        tilt_axis_angle=float(axis[1]) if axis else None,
        pixel_size=float(spacing) if spacing and float(spacing) > 0 else None,
    )


def _sections(text: str) -> tuple[dict[str, str], list[tuple[str, dict[str, str]]]]:
    """The lines before the first section, and each section's name and lines, as key and value."""
    general: dict[str, str] = {}
    sections: list[tuple[str, dict[str, str]]] = []
    current = general
    for raw in text.splitlines():
        line = raw.strip()
        opened = _SECTION.match(line)
        if opened:
            current = {}
            sections.append((opened[2].strip(), current))
        elif "=" in line and not line.startswith("["):
            key, value = line.split("=", 1)
            current[key.strip()] = value.strip()
    return general, sections


def _number(path: Path, position: str, section: dict[str, str], key: str) -> float:
    try:
        return float(section[key])
    except (KeyError, ValueError) as error:
        found = section.get(key, "missing")
        raise InputFileError(
            f"{path}: {key} of section {position} is {found}, expected a number; correct it"
        ) from error


def _prior_dose(
    path: Path, sections: list[tuple[str, dict[str, str]]]
) -> npt.NDArray[np.float64] | None:
    if all("PriorRecordDose" in section for _, section in sections):
        return np.array([_number(path, at, section, "PriorRecordDose") for at, section in sections])
    if not all("ExposureDose" in section for _, section in sections):
        return None
    doses = np.array([_number(path, at, section, "ExposureDose") for at, section in sections])
    times = [_time(section.get("DateTime", "")) for _, section in sections]
    known = [time for time in times if time is not None]
    if not doses.any() or len(known) != len(times):
        return None
    order = np.argsort(np.array([time.timestamp() for time in known]), kind="stable")
    prior = np.empty(len(doses))
    prior[order] = np.cumsum(doses[order]) - doses[order]
    return prior


def _time(text: str) -> datetime | None:
    for date_format in _DATE_FORMATS:
        try:
            return datetime.strptime(text, date_format)
        except ValueError:
            continue
    return None
