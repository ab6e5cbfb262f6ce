"""RELION-5 tomogram sets: a global table and one table of tilts per series, read and written."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.tilt_series import TiltSeries
from icelens.core.data.tomogram_columns import is_absent
from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.star import read_star, write_star

if TYPE_CHECKING:
    import pandas

_NEEDED = ("rlnTomoName", "rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast")
_HALVES = {
    "full": "rlnTomoReconstructedTomogram",
    "even": "rlnTomoReconstructedTomogramHalf1",
    "odd": "rlnTomoReconstructedTomogramHalf2",
    "denoised": "rlnTomoReconstructedTomogramDenoised",
}


@dataclass(frozen=True)
class RelionTomograms:
    """A set read from disk: the list, each tomogram's name and its tilt series, in one order."""

    tomograms: TomogramList
    names: tuple[str, ...]
    tilt_series: tuple[TiltSeries, ...]


def read_relion_tomograms(path: Path) -> RelionTomograms:
    """Read a RELION-5 set, or RELION-4's form with all tilt series in one file.

    Raises:
        InputFileError: If the file or a tilt series it names is missing.
        MetadataError: If a column is missing.
    """
    blocks = read_star(path)
    table = blocks.get("global")
    if table is None:
        raise MetadataError(f"{path}: no block data_global, expected a RELION tomogram set")
    missing = [name for name in _NEEDED if name not in table.columns]
    if missing:
        raise MetadataError(f"{path}: column {missing[0]} is missing in data_global; add it")
    rows, series = [], []
    for position, cells in enumerate(table.to_dict("records"), start=1):
        record = {str(name): value for name, value in cells.items()}
        tilts, tilt_file = _tilts_of(path, record, blocks)
        rows.append(_row(path, position, record, tilts, tilt_file))
        series.append(tilts)
    names = tuple(str(name) for name in table["rlnTomoName"])
    return RelionTomograms(TomogramList.from_rows(rows, path), names, tuple(series))


def read_relion_tilt_series(path: Path) -> TiltSeries:
    """Read the table of one tilt series.

    The refined angle `rlnTomoYTilt` is preferred to the stage's; defoci are in Å already.

    Raises:
        MetadataError: If no column gives angles.
    """
    return _tilt_series(path, next(iter(read_star(path).values())))


def write_relion_tomograms(
    path: Path,
    tomograms: TomogramList,
    names: tuple[str, ...],
    tilt_series: tuple[TiltSeries, ...],
    *,
    shapes: Mapping[int, tuple[int, int, int]],
    hand: int = -1,
) -> None:
    """Write a RELION-5 set: `data_global`, and tilt series in the folder `tilt_series` beside it.

    Args:
        path: Of the global STAR file.
        tomograms: Binned tomograms; the tilt series' own pixel size gives the binning.
        names: Name of each tomogram.
        tilt_series: Of each tomogram.
        shapes: Voxels `(z, y, x)` of the tomogram of each rlnIndex.
        hand: Defocus handedness, -1 or 1, as RELION's `rlnTomoHand`.
    """
    import pandas as pd

    if not len(tomograms) == len(names) == len(tilt_series):
        raise MetadataError(
            f"{path}: {len(tomograms)} tomograms, {len(names)} names and {len(tilt_series)} tilt "
            "series, expected one of each"
        )
    records = []
    for row, name, tilts in zip(tomograms, names, tilt_series, strict=True):
        star = path.parent / "tilt_series" / f"{name}.star"
        write_star(star, {name: _tilt_table(tilts)})
        records.append(_global_record(row, name, tilts, star, shapes[row.index], hand))
    write_star(path, {"global": pd.DataFrame(records)})


def _tilts_of(
    path: Path, record: Mapping[str, Any], blocks: "Mapping[str, pandas.DataFrame]"
) -> tuple[TiltSeries, Path | None]:
    """A tomogram's tilts from a block of the same file, or from the file it names."""
    name = str(record["rlnTomoName"])
    if name in blocks:
        return _tilt_series(path, blocks[name]), None
    if "rlnTomoTiltSeriesStarFile" not in record:
        raise MetadataError(f"{path}: no block data_{name} and no rlnTomoTiltSeriesStarFile")
    named = Path(str(record["rlnTomoTiltSeriesStarFile"]))
    candidates = [named, path.parent / named, path.parent / named.name]
    for candidate in candidates:
        if candidate.is_file():
            return read_relion_tilt_series(candidate), candidate
    raise InputFileError(
        f"{path}: tilt series {named} of {name} does not exist; start from RELION's project folder"
    )


def _tilt_series(path: Path, table: "pandas.DataFrame") -> TiltSeries:
    axis = _optional(path, table, "rlnTomoZRot", "rlnTomoNominalTiltAxisAngle")
    return TiltSeries(
        _angles(path, table),
        dose=_optional(path, table, "rlnMicrographPreExposure"),
        defocus_u=_optional(path, table, "rlnDefocusU"),
        defocus_v=_optional(path, table, "rlnDefocusV"),
        astigmatism_angle=_optional(path, table, "rlnDefocusAngle"),
        tilt_axis_angle=None if axis is None else float(axis.mean()),
    )


def _angles(path: Path, table: "pandas.DataFrame") -> npt.NDArray[np.float64]:
    angles = _optional(path, table, "rlnTomoYTilt", "rlnTomoNominalStageTiltAngle")
    if angles is not None:
        return angles
    if "rlnTomoProjZ" not in table.columns:
        raise MetadataError(f"{path}: neither rlnTomoYTilt nor rlnTomoNominalStageTiltAngle")
    # The third row of the projection is that of a rotation about y: (-sin, 0, cos).
    rows = [str(row).strip("[]").split(",") for row in table["rlnTomoProjZ"]]
    beam_xyz = np.array(rows, np.float64)[:, :3]
    tilt: npt.NDArray[np.float64] = np.rad2deg(np.arctan2(-beam_xyz[:, 0], beam_xyz[:, 2]))
    return tilt


def _optional(path: Path, table: "pandas.DataFrame", *names: str) -> npt.NDArray[np.float64] | None:
    """The first of these columns that is there."""
    for name in names:
        if name in table.columns:
            if table[name].dtype.kind not in "iuf":
                raise MetadataError(f"{path}: {name} holds text, expected numbers; correct it")
            values: npt.NDArray[np.float64] = table[name].to_numpy(np.float64)
            return values
    return None


def _row(
    path: Path, index: int, record: Mapping[str, Any], tilts: TiltSeries, tilt_file: Path | None
) -> TomogramRow:
    spacing = record.get("rlnTomoTiltSeriesPixelSize", record.get("rlnMicrographOriginalPixelSize"))
    if spacing is None:
        raise MetadataError(f"{path}: column rlnTomoTiltSeriesPixelSize is missing; add it")
    files: dict[str, Any] = {
        field: Path(str(record[name]))
        for field, name in _HALVES.items()
        if not is_absent(record.get(name))
    }
    return TomogramRow(
        index=index,
        pixel_size=float(spacing) * float(record.get("rlnTomoTomogramBinning", 1.0)),
        defocus=tilts.defocus_at_zero_tilt or 0.0,
        voltage=float(record["rlnVoltage"]),
        spherical_aberration=float(record["rlnSphericalAberration"]),
        amplitude_contrast=float(record["rlnAmplitudeContrast"]),
        tilt_min=tilts.tilt_min,
        tilt_max=tilts.tilt_max,
        tilt_file=tilt_file,
        source=path,
        **files,
    )


def _global_record(
    row: TomogramRow,
    name: str,
    tilts: TiltSeries,
    star: Path,
    shape: tuple[int, int, int],
    hand: int,
) -> dict[str, object]:
    """One row of data_global; RELION counts sizes in pixels of the unbinned tilt series."""
    pixel_size = tilts.pixel_size or row.pixel_size
    binning = row.pixel_size / pixel_size
    z, y, x = (round(side * binning) for side in shape)
    record: dict[str, object] = {
        "rlnTomoName": name,
        "rlnVoltage": row.voltage,
        "rlnSphericalAberration": row.spherical_aberration,
        "rlnAmplitudeContrast": row.amplitude_contrast,
        "rlnMicrographOriginalPixelSize": pixel_size,
        "rlnTomoHand": float(hand),
        "rlnOpticsGroupName": "opticsGroup1",
        "rlnTomoTiltSeriesPixelSize": pixel_size,
        "rlnTomoTiltSeriesStarFile": str(star),
        "rlnTomoTomogramBinning": binning,
        "rlnTomoSizeX": x,
        "rlnTomoSizeY": y,
        "rlnTomoSizeZ": z,
    }
    files = {column: getattr(row, field) for field, column in _HALVES.items()}
    return record | {column: str(file) for column, file in files.items() if file is not None}


def _tilt_table(tilts: TiltSeries) -> "pandas.DataFrame":
    """A tilt series as RELION-5 writes it after alignment."""
    import pandas as pd

    axis = 0.0 if tilts.tilt_axis_angle is None else tilts.tilt_axis_angle
    columns: dict[str, object] = {
        "rlnTomoNominalStageTiltAngle": tilts.angles,
        "rlnTomoNominalTiltAxisAngle": np.full(len(tilts), axis),
        "rlnTomoXTilt": np.zeros(len(tilts)),
        "rlnTomoYTilt": tilts.angles,
        "rlnTomoZRot": np.full(len(tilts), axis),
        "rlnTomoXShiftAngst": np.zeros(len(tilts)),
        "rlnTomoYShiftAngst": np.zeros(len(tilts)),
        "rlnCtfScalefactor": np.cos(np.deg2rad(tilts.angles)),
    }
    optional = {
        "rlnMicrographPreExposure": tilts.dose,
        "rlnDefocusU": tilts.defocus_u,
        "rlnDefocusV": tilts.defocus_u if tilts.defocus_v is None else tilts.defocus_v,
        "rlnDefocusAngle": tilts.astigmatism_angle,
    }
    columns |= {name: values for name, values in optional.items() if values is not None}
    return pd.DataFrame(columns)
