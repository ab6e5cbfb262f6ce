"""Read TIFF stacks as volumes, memory-mapped where they are not compressed."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from icelens.core.errors import InputFileError
from icelens.core.io.plain_file import open_plain
from icelens.core.io.volume_header import VolumeHeader, isotropic_pixel_size

if TYPE_CHECKING:
    import tifffile

SUFFIXES = (".tif", ".tiff")
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ANGSTROM_PER_UNIT = {
    "nm": 10.0,
    "nanometer": 10.0,
    "å": 1.0,
    "a": 1.0,
    "angstrom": 1.0,
    "um": 1e4,
    "µm": 1e4,
    "μm": 1e4,
    "micron": 1e4,
    "\\u00b5m": 1e4,
    "\\u00c5": 1.0,
}


def is_tiff(path: Path) -> bool:
    """Whether the file's content is TIFF or BigTIFF."""
    with open_plain(path) as stream:
        return stream.read(4) in _MAGIC


def read_tiff_header(path: Path) -> VolumeHeader:
    """Shape, type and, where ImageJ or OME wrote it with a unit, pixel size; the origin is zero."""
    return _read(path, values=False)[0]


def open_tiff(path: Path) -> tuple[VolumeHeader, npt.NDArray[np.generic]]:
    """The header and the values `(z, y, x)`: pages are sections."""
    return _read(path, values=True)


def _read(path: Path, *, values: bool) -> tuple[VolumeHeader, npt.NDArray[np.generic]]:
    import tifffile

    try:
        with _raise_if_pages_are_lost(), tifffile.TiffFile(path) as file:
            header = _header(path, file)
            array = _values(path, file) if values else np.empty((0, 0, 0), header.dtype)
    except (tifffile.TiffFileError, ValueError, OSError, IndexError, KeyError, TypeError) as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise InputFileError(
            f"{path}: damaged, truncated or not a TIFF ({reason}); copy it again or save it "
            "uncompressed"
        ) from error
    return header, array.reshape(header.shape) if values else array


class _LostPages(logging.Handler):
    """Notes that tifffile found the chain of pages broken, which it only logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.message = ""

    def emit(self, record: logging.LogRecord) -> None:
        if "page offset" in record.getMessage():
            self.message = record.getMessage()


@contextmanager
def _raise_if_pages_are_lost() -> Iterator[None]:
    """Turn a broken chain of pages into an error: sections must not vanish silently."""
    listener, logger = _LostPages(), logging.getLogger("tifffile")
    logger.addHandler(listener)
    try:
        yield
    finally:
        logger.removeHandler(listener)
    if listener.message:
        raise ValueError("sections are missing at its end")


def _values(path: Path, file: "tifffile.TiffFile") -> npt.NDArray[np.generic]:
    """A memory map if the pages lie one after the other in the file, else the decoded pages."""
    series = file.series[0]
    if series.dataoffset is None:
        decoded: npt.NDArray[np.generic] = series.asarray()
        return decoded
    needed = series.dataoffset + series.nbytes
    if needed > path.stat().st_size:
        raise ValueError(f"{path.stat().st_size} bytes where the pages need {needed}")
    dtype = np.dtype(file.byteorder + series.dtype.char)
    return np.memmap(path, dtype, "r", series.dataoffset, series.shape)


def _header(path: Path, file: "tifffile.TiffFile") -> VolumeHeader:
    series = file.series[0]
    sides = [side for side in series.shape if side != 1]
    has_colour = "S" in series.axes and series.shape[series.axes.index("S")] > 1
    if has_colour or len(series.shape) < 2 or len(sides) > 3 or series.dtype.kind not in "iuf":
        raise InputFileError(
            f"{path}: TIFF axes {series.axes} of shape {series.shape} and type {series.dtype}, "
            "expected grey sections z, y, x; save one channel as a stack"
        )
    y, x = series.shape[-2:]
    z = int(np.prod(series.shape[:-2]))
    dtype = np.dtype(file.byteorder + series.dtype.char)
    return VolumeHeader((z, y, x), _pixel_size(path, file), (0.0, 0.0, 0.0), dtype, "tiff")


def _pixel_size(path: Path, file: "tifffile.TiffFile") -> float | None:
    """Å per pixel if a unit of length is given; screen resolutions are not sampling."""
    if file.ome_metadata:
        return isotropic_pixel_size(path, _ome_voxel(file.ome_metadata))
    metadata: dict[str, Any] = file.imagej_metadata or {}
    scale = _ANGSTROM_PER_UNIT.get(str(metadata.get("unit", "")).lower())
    if scale is None:
        return None
    tags = file.pages.first.tags
    sides = [_per_pixel(tags.get(name)) for name in ("XResolution", "YResolution")]
    sides.append(float(metadata.get("spacing", sides[0])))
    return isotropic_pixel_size(path, [side * scale for side in sides])


def _per_pixel(tag: "tifffile.TiffTag | None") -> float:
    """Units of length per pixel, 0 where the tag is absent or empty."""
    if tag is None or not tag.value[0]:
        return 0.0
    pixels, units = tag.value
    return float(units / pixels)


def _ome_voxel(xml: str) -> list[float]:
    """Sides of the voxel in Å from OME-XML, 0 where unknown."""
    sides: list[float] = []
    for axis in "XYZ":
        size = re.search(rf'PhysicalSize{axis}="([^"]+)"', xml)
        unit = re.search(rf'PhysicalSize{axis}Unit="([^"]+)"', xml)
        # Micrometres are the unit of OME where none is written.
        scale = _ANGSTROM_PER_UNIT.get(unit[1].lower() if unit else "µm", 0.0)
        sides.append(float(size[1]) * scale if size else sides[0] if sides else 0.0)
    return sides
