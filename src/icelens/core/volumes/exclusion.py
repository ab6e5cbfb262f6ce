"""Keep the best of points that crowd each other: greedy exclusion by true distance."""

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from icelens.core.errors import GeometryError

Floats = npt.NDArray[np.float64]


def strongest_apart(positions: Floats, values: Floats, *, radius: float) -> npt.NDArray[np.intp]:
    """Indices of the points that stay when each, best first, removes those closer than `radius`.

    A removed point removes nothing itself, so a line of points each farther than `radius` from the
    next stays whole. Equal values are taken in the order of the points.

    Args:
        positions: `(point, 3)`, in any unit.
        values: One score for each point; higher is better.
        radius: In the positions' unit; points exactly so far apart both stay.

    Returns:
        Indices of the kept points, best first.

    Raises:
        GeometryError: If the radius is not a positive number.
    """
    if not (np.isfinite(radius) and radius > 0):
        raise GeometryError(f"the exclusion radius is {radius}; it must be positive")
    if not len(positions):
        return np.empty(0, np.intp)
    tree = cKDTree(positions)
    closer = np.nextafter(radius, 0.0)
    is_removed = np.zeros(len(positions), bool)
    kept = []
    for index in np.argsort(-values, kind="stable").tolist():
        if not is_removed[index]:
            kept.append(index)
            is_removed[tree.query_ball_point(positions[index], closer)] = True
    return np.array(kept, np.intp)
