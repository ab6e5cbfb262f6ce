"""Every coordinate of latents against every other, in one picture."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from icelens.core.plots.latent import draw_classes, drawn_places, limits
from icelens.core.plots.style import COLOURS, house_style, new_figure

Floats = npt.NDArray[np.float64]


def pair_grid(
    points: Floats, names: Sequence[str], *, label: npt.NDArray[np.int64] | None = None
) -> Figure:
    """Draw a triangle of plots: histograms on its long side, pairs of coordinates below.

    Args:
        points: `(particle, coordinate)`.
        names: Of the coordinates.
        label: `(particle,)` class from 1, that colours tell; without it, hexagons tell numbers.
    """
    count = points.shape[1]
    side = float(np.clip(9.0 / count, 1.4, 3.2))
    drawn = drawn_places(len(points))
    with house_style():
        figure = new_figure(side * count + 0.4, side * count + 0.4)
        grid = figure.subplots(count, count, squeeze=False)
        for row in range(count):
            for column in range(count):
                axes = grid[row, column]
                if column > row:
                    axes.set_axis_off()
                    continue
                ends = limits(points[:, column])
                if column == row:
                    axes.hist(points[:, row], bins=40, range=ends, color=COLOURS[0])
                    axes.set(yticks=[])
                elif label is not None:
                    draw_classes(axes, points[drawn][:, [column, row]], label[drawn])
                else:
                    axes.hexbin(
                        points[:, column], points[:, row], gridsize=30, bins="log", mincnt=1,
                        cmap="Blues", linewidths=0.1, extent=(*ends, *limits(points[:, row])),
                    )  # fmt: skip
                axes.set_xlim(ends)
                if column < row:
                    axes.set_ylim(limits(points[:, row]))
                axes.tick_params(labelsize=7)
                axes.set_xlabel(names[column] if row == count - 1 else "")
                axes.set_ylabel(names[row] if column == 0 and row > 0 else "")
    return figure
