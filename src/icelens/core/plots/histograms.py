"""Histograms of several groups, one below the other on one axis: scores, distances."""

from collections.abc import Collection, Mapping, Sequence
from itertools import cycle

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from icelens.core.plots.style import COLOURS, INK, house_style, new_figure

_BINS = 40


def stacked_histograms(
    groups: Mapping[str, npt.NDArray[np.float64]],
    *,
    label: str,
    limits: tuple[float, float],
    marks: Mapping[str, Sequence[float]] | None = None,
    bins: int = _BINS,
    uncounted: Collection[str] = (),
) -> Figure:
    """Draw how the values of each group are distributed.

    Args:
        groups: Values by name; a group may be empty.
        label: What the values are, with their unit.
        limits: Ends of the axis; values beyond them are counted in the last bins.
        marks: Values at which a line is drawn, for some of the groups.
        bins: Of each histogram.
        uncounted: Groups whose number of values means nothing, as of quantiles.
    """
    with house_style():
        figure = new_figure(6.4, 0.6 + 0.9 * max(len(groups), 1))
        rows = np.atleast_1d(figure.subplots(max(len(groups), 1), 1, sharex=True))
        for axes, (name, values), colour in zip(rows, groups.items(), cycle(COLOURS), strict=False):
            axes.hist(np.clip(values, *limits), bins=bins, range=limits, color=colour)
            for mark in (marks or {}).get(name, ()):
                axes.axvline(mark, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
            count = "" if name in uncounted else f" ({len(values)})"
            axes.set_title(f"{name}{count}", loc="left", fontsize=9)
            axes.set(xlim=limits, yticks=[])
            axes.spines["left"].set_visible(False)
        rows[-1].set_xlabel(label)
    return figure
