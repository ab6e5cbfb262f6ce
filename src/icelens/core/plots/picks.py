"""Slabs of a tomogram with picks drawn over them: found, missed and false."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from matplotlib.patheffects import AbstractPathEffect, withStroke
from scipy.ndimage import gaussian_filter

from icelens.core.data.picks import Floats
from icelens.core.plots.slices import add_scale_bar, bare, contrast
from icelens.core.plots.style import house_style, new_figure

Fate = Literal["found", "missed", "false"]
_LOOKS: dict[Fate, tuple[str, Literal["-"] | tuple[int, tuple[int, int]]]] = {
    "found": ("#00d18f", "-"),
    "missed": ("#4cc9ff", (0, (2, 1))),
    "false": ("#ff6a13", "-"),
}
"""Colour and line of each fate: the house's green, blue and vermilion, brightened to be seen on
grey. Dashes and the cross of false picks tell them apart without colour."""
_WIDEST_OF_TWO = 800
"""Voxels along x up to which two panels stand side by side without losing any."""
_WIDTH = 10.0
"""Of the whole figure, in inches."""
_HALO: list[AbstractPathEffect] = [withStroke(linewidth=2.6, foreground="black", alpha=0.65)]
"""Around lines and letters, which thereby stand out from any grey."""
SMOOTHING = 0.8
"""Width in pixels of the Gaussian that the picture is smoothed by: raw noise hides the specimen."""


@dataclass(frozen=True)
class Marks:
    """Spheres to draw: centres (mark, 3) in Å, radii (mark,) in Å, and a short text for each."""

    position_zyx: Floats
    radius: Floats
    text: tuple[str, ...]

    def __len__(self) -> int:
        """Number of spheres."""
        return len(self.position_zyx)

    def is_in(self, start: int, stop: int, pixel_size: float) -> npt.NDArray[np.bool_]:
        """Whether each sphere is drawn on slices `start` to `stop`: half its radius reaches them.

        Nearer its poles a sphere shows too little to be recognised.
        """
        z = self.position_zyx[:, 0]
        low, high = (start - 0.5) * pixel_size, (stop - 0.5) * pixel_size
        is_in: npt.NDArray[np.bool_] = (z + self.radius / 2 >= low) & (z - self.radius / 2 < high)
        return is_in


def choose_slabs(
    marks: Sequence[Marks], num_z: int, pixel_size: float, *, thickness: int, count: int
) -> tuple[tuple[int, int], ...]:
    """Up to `count` slabs of slices, from the bottom up, that together show the most spheres.

    One after the other, each the slab that shows most of what is not yet seen.

    Args:
        marks: What is to be seen.
        num_z: Slices of the tomogram.
        pixel_size: In Å/px.
        thickness: Slices of a slab.
        count: Slabs at most.

    Returns:
        First slice of each slab and the one after its last. Without marks, the central slab.
    """
    thickness = min(thickness, num_z)
    starts = range(num_z - thickness + 1)
    shown = np.stack(
        [
            np.concatenate([m.is_in(start, start + thickness, pixel_size) for m in marks])
            if marks
            else np.empty(0, bool)
            for start in starts
        ]
    )
    chosen: list[int] = []
    is_new = np.ones(shown.shape[1], bool)
    while len(chosen) < count:
        gain = (shown & is_new).sum(axis=1)
        if not gain.any():
            break
        # The middle of equally good slabs, where spheres are cut near their centres.
        chosen.append(int(np.median(np.flatnonzero(gain == gain.max())[: thickness + 1])))
        is_new &= ~shown[chosen[-1]]
    first = chosen or [(num_z - thickness) // 2]
    return tuple((start, start + thickness) for start in sorted(first))


def marked_slabs(
    density: npt.NDArray[np.generic],
    pixel_size: float,
    marks: Mapping[Fate, Marks],
    slabs: Sequence[tuple[int, int]],
) -> Figure:
    """Draw slabs of a tomogram, averaged along z, with circles the size of the objects.

    Args:
        density: Values `(z, y, x)`; bright is high, as in the file. Only the slabs are read.
        pixel_size: In Å/px.
        marks: Spheres by what became of them.
        slabs: First slice of each panel and the one after its last.
    """
    _, num_y, num_x = density.shape
    most = 2 if num_x <= _WIDEST_OF_TWO else 1
    columns = min(most, len(slabs))
    rows = -(-len(slabs) // columns)
    width = _WIDTH / most
    with house_style():
        figure = new_figure(width * columns, rows * (width * num_y / num_x + 0.25) + 0.3)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in grid[len(slabs) :]:
            axes.set_visible(False)
        for axes, (start, stop) in zip(grid, slabs, strict=False):
            plane = gaussian_filter(
                np.asarray(density[start:stop], np.float32).mean(axis=0), SMOOTHING
            )
            low, high = contrast(plane)
            axes.imshow(plane, vmin=low, vmax=high, origin="lower")
            bare(axes)
            for fate, spheres in marks.items():
                _draw(axes, fate, spheres, spheres.is_in(start, stop, pixel_size), pixel_size)
            axes.set(xlim=(-0.5, num_x - 0.5), ylim=(-0.5, num_y - 0.5))
            axes.set_title(f"slices {start} to {stop - 1}")
        add_scale_bar(grid[0], num_x, pixel_size, 0.0)
        figure.legend(handles=_key(marks), loc="outside lower left", ncols=3, frameon=False)
    return figure


def _draw(
    axes: Axes, fate: Fate, marks: Marks, is_drawn: npt.NDArray[np.bool_], pixel_size: float
) -> None:
    colour, line = _LOOKS[fate]
    for index in np.flatnonzero(is_drawn).tolist():
        _, y, x = (marks.position_zyx[index] / pixel_size).tolist()
        radius = float(marks.radius[index]) / pixel_size
        circle = Circle((x, y), radius, fill=False, edgecolor=colour, linestyle=line, linewidth=1.6)
        circle.set_path_effects(_HALO)
        axes.add_patch(circle)
        if fate == "false":
            axes.plot(
                [x], [y], marker="x", color=colour, markersize=5, markeredgewidth=1.4,
                path_effects=_HALO,
            )  # fmt: skip
        if fate != "found":
            axes.annotate(
                marks.text[index], (x + 0.72 * radius, y + 0.72 * radius), color=colour,
                fontsize=8, weight="bold", ha="left", va="bottom", annotation_clip=True,
                path_effects=_HALO,
            )  # fmt: skip


def _key(marks: Mapping[Fate, Marks]) -> list[Line2D]:
    """A key that counts the marks of each kind in the whole tomogram."""
    return [
        Line2D(
            [], [], color=_LOOKS[fate][0], linestyle=_LOOKS[fate][1],
            marker="x" if fate == "false" else None, markersize=5,
            label=f"{len(spheres)} {fate}", path_effects=_HALO,
        )
        for fate, spheres in marks.items()
    ]  # fmt: skip
