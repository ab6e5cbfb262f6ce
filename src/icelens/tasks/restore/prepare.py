"""Make the list of tomograms that every job of restore reads: pair, match, check, write."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.events import Message, OnEvent, Progress, Saved, ignore
from icelens.core.io.atomic import atomic_path
from icelens.core.io.pairs import pair_name
from icelens.core.io.pick_files import read_picks
from icelens.core.io.slabs import slabs
from icelens.core.io.tilt_series import read_tilt_series
from icelens.core.io.tomogram_star import write_tomograms
from icelens.core.io.volume_header import CONTRADICTION, VolumeHeader, resolve_pixel_size
from icelens.core.io.volumes import (
    PixelSizeFrom,
    check_values,
    new_volume,
    open_volume,
    read_header,
)
from icelens.jobs.run import Run
from icelens.tasks.restore.costs import SUBTOMOGRAMS_PER_EPOCH
from icelens.tasks.restore.find_tomograms import FoundTomogram

UNKNOWN_DEFOCUS = 10000.0
"""Å, written where nobody knows the defocus, as IsoNet2 does."""
SMALLEST_DEFOCUS = 100.0
"""Å; a smaller number was meant in µm."""
USUAL = {
    "voltage": 300.0,
    "spherical_aberration": 2.7,
    "amplitude_contrast": 0.1,
    "tilt_min": -60.0,
    "tilt_max": 60.0,
}
"""Taken where nobody says otherwise, as IsoNet2 does; kV, mm, fraction, degrees."""
_VALUE_FIELDS = ("even", "odd", "full", "ground_truth")


@dataclass(frozen=True)
class Recording:
    """How the tomograms were recorded; None where files should tell.

    `pixel_size` in Å/px, `defocus` in Å at zero tilt (one for all, or one for each), `tilt_min` and
    `tilt_max` in degrees, `voltage` in kV, `spherical_aberration` in mm.
    """

    pixel_size: float | None = None
    defocus: tuple[float, ...] = ()
    tilt_min: float | None = None
    tilt_max: float | None = None
    voltage: float | None = None
    spherical_aberration: float | None = None
    amplitude_contrast: float | None = None
    pixel_size_from: PixelSizeFrom = "error"


def list_tomograms(
    found: Sequence[FoundTomogram],
    recording: Recording,
    *,
    num_subtomograms: int | None = None,
    on_event: OnEvent = ignore,
) -> TomogramList:
    """Check that the files of each tomogram fit together, and list them.

    The user's word goes before a tilt file's, that before another program's list, that before
    usual values.

    Args:
        found: Names and files.
        recording: What the user knows of the microscope.
        num_subtomograms: Boxes that each tomogram gives in an epoch; by default a share of 3000,
            or nothing where there are picks.
        on_event: Told of values that had to be guessed.

    Raises:
        MetadataError: If pixel sizes are unknown or contradict each other, or a number is
            impossible.
        GeometryError: If files of one tomogram differ in shape.
        InputFileError: If a file is missing or damaged.
    """
    defoci = _spread_defocus(recording.defocus, len(found))
    share = max(1, SUBTOMOGRAMS_PER_EPOCH // len(found))
    rows = []
    for index, (tomogram, defocus) in enumerate(zip(found, defoci, strict=True), start=1):
        files = tomogram.files
        pixel_size = _checked_geometry(tomogram, recording, on_event)
        _check_picks(files, pixel_size)
        values = USUAL | dict(tomogram.known) | _tilts(files.get("tilt_file")) | _said(recording)
        values |= {"pixel_size": pixel_size} | ({} if defocus is None else {"defocus": defocus})
        if not values.get("defocus"):
            values["defocus"] = _guessed_defocus(tomogram.name, on_event)
        boxes = num_subtomograms or (None if "picks" in files else share)
        row: dict[str, Any] = {**values, **files}
        rows.append(TomogramRow(index=index, num_subtomograms=boxes, **row))
    return TomogramList.from_rows(rows)


def check_densities(tomograms: TomogramList, on_event: OnEvent = ignore) -> None:
    """Read every density once and refuse what holds NaN or is constant.

    Raises:
        InputFileError: Naming the file and the first bad voxel.
    """
    paths = [path for row in tomograms for path in _volumes(row)]
    for done, path in enumerate(paths, start=1):
        # The pixel size is of no matter here, and was settled before.
        check_values(path, open_volume(path, pixel_size=1.0, pixel_size_from="metadata").array)
        on_event(Progress("check voxels", done, len(paths), "file"))


def average_halves(
    tomograms: TomogramList, folder: Path, on_event: OnEvent = ignore
) -> TomogramList:
    """Write the mean of both halves of each tomogram and list it as the full one.

    Raises:
        MetadataError: If a row lacks a half, or has a full tomogram already.
    """
    rows = list(tomograms)
    averaged = []
    for done, row in enumerate(rows, start=1):
        if row.full is not None:
            raise MetadataError(f"{row.full}: is the full tomogram already; drop --create-average")
        halves = [
            open_volume(row.require(half), pixel_size=row.pixel_size, pixel_size_from="metadata")
            for half in ("even", "odd")
        ]
        path = folder / f"{pair_name(row.require('even'))}_full.mrc"
        even = halves[0]
        with new_volume(
            path, shape=even.shape, pixel_size=row.pixel_size, origin_xyz=even.origin_xyz
        ) as mean:
            for part in slabs(even.shape):
                first, second = (np.asarray(half.array[part], np.float32) for half in halves)
                mean[part] = 0.5 * (first + second)
        on_event(Saved(path, "volume"))
        on_event(Progress("average", done, len(rows), "tomogram"))
        averaged.append(replace(row, full=path))
    return TomogramList.from_rows(averaged)


def write_list(star: Path, tomograms: TomogramList, on_event: OnEvent = ignore) -> None:
    """Write the list; an earlier one of that name is kept beside as `NAME.previous.star`."""
    if star.exists():
        previous = star.with_name(f"{star.stem}.previous{star.suffix}")
        with atomic_path(previous) as temporary:
            shutil.copyfile(star, temporary)
        on_event(Message(f"{star} is made anew; the earlier list is kept as {previous}"))
    write_tomograms(star, tomograms)
    on_event(Saved(star, "tomogram list"))


def report_list(tomograms: TomogramList, run: Run) -> None:
    """Show the list, as it was understood, in the run's report."""
    header = ("rlnIndex", "files", "voxels (z, y, x)", "Å/px", "defocus (Å)", "tilts (°)", "boxes")
    lines = []
    for row in tomograms:
        fields = [f for f in (*_VALUE_FIELDS, "mask", "picks", "tilt_file") if getattr(row, f)]
        names = ", ".join(f"{field}: {getattr(row, field).name}" for field in fields)
        shape = " x ".join(map(str, read_header(_volumes(row)[0]).shape))
        tilts = f"{row.tilt_min:g} to {row.tilt_max:g}"
        boxes = row.num_subtomograms or "at picks"
        lines.append((row.index, names, shape, row.pixel_size, row.defocus, tilts, boxes))
    run.report.section("Tomograms")
    run.report.table(header, lines)
    run.inputs.extend(path for row in tomograms for path in _volumes(row))


def _volumes(row: TomogramRow) -> list[Path]:
    paths = [getattr(row, field) for field in _VALUE_FIELDS]
    return [path for path in paths if path is not None]


def _checked_geometry(tomogram: FoundTomogram, recording: Recording, on_event: OnEvent) -> float:
    """The pixel size of a tomogram, once its files agree in shape and sampling."""
    files = tomogram.files
    headers = {
        files[field]: read_header(files[field])
        for field in (*_VALUE_FIELDS, "mask")
        if field in files
    }
    first = next(iter(headers))
    shape = headers[first].shape
    for path, header in headers.items():
        if header.shape != shape:
            raise GeometryError(
                f"{path}: (z, y, x) = {header.shape}, but {first} has {shape}; "
                "reconstruct them on the same grid"
            )
    if shape[0] > max(shape[1:]):
        on_event(
            Message(
                f"{first}: (z, y, x) = {shape}, the beam's axis z is the longest; icelens expects "
                "the tilt axis along y and the beam along z (AreTomo: -FlipVol 1)",
                "warning",
            )
        )
    densities = {path: header for path, header in headers.items() if path != files.get("mask")}
    given = recording.pixel_size or tomogram.known.get("pixel_size")
    return _pixel_size(densities, given, recording.pixel_size_from)


def _check_picks(files: Mapping[str, Path], pixel_size: float) -> None:
    """Picks in the voxels of another binning, or of another tomogram, mostly lie outside."""
    if "picks" not in files:
        return
    shape = read_header(next(files[f] for f in _VALUE_FIELDS if f in files)).shape
    picks = read_picks(files["picks"], pixel_size=pixel_size, shape=shape)
    voxels = picks.position_zyx / pixel_size
    outside = ((voxels < -0.5) | (voxels > np.array(shape) - 0.5)).any(axis=1)
    if outside.any():
        raise GeometryError(
            f"{files['picks']}: {int(outside.sum())} of {len(voxels)} picks lie outside the "
            f"tomogram (z, y, x) = {shape}, the first at voxel {voxels[outside][0].round(1)}; "
            "are they of this tomogram, in its voxels?"
        )


def _pixel_size(
    headers: Mapping[Path, VolumeHeader], given: float | None, pixel_size_from: PixelSizeFrom
) -> float:
    found = [
        resolve_pixel_size(path, header.pixel_size, given, pixel_size_from)
        for path, header in headers.items()
        if header.pixel_size is not None or given is not None
    ]
    if not found:
        # Nobody knows: this raises the sentence that asks for --pixel-size.
        return resolve_pixel_size(next(iter(headers)), None, None)
    lowest, highest = min(found), max(found)
    if highest > lowest * (1.0 + CONTRADICTION):
        paths = list(headers)
        raise MetadataError(
            f"{paths[0]}, {paths[-1]}: files of one tomogram have {lowest:.4g} and {highest:.4g} "
            "Å/px in their headers; give the right one with --pixel-size and "
            "--pixel-size-from metadata"
        )
    return found[0]


def _spread_defocus(defocus: Sequence[float], num_tomograms: int) -> Sequence[float | None]:
    """One defocus for each tomogram, None where it is not given."""
    for value in defocus:
        if abs(value) < SMALLEST_DEFOCUS:
            raise MetadataError(
                f"--defocus {value:g} is in Å and far too small; {value:g} µm is {value * 1e4:g}"
            )
    if len(defocus) in (0, 1):
        return [defocus[0] if defocus else None] * num_tomograms
    if len(defocus) != num_tomograms:
        raise MetadataError(
            f"--defocus lists {len(defocus)} values for {num_tomograms} tomograms; "
            "give one for all or one for each, in the order of the names"
        )
    return list(defocus)


def _guessed_defocus(name: str, on_event: OnEvent) -> float:
    on_event(
        Message(
            f"{name}: the defocus is not known, {UNKNOWN_DEFOCUS:g} Å is written; give --defocus "
            "before deconvolution or any CTF mode",
            "warning",
        )
    )
    return UNKNOWN_DEFOCUS


def _tilts(tilt_file: Path | None) -> dict[str, float]:
    """What a tilt file tells about a row."""
    if tilt_file is None:
        return {}
    tilts = read_tilt_series(tilt_file)
    defocus = tilts.defocus_at_zero_tilt
    fitted = {} if defocus is None else {"defocus": defocus}
    return {"tilt_min": tilts.tilt_min, "tilt_max": tilts.tilt_max} | fitted


def _said(recording: Recording) -> dict[str, float]:
    """What the user said about every tomogram."""
    fields = ("tilt_min", "tilt_max", "voltage", "spherical_aberration", "amplitude_contrast")
    values = {field: getattr(recording, field) for field in fields}
    return {field: value for field, value in values.items() if value is not None}
