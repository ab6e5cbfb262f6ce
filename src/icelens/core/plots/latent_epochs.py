"""How latents and volumes come to rest over the epochs of a training."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from icelens.core.latents.convergence import EpochChange
from icelens.core.plots.style import COLOURS, GRID, MUTED, house_style, new_figure


def shift_curve(changes: Sequence[EpochChange]) -> Figure:
    """Draw how far latents move from one kept epoch to the next: the median and most of them."""
    epoch = [each.epoch for each in changes]
    spread = np.asarray([np.percentile(each.shift, (10, 50, 90)) for each in changes])
    with house_style():
        figure = new_figure(6.4, 3.0)
        axes = figure.add_subplot()
        axes.fill_between(
            epoch, spread[:, 0], spread[:, 2], color=COLOURS[0], alpha=0.25, linewidth=0,
            label="10th to 90th percentile",
        )  # fmt: skip
        axes.plot(epoch, spread[:, 1], color=COLOURS[0], marker="o", markersize=3, label="median")
        shared = [each.shared_direction for each in changes]
        axes.plot(epoch, shared, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.0,
                  label="shared direction (1: all alike)")  # fmt: skip
        axes.legend(frameon=False, fontsize=8)
        axes.grid(visible=True, axis="y", color=GRID)
        axes.set(xlabel="epoch", ylabel="move / spread of latents", ylim=(0, None))
    return figure


def kept_curve(epochs: Sequence[int], kept: Sequence[float]) -> Figure:
    """Draw the share of neighbours that particles keep from one kept epoch to the next."""
    with house_style():
        figure = new_figure(6.4, 3.0)
        axes = figure.add_subplot()
        axes.plot(epochs, kept, color=COLOURS[2], marker="o", markersize=3)
        axes.grid(visible=True, axis="y", color=GRID)
        axes.set(xlabel="epoch", ylabel="share of neighbours kept", ylim=(0, 1.02))
    return figure


def correlation_curves(epochs: Sequence[int], correlation: np.ndarray) -> Figure:
    """Draw the correlation of volumes with those of the epoch before, each faint, their mean bold.

    Args:
        epochs: The later of both.
        correlation: `(epoch, volume)`.
    """
    with house_style():
        figure = new_figure(6.4, 3.0)
        axes = figure.add_subplot()
        axes.plot(epochs, correlation, color=COLOURS[1], alpha=0.3, linewidth=0.8)
        axes.plot(epochs, correlation.mean(axis=1), color=COLOURS[1], marker="o", markersize=3)
        axes.grid(visible=True, axis="y", color=GRID)
        axes.set(xlabel="epoch", ylabel="correlation of volumes")
        axes.set_ylim(top=1.005)
    return figure
