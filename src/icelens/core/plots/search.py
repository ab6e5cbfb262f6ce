"""A search for settings: how trials got better, and which settings mattered."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from icelens.core.plots.style import COLOURS, GRID, MUTED, house_style, new_figure

_MOST_BARS = 15


def search_history(
    numbers: Sequence[int],
    scores: Sequence[float],
    is_pruned: Sequence[bool],
    *,
    ylabel: str = "score",
) -> Figure:
    """Draw the score of each trial, and the best so far as a line.

    Args:
        numbers: Of the trials, rising.
        scores: Higher is better; of a pruned trial the last one it reached.
        is_pruned: Whether each trial was stopped before its end; these are drawn hollow.
        ylabel: What the scores are.
    """
    x, y = np.asarray(numbers, float), np.asarray(scores, float)
    pruned = np.asarray(is_pruned, bool)
    with house_style():
        figure = new_figure(6.4, 3.2)
        axes = figure.add_subplot()
        if (~pruned).any():
            best = np.maximum.accumulate(np.where(pruned, -np.inf, y))
            known = np.isfinite(best)
            axes.step(x[known], best[known], where="post", color=COLOURS[1], label="best so far")
        axes.plot(x[~pruned], y[~pruned], "o", color=COLOURS[0], markersize=5, label="finished")
        if pruned.any():
            axes.plot(
                x[pruned], y[pruned], "o", markersize=5, markerfacecolor="none",
                markeredgecolor=MUTED, label="pruned",
            )  # fmt: skip
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=True, axis="y", color=GRID)
        axes.set(xlabel="trial", ylabel=ylabel)
        axes.legend(frameon=False, fontsize=8)
    return figure


def setting_importances(importances: Mapping[str, float]) -> Figure:
    """Draw how much each setting mattered as bars, the most important on top.

    Args:
        importances: Share of each setting, adding up to 1; the highest fifteen are drawn.
    """
    ranked = sorted(importances.items(), key=lambda each: each[1], reverse=True)[:_MOST_BARS]
    with house_style():
        figure = new_figure(6.4, 0.8 + 0.28 * max(len(ranked), 1))
        axes = figure.add_subplot()
        names = [name for name, _ in reversed(ranked)]
        shares = [share for _, share in reversed(ranked)]
        bars = axes.barh(names, shares, color=COLOURS[0], height=0.7)
        axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=8, color=MUTED)
        axes.margins(x=0.12)
        axes.set(xlabel="importance")
    return figure
