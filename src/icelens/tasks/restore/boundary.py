"""Keep what lies inside polygons that the user drew on a tomogram."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.errors import GeometryError
from icelens.core.io.imod_model import Contours, read_contours

Plane = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Boundary:
    """Polygons in xy by section, and the sections `z_min` to `z_max` (both kept) they bound."""

    polygons: dict[int, tuple[npt.NDArray[np.float64], ...]]
    z_min: int
    z_max: int

    def plane(self, z: int, shape: tuple[int, int]) -> Plane:
        """Which voxels `(y, x)` of section z are inside the polygons of the nearest drawn one."""
        if not self.z_min <= z <= self.z_max:
            return np.zeros(shape, bool)
        if not self.polygons:
            return np.ones(shape, bool)
        nearest = min(self.polygons, key=lambda drawn: (abs(drawn - z), drawn))
        inside = np.zeros(shape, bool)
        for polygon in self.polygons[nearest]:
            inside |= inside_polygon(polygon, shape)
        return inside


def read_boundary(path: Path, shape: tuple[int, int, int]) -> Boundary:
    """Read an IMOD model or a list of points.

    A contour of three points or more is a closed polygon seen along z. If points lie on several
    sections, the lowest and the highest of them are the limits along z (two single points beside a
    polygon are enough); otherwise all sections are kept.

    Args:
        path: Model or text file.
        shape: Voxels `(z, y, x)` of the tomogram.

    Raises:
        InputFileError: If the file is missing or damaged.
        GeometryError: If points lie outside the tomogram, or bound nothing.
    """
    contours = read_contours(path)
    _check_inside(path, contours, shape)
    sections = np.rint(np.concatenate([points[:, 2] for points in contours])).astype(int)
    polygons: dict[int, tuple[npt.NDArray[np.float64], ...]] = {}
    for points in contours:
        if len(points) >= 3:
            z = round(float(np.median(points[:, 2])))
            polygons[z] = (*polygons.get(z, ()), points[:, :2])
    z_min, z_max = int(sections.min()), int(sections.max())
    if z_min == z_max:
        if not polygons:
            raise GeometryError(
                f"{path}: no contour of three points or more, expected a polygon in xy; draw one"
            )
        z_min, z_max = 0, shape[0] - 1
    return Boundary(polygons, z_min, z_max)


def inside_polygon(polygon_xy: npt.NDArray[np.float64], shape: tuple[int, int]) -> Plane:
    """Which pixels `(y, x)` have their centre inside a closed polygon, by the even-odd rule.

    Args:
        polygon_xy: Corners `(point, 2)` in pixels; pixel i covers i to i + 1.
        shape: Rows and columns.
    """
    num_y, num_x = shape
    crossings = np.zeros((num_y, num_x + 1), np.int32)
    centre_y = np.arange(num_y) + 0.5
    for (x0, y0), (x1, y1) in zip(polygon_xy, np.roll(polygon_xy, -1, axis=0), strict=True):
        rows = np.flatnonzero((centre_y >= min(y0, y1)) & (centre_y < max(y0, y1)))
        if rows.size:
            x = x0 + (centre_y[rows] - y0) * (x1 - x0) / (y1 - y0)
            columns = np.clip(np.ceil(x - 0.5), 0, num_x).astype(int)
            crossings[rows, columns] += 1
    inside: Plane = np.cumsum(crossings, axis=1)[:, :num_x] % 2 == 1
    return inside


def _check_inside(path: Path, contours: Contours, shape: tuple[int, int, int]) -> None:
    points = np.concatenate(contours)
    limits = np.array(shape[::-1], np.float64)
    # Contours may run a little over the edge; half the volume beyond it is another volume.
    outside = ((points < -0.5 * limits) | (points > 1.5 * limits)).any(axis=1)
    outside |= (points[:, 2] < -1) | (points[:, 2] > limits[2])
    if outside.any():
        x, y, z = points[outside][0].round(1).tolist()
        raise GeometryError(
            f"{path}: point (x, y, z) = ({x}, {y}, {z}) lies outside the tomogram of "
            f"(z, y, x) = {shape}; draw on this tomogram, not on a flipped or binned one"
        )
