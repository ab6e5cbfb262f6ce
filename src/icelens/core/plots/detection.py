"""Precision over recall, and how far picks lie from their particles."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

from icelens.core.data.picks import Floats
from icelens.core.metrics.precision_recall import PrecisionRecall
from icelens.core.plots.style import COLOURS, GRID, MUTED, house_style, new_figure

_LINES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))
_COLUMNS = 3
_BINS = 20


def precision_recall_curves(curves: Mapping[str, PrecisionRecall]) -> Figure:
    """Draw precision over recall of each class; a dot stands where all its picks are kept.

    Args:
        curves: Of each class, by name; one without picks is only named.
    """
    with house_style():
        figure = new_figure(7.2, 4.0)
        axes = figure.add_subplot()
        # Classes beyond the fifth take the colours again, with another line.
        looks = cycle([(colour, line) for line in _LINES for colour in COLOURS])
        for (name, curve), (colour, line) in zip(curves.items(), looks, strict=False):
            label = f"{name}, AP {curve.average_precision:.3f}"
            # The surest picks alone have their precision from recall 0 on.
            recall = np.concatenate([np.zeros(min(1, len(curve.recall))), curve.recall])
            precision = np.concatenate([curve.precision[:1], curve.precision])
            axes.plot(recall, precision, color=colour, linestyle=line, label=label)
            axes.plot(recall[-1:], precision[-1:], "o", color=colour, markersize=4.5, clip_on=False)
        axes.grid(visible=True, color=GRID)
        axes.set(xlabel="recall", ylabel="precision", xlim=(0.0, 1.01), ylim=(0.0, 1.02))
        if curves:
            figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    return figure


def error_histograms(errors: Mapping[str, Floats], distances: Mapping[str, float]) -> Figure:
    """Draw how far the picks of each class lie from their particles, with the RMS as a line.

    Args:
        errors: Distance of each pair in Å, by class.
        distances: Farthest that counts, in Å, by class: the end of each axis.
    """
    columns = min(_COLUMNS, max(len(errors), 1))
    rows = max(-(-len(errors) // columns), 1)
    with house_style():
        figure = new_figure(3.2 * columns, 2.1 * rows)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in grid[len(errors) :]:
            axes.set_visible(False)
        for axes, (name, values) in zip(grid, errors.items(), strict=False):
            limit = distances[name]
            axes.hist(
                values, bins=_BINS, range=(0.0, limit), color=COLOURS[0], edgecolor="white",
                linewidth=0.5,
            )  # fmt: skip
            axes.set(xlim=(0.0, limit), xlabel="error (Å)", ylabel="pairs")
            axes.margins(y=0.25)  # room for the words above the bars
            axes.yaxis.get_major_locator().set_params(integer=True)
            if len(values):
                rms = float(np.sqrt(np.mean(values**2)))
                axes.axvline(rms, color=COLOURS[1], linewidth=1.2)
                is_right = rms > limit / 2
                axes.annotate(
                    f"RMS {rms:.1f} Å", (rms, 1.0), xycoords=("data", "axes fraction"),
                    xytext=(-3 if is_right else 3, -2), textcoords="offset points", va="top",
                    ha="right" if is_right else "left", color=COLOURS[1], fontsize=8,
                )  # fmt: skip
            else:
                axes.text(0.5, 0.5, "no pairs", transform=axes.transAxes, ha="center", color=MUTED)
            axes.set_title(name, loc="left")
    return figure
