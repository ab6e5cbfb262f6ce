"""Frames of a film of maps: their surfaces from several sides, a scale bar, and a line of text."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from jaxtyping import UInt8
from matplotlib.patches import Rectangle

from icelens.core.plots.slices import round_length
from icelens.core.plots.style import house_style, new_figure
from icelens.core.plots.surface_shading import Colour, Look

_DPI = 100.0
_LINE_PX = 34
"""Height of what stands below the pictures."""

LOOKS = {
    "white": Look(),
    "dark": Look(background=(0.075, 0.085, 0.105)),
}


def frame(
    pictures: Sequence[UInt8[np.ndarray, "n n 3"]],
    *,
    caption: str,
    half_width: float,
    background: Colour,
) -> npt.NDArray[np.uint8]:
    """Pictures side by side as one RGB array `(y, x, 3)` of even sides.

    Args:
        pictures: Views of one map.
        caption: Below them on the right.
        half_width: What each shows to either side of its centre, in Å.
        background: Colour of the pictures' ground.
    """
    size = pictures[0].shape[0]
    # films want even sides
    height = _LINE_PX + size % 2
    ink = "#e6e9ee" if sum(background) < 1.5 else "#3a4048"
    strip = _strip(size * len(pictures), height, caption, 2.0 * half_width / size, ink, background)
    body = np.concatenate(list(pictures), axis=1)
    whole = np.concatenate([body, strip], axis=0)
    return whole[:, : whole.shape[1] // 2 * 2]


def _strip(
    width: int, height: int, caption: str, pixel_size: float, ink: str, background: Colour
) -> npt.NDArray[np.uint8]:
    """The line below the pictures: scale bar on the left, caption on the right."""
    length = round_length(0.3 * min(width, 400) * pixel_size)
    bar = length / pixel_size
    with house_style():
        figure = new_figure(width / _DPI, height / _DPI)
        figure.set_dpi(_DPI)
        figure.set_facecolor(background)
        figure.add_artist(
            Rectangle((14, 0.5 * height - 1.5), bar, 3, color=ink, transform=None, linewidth=0)
        )
        text = f"{length:g} Å" if length < 1000 else f"{length / 10:g} nm"
        for x, words, side in ((22 + bar, text, "left"), (width - 14, caption, "right")):
            figure.text(
                x / width, 0.5, words, color=ink, ha=side, va="center_baseline", fontsize=9.5
            )
        figure.canvas.draw()
        pixels = np.asarray(figure.canvas.buffer_rgba())  # type: ignore[attr-defined]
    return np.ascontiguousarray(pixels[..., :3])
