"""Tilts of RELION's tomogram sets as images of particles need them: projections, CTF and dose."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.geometry.axis_rotations import about_x, about_y, about_z
from icelens.core.io.image_columns import defocus, has, number_list, numbers
from icelens.core.io.star import read_star

if TYPE_CHECKING:
    import pandas

Floats = npt.NDArray[np.float64]

MICROSCOPE = ("rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast")
_PROJECTION = ("rlnTomoProjX", "rlnTomoProjY", "rlnTomoProjZ")
_ANGLES = ("rlnTomoXTilt", "rlnTomoYTilt", "rlnTomoZRot")
_SIZE = tuple(f"rlnTomoSize{axis}" for axis in "XYZ")


@dataclass(frozen=True, eq=False)
class Tilts:
    """The tilts of one tomogram, in the order of its table.

    Attributes:
        projection: `(tilt, 3, 3)`, takes directions in the tomogram to the image.
        defocus_u: `(tilt,)` in Å, at the tomogram's centre; so are the next two.
        defocus_v: See above.
        astigmatism_angle: In degrees.
        phase_shift: In degrees.
        scale: `(tilt,)` factor on the CTF: the cosine of the tilt if the table has none.
        dose: `(tilt,)` in e/Å^2 before the tilt was recorded.
        size_xyz: Of the tomogram, in unbinned pixels; zeros if not known.
        pixel_size: Of the tilt series, in Å/px.
        hand: Slope of the defocus along the beam, 1 or -1.
        microscope: Columns of the microscope that the set gives.
    """

    projection: Floats
    defocus_u: Floats
    defocus_v: Floats
    astigmatism_angle: Floats
    phase_shift: Floats
    scale: Floats
    dose: Floats
    size_xyz: Floats
    pixel_size: float
    hand: float
    microscope: dict[str, float]

    def __len__(self) -> int:
        """Number of tilts."""
        return len(self.projection)


def read_tilts(path: Path) -> dict[str, Tilts]:
    """All tomograms of a set by name: RELION 5, or 4's and WarpTools' form in one file.

    Raises:
        InputFileError: If a tilt series it names is missing.
        MetadataError: If columns are missing or hold what cannot be.
    """
    blocks = read_star(path)
    table = blocks.get("global")
    if table is None or not has(table, "rlnTomoName"):
        raise MetadataError(
            f"{path}: no block data_global with rlnTomoName, expected a set of tomograms; give the "
            "tomograms STAR file"
        )
    return {
        str(record["rlnTomoName"]): _tilts(path, {str(k): v for k, v in record.items()}, blocks)
        for record in table.to_dict("records")
    }


def _tilts(
    path: Path, record: Mapping[str, Any], blocks: "Mapping[str, pandas.DataFrame]"
) -> Tilts:
    source, table = _table_of(path, record, blocks)
    projection = _projections(source, table)
    u, v, angle = defocus(source, table)
    scale = numbers(source, table, "rlnCtfScalefactor", np.nan)
    try:
        return Tilts(
            projection,
            defocus_u=u,
            defocus_v=v,
            astigmatism_angle=angle,
            phase_shift=numbers(source, table, "rlnPhaseShift", 0.0),
            scale=np.where(np.isnan(scale), np.abs(projection[:, 2, 2]), scale),
            dose=numbers(source, table, "rlnMicrographPreExposure", 0.0),
            size_xyz=np.asarray([float(record.get(name, 0.0)) for name in _SIZE]),
            pixel_size=float(record.get("rlnTomoTiltSeriesPixelSize", 0.0)),
            hand=float(record.get("rlnTomoHand", -1.0)),
            microscope={name: float(record[name]) for name in MICROSCOPE if name in record},
        )
    except ValueError as error:
        raise MetadataError(
            f"{path}: data_global holds text where a number should be ({error}); correct it"
        ) from error


def _table_of(
    path: Path, record: Mapping[str, Any], blocks: "Mapping[str, pandas.DataFrame]"
) -> "tuple[Path, pandas.DataFrame]":
    """The table of a tomogram's tilts and the file that it stands in."""
    name = str(record["rlnTomoName"])
    if name in blocks:
        return path, blocks[name]
    if "rlnTomoTiltSeriesStarFile" not in record:
        raise MetadataError(
            f"{path}: no block data_{name} and no rlnTomoTiltSeriesStarFile, expected the tilts of "
            "each tomogram; add them"
        )
    named = Path(str(record["rlnTomoTiltSeriesStarFile"]))
    folders = [path.parent, *path.absolute().parent.parents, Path()]
    candidates = [folder / named for folder in folders] + [path.parent / named.name]
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        raise InputFileError(
            f"{path}: tilt series {named} of {name} does not exist; put it where RELION had it"
        )
    own = read_star(found)
    return found, own.get(name, next(iter(own.values())))


def _projections(path: Path, table: "pandas.DataFrame") -> Floats:
    """Rotations of the tilts, from rows of matrices or from angles.

    References:
        RELION, `Tomogram::setProjectionMatrix`: rotate about x, then y, then z.
    """
    if has(table, *_PROJECTION):
        rows = [
            [number_list(path, name, value)[:3] for value in table[name]] for name in _PROJECTION
        ]
        if any(len(row) != 3 for column in rows for row in column):
            raise MetadataError(
                f"{path}: {_PROJECTION[0]} and the next two hold lists of other lengths, expected "
                "4 numbers in each; correct them"
            )
        return np.swapaxes(np.asarray(rows, np.float64).reshape(3, len(table), 3), 0, 1)
    if not has(table, *_ANGLES):
        raise MetadataError(
            f"{path}: neither {_PROJECTION[0]} nor {_ANGLES[1]} is there, expected aligned tilts; "
            "align the tilt series"
        )
    x, y, z = (np.deg2rad(numbers(path, table, name, 0.0)) for name in _ANGLES)
    return about_z(z) @ about_y(y) @ about_x(x)
