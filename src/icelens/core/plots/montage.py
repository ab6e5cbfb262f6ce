"""Particle images side by side, each with a caption and a contrast of its own."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from icelens.core.plots.slices import add_scale_bar, bare, contrast
from icelens.core.plots.style import MUTED, house_style, new_figure

_WIDTH = 10.0
_LARGEST, _LETTERS = 1.9, 0.16
"""Inches: of an image's side, and of the line below it."""


def montage(
    images: Sequence[npt.NDArray[np.floating]],
    captions: Sequence[str],
    pixel_sizes: Sequence[float],
) -> Figure:
    """Draw images in rows of about as many as there are rows; bright is what is high.

    Args:
        images: `(y, x)` each; sides may differ.
        captions: A line below each.
        pixel_sizes: In Å/px of each, for a scale bar; one for all if they span the same field.
    """
    across = math.ceil(math.sqrt(len(images)))
    down = math.ceil(len(images) / across)
    side = min(_LARGEST, _WIDTH / across)
    extents = [size * image.shape[-1] for image, size in zip(images, pixel_sizes, strict=True)]
    is_alike = max(extents) < 1.01 * min(extents)
    with house_style():
        figure = new_figure(side * across, (side + _LETTERS) * down)
        figure.set_layout_engine("constrained", w_pad=0.015, h_pad=0.015, wspace=0.0, hspace=0.0)
        grid = figure.subplots(down, across, squeeze=False).ravel()
        for place, axes in enumerate(grid):
            bare(axes)
            if place >= len(images):
                continue
            low, high = contrast(np.asarray(images[place]).ravel())
            axes.imshow(images[place], vmin=low, vmax=high, origin="lower")
            axes.set_xlabel(captions[place], color=MUTED, fontsize=7.0, labelpad=1.5)
            if place == 0 or not is_alike:
                add_scale_bar(axes, images[place].shape[-1], pixel_sizes[place], 0.0)
    return figure
