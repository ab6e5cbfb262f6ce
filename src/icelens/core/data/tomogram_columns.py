"""IsoNet2's tomogram list: which STAR column is which house word, and how its values are read."""

import math
from pathlib import Path
from typing import Literal

from icelens.core.errors import MetadataError

Kind = Literal["count", "number", "path", "optional count"]

# In exactly IsoNet2's order; the last four are appended when they are first filled.
COLUMN_OF_FIELD: dict[str, str] = {
    "index": "rlnIndex",
    "full": "rlnTomoName",
    "even": "rlnTomoReconstructedTomogramHalf1",
    "odd": "rlnTomoReconstructedTomogramHalf2",
    "pixel_size": "rlnPixelSize",
    "defocus": "rlnDefocus",
    "voltage": "rlnVoltage",
    "spherical_aberration": "rlnSphericalAberration",
    "amplitude_contrast": "rlnAmplitudeContrast",
    "deconvolved": "rlnDeconvTomoName",
    "mask_boundary": "rlnMaskBoundary",
    "mask": "rlnMaskName",
    "tilt_min": "rlnTiltMin",
    "tilt_max": "rlnTiltMax",
    "picks": "rlnBoxFile",
    "num_subtomograms": "rlnNumberSubtomo",
    "corrected": "rlnCorrectedTomoName",
    "denoised": "rlnDenoisedTomoName",
    "ground_truth": "rlnGroundTruth",
    "tilt_file": "icelensTiltFile",
}
ISONET2_COLUMNS = tuple(COLUMN_OF_FIELD.values())[:17]

KIND_OF_FIELD: dict[str, Kind] = {
    "index": "count",
    "pixel_size": "number",
    "defocus": "number",
    "voltage": "number",
    "spherical_aberration": "number",
    "amplitude_contrast": "number",
    "tilt_min": "number",
    "tilt_max": "number",
    "num_subtomograms": "optional count",
}

# Where a column's values come from: told to a user who lacks one.
REMEDY_OF_FIELD: dict[str, str] = {
    "full": "fill it with `icelens restore prepare --full DIR`",
    "even": "fill it with `icelens restore prepare --even DIR --odd DIR`",
    "odd": "fill it with `icelens restore prepare --even DIR --odd DIR`",
    "deconvolved": "fill it with `icelens restore deconvolve`",
    "mask": "fill it with `icelens restore mask`",
    "corrected": "fill it with `icelens restore predict`",
    "denoised": "fill it with `icelens restore predict` and a denoising checkpoint",
}

_ABSENT = {"", "none", "nan", "<na>", "null"}


def column_of(field: str) -> str:
    """The STAR column of a house word; a column's own name passes unchanged."""
    return COLUMN_OF_FIELD.get(field, field)


def is_absent(value: object) -> bool:
    """Whether a cell says nothing: None, NaN, `None`, `<NA>` or empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return str(value).strip().lower() in _ABSENT


def read_cell(where: str, field: str, value: object) -> int | float | Path | None:
    """A cell's value in the type of its field.

    Args:
        where: File and row, to begin an error with.
        field: House word of the column.
        value: As the table holds it; counts may be written `600.000000`.

    Raises:
        MetadataError: If a number is needed and something else stands there.
    """
    kind: Kind = KIND_OF_FIELD.get(field, "path")
    if is_absent(value):
        if kind in ("path", "optional count"):
            return None
        raise MetadataError(
            f"{where}: {column_of(field)} is empty ({value}), expected a number; fill it in"
        )
    if kind == "path":
        return Path(str(value).strip())
    return _number(where, field, str(value), whole=kind != "number")


def _number(where: str, field: str, text: str, *, whole: bool) -> int | float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise MetadataError(
            f"{where}: {column_of(field)} is {text!r}, expected a number; correct it"
        )
    if whole and number != int(number):
        raise MetadataError(
            f"{where}: {column_of(field)} is {text}, expected a whole number; correct it"
        )
    return int(number) if whole else number
