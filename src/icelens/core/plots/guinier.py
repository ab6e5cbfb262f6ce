"""Guinier plot: logarithm of amplitudes over 1/d^2, and the line whose slope is the B-factor."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from icelens.core.plots.style import COLOURS, INK, house_style, new_figure

Values = Sequence[float] | npt.NDArray[np.floating]


def guinier_plot(
    square_frequency: Values,
    log_amplitudes: Mapping[str, Values],
    *,
    line: Values | None = None,
    is_fitted: npt.NDArray[np.bool_] | None = None,
) -> Figure:
    """Draw amplitudes of shells; the line is solid where it was fitted.

    Args:
        square_frequency: `1/d^2` of each shell, in 1/Å^2.
        log_amplitudes: Name and natural logarithm of each curve; what is not finite is left out.
        line: The fitted line at each shell.
        is_fitted: The shells it was fitted to.
    """
    square = np.asarray(square_frequency, float)
    with house_style():
        figure = new_figure(6.4, 3.6)
        axes = figure.add_subplot()
        for (name, values), colour in zip(log_amplitudes.items(), COLOURS, strict=False):
            heights = np.asarray(values, float)
            heights = np.where(np.isfinite(heights), heights, np.nan)
            heights[0] = np.nan  # the mean was removed
            axes.plot(square, heights, color=colour, label=name)
        if line is not None and is_fitted is not None and is_fitted.any():
            axes.plot(
                square[is_fitted], np.asarray(line, float)[is_fitted], color=INK, linewidth=1.0,
                linestyle=(0, (4, 3)), label="fitted line",
            )  # fmt: skip
        axes.set(xlabel="1/d² (1/Å²)", ylabel="ln amplitude", xlim=(0.0, float(square[-1])))
        axes.legend(frameon=False, fontsize=8)
        top = axes.secondary_xaxis("top")
        ticks = np.linspace(square[-1] / 8, square[-1], 6)
        top.set_xticks(ticks, [f"{1 / np.sqrt(tick):.2g}" for tick in ticks])
        top.set_xlabel("resolution (Å)")
    return figure
