"""From a row of the tomogram list to the densities, masks and tilts that networks work with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from icelens.core.data.tomograms import TomogramRow
from icelens.core.errors import GeometryError, InputFileError, MetadataError
from icelens.core.io.pick_files import read_picks
from icelens.core.io.tilt_series import read_tilt_series
from icelens.core.io.volumes import PixelSizeFrom, open_volume
from icelens.core.optics.missing_wedge import TiltScheme
from icelens.core.optics.tilt_schemes import scheme_of_series
from icelens.tasks.restore.crops import Standardised, standardise

Method = Literal["denoise", "even-odd", "single-map"]


@dataclass(frozen=True)
class Reading:
    """How densities are read: contrast of protein (`dark` or `light`), whose pixel size counts."""

    contrast: str
    pixel_size_from: PixelSizeFrom

    def open(self, path: Path, pixel_size: float) -> Standardised:
        """A density as it is used inside: memory-mapped, standardised, density positive."""
        volume = open_volume(path, pixel_size=pixel_size, pixel_size_from=self.pixel_size_from)
        return standardise(volume, path, sign=-1.0 if self.contrast == "dark" else 1.0)


def choose_method(rows: list[TomogramRow], asked: str) -> Method:
    """`even-odd` where every row has both halves, else `single-map`.

    Raises:
        MetadataError: If only some rows have halves, or all have halves and a full map as well,
            so that only the user can say which is meant.
    """
    if asked == "even-odd":
        return "even-odd"
    if asked == "single-map":
        return "single-map"
    paired = [row.even is not None and row.odd is not None for row in rows]
    single = [row.full is not None or row.deconvolved is not None for row in rows]
    if all(paired):
        return "even-odd"
    if all(single):
        return "single-map"
    lacking = rows[paired.index(False)] if any(paired) else rows[single.index(False)]
    raise MetadataError(
        f"{lacking.where}: neither both halves nor a full tomogram are listed, as other rows have; "
        "complete the row or leave it out with --tomograms"
    )


def sources(
    row: TomogramRow, method: Method, input_column: str, reading: Reading
) -> tuple[tuple[Standardised, ...], tuple[Path, ...]]:
    """The densities a method works on, the even and the odd one or a single map, and their files.

    Raises:
        GeometryError: If the halves differ in shape.
        MetadataError: If the row lacks a file the method needs.
    """
    paths = source_files(row, method, input_column)
    opened = tuple(reading.open(path, row.pixel_size) for path in paths)
    if len(opened) == 1:
        return opened, paths
    even, odd = opened
    if even.volume.shape != odd.volume.shape:
        raise GeometryError(
            f"{row.where}: the even tomogram has (z, y, x) = {even.volume.shape}, the odd one "
            f"{odd.volume.shape}; reconstruct both on the same grid ({paths[0]}, {paths[1]})"
        )
    return opened, paths


def source_files(row: TomogramRow, method: Method, input_column: str) -> tuple[Path, ...]:
    """The files of `sources`, without reading them for their statistics.

    Raises:
        MetadataError: If the row lacks a file the method needs.
    """
    if method == "single-map":
        return (single_map(row, input_column),)
    return row.require("even"), row.require("odd")


def single_map(row: TomogramRow, input_column: str) -> Path:
    """The file of the asked column; `auto` takes the deconvolved map, else the full one."""
    if input_column != "auto":
        return row.require(input_column)
    return row.require("deconvolved" if row.deconvolved is not None else "full")


def read_mask(row: TomogramRow, shape: tuple[int, int, int]) -> npt.NDArray[np.generic] | None:
    """The row's mask, memory-mapped, or None if it has none.

    Raises:
        GeometryError: If the mask is not on the tomogram's grid.
        InputFileError: If it holds voxels that are not numbers.
    """
    if row.mask is None:
        return None
    path = row.require("mask")
    mask = open_volume(path, pixel_size=row.pixel_size, pixel_size_from="metadata")
    if mask.shape != shape:
        raise GeometryError(
            f"{path}: the mask has (z, y, x) = {mask.shape}, its tomogram {shape}; make it again "
            "with `icelens restore mask`"
        )
    if not all(np.isfinite(plane).all() for plane in mask.array):
        raise InputFileError(
            f"{path}: the mask holds NaN or infinite voxels, expected 0 and 1; make it again with "
            "`icelens restore mask`"
        )
    return mask.array


def crop_starts(
    row: TomogramRow, shape: tuple[int, int, int], box_size: int
) -> tuple[tuple[int, int, int], ...]:
    """First voxels of boxes around the row's picks; empty if it lists none.

    Raises:
        GeometryError: If a pick lies outside the tomogram.
    """
    if row.picks is None:
        return ()
    path = row.require("picks")
    positions = (
        read_picks(path, pixel_size=row.pixel_size, shape=shape).position_zyx / row.pixel_size
    )
    outside = ((positions < -0.5) | (positions > np.array(shape) - 0.5)).any(axis=1)
    if outside.any():
        first = positions[outside][0].round(1).tolist()
        raise GeometryError(
            f"{path}: {int(outside.sum())} of {len(positions)} positions lie outside the tomogram "
            f"(z, y, x) = {shape}, the first at voxel {first}; are they in voxels of this tomogram?"
        )
    low = [min(box_size // 2, size // 2) for size in shape]
    high = [max(size - box_size // 2, size // 2) for size in shape]
    starts = np.clip(np.rint(positions).astype(int), low, high) - box_size // 2
    return tuple((int(z), int(y), int(x)) for z, y, x in starts)


def tilt_scheme(row: TomogramRow, *, use_tilt_files: bool) -> TiltScheme:
    """Tilt range of the row, or its single tilts with dose and defocus where a file lists them."""
    if row.tilt_file is None or not use_tilt_files:
        return TiltScheme(row.tilt_min, row.tilt_max)
    return scheme_of_series(
        read_tilt_series(row.require("tilt_file")),
        voltage=row.voltage,
        spherical_aberration=row.spherical_aberration,
        amplitude_contrast=row.amplitude_contrast,
    )
