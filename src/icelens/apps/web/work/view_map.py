"""Where particles are seen from: a map of the sphere of equal areas (Mollweide), as numbers."""

import numpy as np
import numpy.typing as npt

from icelens.core.geometry.healpix import healpix_cell, num_cells

Floats = npt.NDArray[np.float32]

HEIGHT = 240
_ORDERS = (5, 4, 3, 2)
_PER_CELL = 5


def view_density(rotation: npt.NDArray[np.float64]) -> tuple[Floats, int]:
    """Images per direction relative to even coverage, `(height, 2 height)`, NaN off the map.

    Longitude grows to the right from -180°, latitude upwards; row 0 is the north.

    Args:
        rotation: `(image, 3, 3)` reference to image; the direction is the third row.

    Returns:
        The map, and the HEALPix order of its cells: as fine as leaves some images in each.
    """
    direction = rotation[:, 2]
    order = next((each for each in _ORDERS if len(direction) >= _PER_CELL * num_cells(each)), 1)
    counts = np.bincount(healpix_cell(direction, order), minlength=num_cells(order))
    density = counts / max(float(counts.mean()), 1e-12)
    longitude, latitude, is_inside = _mollweide(HEIGHT)
    flat = np.cos(latitude)
    place = np.stack(
        [flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)], axis=-1
    )
    drawn = np.full(is_inside.shape, np.nan, np.float32)
    drawn[is_inside] = density[healpix_cell(place[is_inside], order)]
    return drawn, order


def _mollweide(
    height: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Longitude and latitude in radians of each pixel, and which lie on the map.

    References:
        Snyder, Map Projections: A Working Manual, USGS Professional Paper 1395 (1987), p. 249.
    """
    y = 1.0 - (np.arange(height) + 0.5) / (0.5 * height)
    x = (np.arange(2 * height) + 0.5) / height - 1.0
    across, up = np.meshgrid(x, y)
    is_inside = across**2 + up**2 < 1.0
    theta = np.arcsin(np.clip(up, -1.0, 1.0))
    latitude = np.arcsin(np.clip((2.0 * theta + np.sin(2.0 * theta)) / np.pi, -1.0, 1.0))
    longitude = np.pi * across / np.maximum(np.cos(theta), 1e-9)
    return np.clip(longitude, -np.pi, np.pi), latitude, is_inside
