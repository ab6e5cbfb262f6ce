"""Warp and WarpTools: tilt series metadata from XML."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from icelens.core.data.tilt_series import TiltSeries
from icelens.core.errors import InputFileError

Floats = npt.NDArray[np.float64]
_ANGSTROM_PER_UM = 1e4


def read_warp_xml(path: Path) -> TiltSeries:
    """Read angles, dose before each image, tilt axis and, where fitted, defocus per tilt.

    Tilts that Warp does not use (`UseTilt` False) are left out. Defocus is in `GridCTF`, its
    astigmatism (first minus second defocus) in `GridCTFDefocusDelta`, both in µm per tilt.

    Raises:
        InputFileError: If the file is missing, no XML, or its lists differ in length.
    """
    root = _root(path)
    angles = _numbers(path, root, "Angles")
    if angles is None:
        raise InputFileError(
            f"{path}: no Angles in it, expected the XML of a tilt series; "
            "a frame series' XML has none, choose the one of the tilt series"
        )
    num_tilts = len(angles)
    dose, axis = (_per_tilt(path, root, name, num_tilts) for name in ("Dose", "AxisAngle"))
    defocus = _grid(path, root, "GridCTF", num_tilts)
    delta = _grid(path, root, "GridCTFDefocusDelta", num_tilts)
    angle = _grid(path, root, "GridCTFDefocusAngle", num_tilts)
    half = 0.0 if delta is None else delta / 2
    series = TiltSeries(
        angles,
        dose=dose,
        defocus_u=None if defocus is None else (defocus + half) * _ANGSTROM_PER_UM,
        defocus_v=None if defocus is None else (defocus - half) * _ANGSTROM_PER_UM,
        astigmatism_angle=angle,
        tilt_axis_angle=None if axis is None else float(np.mean(axis)),
        pixel_size=_pixel_size(root),
    )
    is_used = _words(root, "UseTilt")
    if len(is_used) == num_tilts:
        series = series.select(np.array([word.lower() == "true" for word in is_used]))
    return series


def _root(path: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(path).getroot()
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}), expected Warp's XML; check the path"
        ) from error
    except ElementTree.ParseError as error:
        raise InputFileError(f"{path}: not XML ({error}), expected Warp's tilt series") from error


def _words(root: ElementTree.Element, name: str) -> list[str]:
    element = root.find(name)
    return (element.text or "").split() if element is not None else []


def _numbers(path: Path, root: ElementTree.Element, name: str) -> Floats | None:
    words = _words(root, name)
    try:
        return np.array([float(word) for word in words]) if words else None
    except ValueError as error:
        raise InputFileError(f"{path}: {name} holds {error}, expected numbers") from error


def _per_tilt(path: Path, root: ElementTree.Element, name: str, num_tilts: int) -> Floats | None:
    values = _numbers(path, root, name)
    if values is not None and len(values) != num_tilts:
        raise InputFileError(
            f"{path}: {len(values)} values of {name} for {num_tilts} angles; import it again"
        )
    return values


def _grid(path: Path, root: ElementTree.Element, name: str, num_tilts: int) -> Floats | None:
    """A grid's values per tilt, averaged over the image; None if the grid is absent or coarser."""
    element = root.find(name)
    if element is None:
        return None
    try:
        nodes = [(int(node.get("Z", "0")), float(node.get("Value", ""))) for node in element]
    except ValueError as error:
        raise InputFileError(f"{path}: a node of {name} is {error}, expected numbers") from error
    layers = sorted({layer for layer, _ in nodes})
    if layers != list(range(num_tilts)):
        return None
    sums = np.bincount([layer for layer, _ in nodes], [value for _, value in nodes])
    counts = np.bincount([layer for layer, _ in nodes])
    mean: Floats = sums / counts
    return mean


def _pixel_size(root: ElementTree.Element) -> float | None:
    for parameter in root.findall("CTF/Param"):
        if parameter.get("Name") == "PixelSize":
            value = float(parameter.get("Value", "0"))
            return value if value > 0 else None
    return None
