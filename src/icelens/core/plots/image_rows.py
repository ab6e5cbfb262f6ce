"""Rows of images under each other, such as particles with and without their noise."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from icelens.core.plots.slices import add_scale_bar, bare, contrast
from icelens.core.plots.style import MUTED, house_style, new_figure

_WIDTH = 9.0


def image_rows(rows: Mapping[str, npt.NDArray[np.floating]], pixel_size: float) -> Figure:
    """Draw one row of images for each name; bright is what the array holds as high.

    Args:
        rows: Images `(image, y, x)` by name, as many in each row. A row has one contrast.
        pixel_size: In Å/px, for the scale bar.
    """
    count = max(len(next(iter(rows.values()))), 1)
    side = _WIDTH / count
    with house_style():
        figure = new_figure(_WIDTH, side * len(rows) + 0.1)
        grid = figure.subplots(len(rows), count, squeeze=False)
        for line, (name, images) in zip(grid, rows.items(), strict=True):
            low, high = contrast(np.asarray(images).ravel())
            for axes, image in zip(line, images, strict=True):
                axes.imshow(image, vmin=low, vmax=high, origin="lower")
                bare(axes)
            line[0].set_ylabel(name, color=MUTED)
        add_scale_bar(grid[0, 0], next(iter(rows.values())).shape[-1], pixel_size, 0.0)
    return figure
