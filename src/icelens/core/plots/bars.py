"""Bars: one number, or one for each of several groups, for each of many things."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from icelens.core.plots.style import COLOURS, GRID, MUTED, house_style, new_figure


def bars(
    groups: Mapping[str, npt.ArrayLike],
    ticks: Sequence[str],
    *,
    xlabel: str,
    ylabel: str,
    cumulative: bool = False,
) -> Figure:
    """Draw bars of several groups beside each other.

    Args:
        groups: Values `(thing,)` by the name of the group; one without a name gets no legend.
        ticks: Names of the things.
        xlabel: What the things are.
        ylabel: What the values are, with their unit.
        cumulative: Whether to draw the sum from the left, too, as a line.
    """
    place = np.arange(len(ticks))
    width = 0.8 / len(groups)
    with house_style():
        figure = new_figure(6.4, 3.0)
        axes = figure.add_subplot()
        for number, (name, values) in enumerate(groups.items()):
            shift = (number - 0.5 * (len(groups) - 1)) * width
            colour = COLOURS[number % len(COLOURS)]
            axes.bar(place + shift, np.asarray(values, float), width, color=colour, label=name)
        if cumulative:
            total = np.cumsum(np.asarray(next(iter(groups.values())), float))
            axes.plot(place, total, color=MUTED, marker="o", markersize=3, label="sum")
        if len(groups) > 1 or cumulative:
            axes.legend(frameon=False, fontsize=8)
        every = max(1, len(ticks) // 20)
        axes.set_xticks(place[::every], list(ticks)[::every])
        axes.grid(visible=True, axis="y", color=GRID)
        axes.set_axisbelow(True)
        axes.set(xlabel=xlabel, ylabel=ylabel)
    return figure
