"""Curves: Fourier shell correlation over resolution, and loss over steps."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icelens.core.plots.style import (
    COLOURS,
    GRID,
    MUTED,
    house_style,
    label_line,
    new_figure,
    plain_log_axis,
)

Values = Sequence[float] | npt.NDArray[np.floating]
Points = tuple[Values, Values]


def fsc_curves(
    curves: Mapping[str, Values],
    spatial_frequency: Values,
    *,
    thresholds: Mapping[str, float] | None = None,
    title: str = "",
) -> Figure:
    """Draw correlation over spatial frequency, labelled by resolution.

    Args:
        curves: Name and values in [-1, 1] of each curve, one value for each shell.
        spatial_frequency: Of each shell, in 1/Å; a first shell at 0 is left out.
        thresholds: Name and height of each line to compare with, as `{"0.143": 0.143}`.
        title: Above the axes.
    """
    frequency = np.asarray(spatial_frequency, dtype=float)
    seen = frequency > 0
    with house_style():
        figure = new_figure(6.4, 3.6)
        axes = figure.add_subplot()
        axes.axhline(0.0, color=GRID, linewidth=0.8)
        for name, height in (thresholds or {}).items():
            axes.axhline(height, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
            axes.annotate(
                name, (1.0, height), xycoords=("axes fraction", "data"), xytext=(-2, 2),
                textcoords="offset points", ha="right", color=MUTED, fontsize=8,
            )  # fmt: skip
        lines = {
            name: (frequency[seen], np.asarray(values, dtype=float)[seen])
            for name, values in curves.items()
        }
        _draw(axes, lines)
        _label_by_resolution(axes, frequency[seen])
        lowest = min((float(np.nanmin(values)) for _, values in lines.values()), default=0.0)
        axes.set(ylabel="Fourier shell correlation", ylim=(min(-0.05, lowest - 0.05), 1.05))
        axes.set_title(title, loc="left")
    return figure


def loss_curve(
    curves: Mapping[str, Points], *, ylabel: str = "loss", xlabel: str = "step"
) -> Figure:
    """Draw losses over training steps: each value faint, a running median strong.

    Args:
        curves: Name, and steps with values, of each curve.
        ylabel: What the values are.
        xlabel: What the steps are.
    """
    with house_style():
        figure = new_figure(6.4, 3.2)
        axes = figure.add_subplot()
        smooth: dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]] = {}
        for (name, (steps, values)), colour in zip(curves.items(), COLOURS, strict=False):
            axes.plot(steps, values, color=colour, alpha=0.25, linewidth=0.8)
            smooth[name] = (np.asarray(steps, float), _running_median(np.asarray(values, float)))
        _draw(axes, smooth)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        positive = [value for _, values in curves.values() for value in values]
        if min(positive, default=0.0) > 0 and max(positive) > 20 * min(positive):
            plain_log_axis(axes)
    return figure


def _draw(
    axes: Axes, lines: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]
) -> None:
    """Plot lines; name up to three at their ends, more in a legend."""
    for (name, (x, y)), colour in zip(lines.items(), COLOURS, strict=False):
        axes.plot(x, y, color=colour, label=name)
    if len(lines) > 3 or _ends_collide(axes, lines):
        axes.legend(frameon=False, fontsize=8)
        return
    if len(lines) > 1:
        for (name, (x, y)), colour in zip(lines.items(), COLOURS, strict=False):
            label_line(axes, float(x[-1]), float(y[-1]), name, colour)


def _ends_collide(
    axes: Axes, lines: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]
) -> bool:
    """Whether two lines end so near each other that their names would overlap."""
    low, high = axes.get_ylim()
    ends = sorted(float(y[-1]) for _, y in lines.values())
    # A line of text is about a fourteenth of the axes' height at these sizes.
    return any(b - a < (high - low) / 14 for a, b in pairwise(ends))


def _label_by_resolution(axes: Axes, frequency: npt.NDArray[np.float64]) -> None:
    """Put ticks at round resolutions, so that 1/Å is read in Å."""
    finest = 1.0 / float(frequency[-1])
    candidates = [finest * factor for factor in (1.0, 1.25, 1.6, 2.5, 5.0, 10.0)]
    ticks = [_two_digits(resolution) for resolution in candidates]
    axes.set_xticks([1.0 / tick for tick in ticks], [f"{tick:g}" for tick in ticks])
    axes.set(xlabel="resolution (Å)", xlim=(0.0, float(frequency[-1])))


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")


def _running_median(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Median over a window of a twentieth of the curve, to show the trend."""
    half = max(1, len(values) // 40)
    return np.array(
        [np.median(values[max(0, i - half) : i + half + 1]) for i in range(len(values))]
    )
