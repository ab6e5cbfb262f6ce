"""Eigenvalues of a covariance beside what their components are worth on held-out images."""

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from icelens.core.plots.style import COLOURS, MUTED, house_style, new_figure, plain_log_axis


def component_spectrum(
    eigenvalues: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    threshold: float,
    is_kept: npt.NDArray[np.bool_],
) -> Figure:
    """Draw eigenvalues as bars, those of noise grey, and above them what components are worth.

    Args:
        eigenvalues: `(component,)`, above 0.
        scores: `(component,)` gain in log likelihood of held-out images, in standard errors.
        threshold: Score below which a component is noise.
        is_kept: `(component,)` those that are not taken for noise.
    """
    values, worth = np.asarray(eigenvalues, float), np.asarray(scores, float)
    number = np.arange(1, len(values) + 1)
    with house_style():
        figure = new_figure(6.4, 4.2)
        upper, lower = figure.subplots(2, 1, sharex=True)
        upper.plot(number, worth, "o-", color=COLOURS[0], markersize=4)
        upper.axhline(threshold, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
        upper.set(ylabel="gain / standard error")
        colours = np.where(is_kept, COLOURS[0], MUTED)
        lower.bar(number, values, color=colours, width=0.7)
        if not is_kept.all():
            level = float(np.median(values[~is_kept]))
            lower.axhline(level, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
            lower.annotate(
                "noise", (1.0, level), xycoords=("axes fraction", "data"), xytext=(-2, 2),
                textcoords="offset points", ha="right", color=MUTED, fontsize=8,
            )  # fmt: skip
        plain_log_axis(lower)
        lower.set(xlabel="component", ylabel="eigenvalue")
        lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure
