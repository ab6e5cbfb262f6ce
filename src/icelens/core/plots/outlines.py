"""Slices of a tomogram with the outline of a mask, to see what a mask keeps."""

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter

from icelens.core.plots.style import COLOURS, MUTED, house_style, new_figure

AnyArray = npt.NDArray[np.generic]
_CONTRAST_PERCENTILES = (0.5, 99.5)
SMOOTHING = 1.5
"""Width in pixels of the Gaussian that the picture is smoothed by: raw noise hides the specimen."""


def outlined_slices(density: AnyArray, mask: AnyArray) -> Figure:
    """Draw the central xy and xz slices of a density with the mask's outline over them.

    Only the picture is smoothed, by `SMOOTHING`, so that one sees what the outline holds.

    Args:
        density: Values `(z, y, x)`; bright is high, as in the file. Only two planes are read.
        mask: 1 inside, 0 outside, on the same grid.
    """
    num_z, num_y, num_x = density.shape
    width = 5.0
    with house_style():
        figure = new_figure(width, width * (num_y + num_z) / num_x + 0.3)
        rows = figure.subplots(2, 1, gridspec_kw={"height_ratios": [num_y, num_z]})
        cuts = {"xy, central z": (num_z // 2,), "xz, central y": (slice(None), num_y // 2)}
        for axes, (name, cut) in zip(rows, cuts.items(), strict=True):
            plane = gaussian_filter(np.asarray(density[cut], np.float32), SMOOTHING)
            low, high = np.percentile(plane, _CONTRAST_PERCENTILES)
            axes.imshow(plane, vmin=low, vmax=high if high > low else low + 1, origin="lower")
            inside = np.asarray(mask[cut]) > 0
            # A mask that is all one value in this plane has no outline to draw.
            if inside.any() and not inside.all():
                axes.contour(inside, levels=[0.5], colors=[COLOURS[1]], linewidths=1.0)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            axes.set_ylabel(name, color=MUTED)
    return figure
