"""Surfaces of several maps beside each other, all at one level and seen by one camera."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure

from icelens.core.plots.isosurface import make_surface, render, view_rotation
from icelens.core.plots.slices import bare
from icelens.core.plots.style import MUTED, house_style, new_figure
from icelens.core.plots.surface_shading import Look
from icelens.core.plots.visible_extent import visible_extent
from icelens.core.volumes.masks import usual_level

_COLUMNS = 5
_SIZE = 220
"""Side of one picture, in px."""
_VIEWS = ("front", "right")


def volume_surfaces(
    volumes: Mapping[str, npt.NDArray[np.floating]], pixel_size: float
) -> Figure | None:
    """Draw each map from the front and from the right.

    The level is the mean of the usual ones, the same for all, so that what a map lacks is missing.

    Args:
        volumes: Name and array `(z, y, x)` of each, protein bright; all of one shape.
        pixel_size: In Å/px.

    Returns:
        None if no density reaches a level above 0.
    """
    arrays = {name: np.array(values, np.float32) for name, values in volumes.items()}
    level = float(np.mean([usual_level(torch.from_numpy(a)) for a in arrays.values()]))
    if not 0.0 < level < max(float(array.max()) for array in arrays.values()):
        return None
    extent = visible_extent(arrays.values(), level, pixel_size)
    columns = min(_COLUMNS, len(arrays))
    lines = -(-len(arrays) // columns)
    with house_style():
        figure = new_figure(2.0 * columns, 4.1 * lines)
        grid = figure.subplots(len(_VIEWS) * lines, columns, squeeze=False)
        for axes in grid.ravel():
            bare(axes)
        for number, (name, array) in enumerate(arrays.items()):
            surface = make_surface(
                array,
                level,
                pixel_size=pixel_size,
                centre_zyx=extent.centre_zyx,
                half_width=extent.half_width,
                size=_SIZE,
            )
            line, column = divmod(number, columns)
            for place, view in enumerate(_VIEWS):
                picture = render(
                    surface, view_rotation(view), half_width=extent.half_width, size=_SIZE,
                    look=Look(),
                )  # fmt: skip
                axes = grid[len(_VIEWS) * line + place, column]
                axes.imshow(picture)
                if place == 0:
                    axes.set_title(name)
                if column == 0:
                    axes.set_ylabel(view, color=MUTED)
    return figure
