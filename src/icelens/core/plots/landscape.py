"""Landscapes of states: where particles are, how rare that is, classes, explained variance."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from icelens.core.plots.latent import SUPPORT_COLOURS
from icelens.core.plots.style import COLOURS, GRID, INK, MUTED, house_style, new_figure

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.integer]

_MOST_POINTS = 20_000
"""Points that are drawn; more would only fill a picture."""
_FEW = 30
"""Points up to which each is named."""
_MORE = ("#E69F00", "#8c564b", "#7f7f7f", "#332288", "#88CCEE", "#44AA99", "#882255")
_CLASS_COLOURS = (*COLOURS, *_MORE)


def scree(explained: Floats) -> Figure:
    """Draw the share of the variance along each component, and their sum.

    Args:
        explained: `(component,)` shares, from 0 to 1.
    """
    number = np.arange(1, len(explained) + 1)
    with house_style():
        figure = new_figure(6.4, 3.0)
        axes = figure.add_subplot()
        axes.bar(number, 100 * explained, color=COLOURS[0], width=0.7, label="each")
        total = 100 * np.cumsum(explained)
        axes.plot(number, total, color=COLOURS[1], marker="o", markersize=3, label="together")
        axes.legend(frameon=False, fontsize=8, loc="center right")
        axes.set(xlabel="volume component", ylabel="variance explained (%)", ylim=(0, 105))
        axes.set_xticks(number if len(number) <= 20 else number[::5])
    return figure


def landscape(
    edges: Sequence[Floats],
    count: Floats,
    energy_kt: Floats,
    error_kt: Floats,
    *,
    labels: tuple[str, str],
) -> Figure:
    """Draw how many particles lie where, and the free energy and its error that follow.

    Args:
        edges: Of the bins along both coordinates.
        count: `(bin, bin)` particles, the first coordinate first.
        energy_kt: `(bin, bin)` in kT, nan where there is no particle.
        error_kt: `(bin, bin)` standard deviation of the energy.
        labels: Names of the coordinates.
    """
    panels = (
        ("particles", np.where(count > 0, count, np.nan), "magma_r"),
        ("free energy (kT)", energy_kt, "viridis"),
        ("its error (kT)", error_kt, "cividis"),
    )
    with house_style():
        figure = new_figure(11.0, 3.6)
        for axes, (name, values, colours) in zip(figure.subplots(1, 3), panels, strict=True):
            shown = axes.pcolormesh(edges[0], edges[1], values.T, cmap=colours, rasterized=True)
            bar = figure.colorbar(shown, ax=axes, fraction=0.05, pad=0.02)
            bar.outline.set_visible(False)
            axes.set_title(name, loc="left")
            axes.set(xlabel=labels[0], ylabel=labels[1])
    return figure


def energy_curve(
    edges: Floats, energy_kt: Floats, error_kt: Floats, count: Floats, *, label: str
) -> Figure:
    """Draw free energy along one coordinate with error bars, over the histogram.

    Args:
        edges: Of the bins.
        energy_kt: `(bin,)` in kT, nan where there is no particle.
        error_kt: `(bin,)` standard deviation of the energy.
        count: `(bin,)` particles.
        label: Name of the coordinate.
    """
    middle = 0.5 * (edges[1:] + edges[:-1])
    with house_style():
        figure = new_figure(6.4, 4.2)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        upper.errorbar(
            middle, energy_kt, error_kt, fmt="o-", markersize=3, linewidth=1,
            color=COLOURS[0], ecolor=MUTED, elinewidth=0.8,
        )  # fmt: skip
        upper.set(ylabel="free energy (kT)")
        lower.bar(middle, count, width=np.diff(edges), color=COLOURS[0], alpha=0.6)
        lower.set(xlabel=label, ylabel="particles")
    return figure


def classes(
    panels: Sequence[tuple[str, Floats]], number: Integers, *, noun: str = "state"
) -> Figure:
    """Draw points coloured by class, side by side in several coordinate systems.

    Args:
        panels: For each its title and the points `(point, 1 or more)`, of which two coordinates
            are drawn.
        number: `(point,)` class of each, from 1.
        noun: What a class is called.
    """
    count = int(number.max(initial=1))
    step = max(1, len(number) // _MOST_POINTS)
    with house_style():
        figure = new_figure(5.0 * len(panels) + 0.8, 4.2)
        row = figure.subplots(1, len(panels), squeeze=False)[0]
        palette = ListedColormap([_colour(place) for place in range(count)])
        for axes, (title, points) in zip(row, panels, strict=True):
            x, y = _two(points)
            axes.scatter(
                x[::step], y[::step], c=number[::step] - 1, cmap=palette, vmin=-0.5,
                vmax=count - 0.5, s=5, alpha=0.6, linewidths=0, rasterized=True,
            )  # fmt: skip
            for each in range(1, count + 1):
                inside = number == each
                if inside.any():
                    _name(axes, float(np.median(x[inside])), float(np.median(y[inside])), each)
            axes.set_title(title, loc="left")
            axes.set(xlabel="component 1", ylabel="component 2")
        if count <= 30:
            mappable = ScalarMappable(cmap=palette)
            mappable.set_clim(0.5, count + 0.5)
            bar = figure.colorbar(mappable, ax=list(row), fraction=0.03, pad=0.01, label=noun)
            bar.set_ticks(range(1, count + 1))
            bar.outline.set_visible(False)
    return figure


def class_counts(count: Floats, *, noun: str = "state") -> Figure:
    """Draw how many particles are in each class, numbered from 1.

    Args:
        count: `(class,)`.
        noun: What a class is called.
    """
    number = np.arange(1, len(count) + 1)
    share = 100.0 * count / max(float(count.sum()), 1.0)
    with house_style():
        figure = new_figure(6.4, 3.0)
        axes = figure.add_subplot()
        axes.bar(number, count, color=[_colour(place) for place in range(len(count))], width=0.7)
        for x, height, part in zip(number, count, share, strict=True):
            axes.annotate(
                f"{part:.1f}%", (x, height), xytext=(0, 2), textcoords="offset points",
                ha="center", fontsize=7, color=MUTED,
            )  # fmt: skip
        axes.set(xlabel=noun, ylabel="particles")
        axes.set_xticks(number if len(number) <= 30 else number[::5])
    return figure


def states_among_particles(
    particles: Floats, states: Floats, names: Sequence[str], flags: Sequence[str]
) -> Figure:
    """Draw where volumes were made among the particles, coloured by how well they are supported.

    Args:
        particles: `(particle, 1 or more)` coordinates, of which two are drawn.
        states: `(state, 1 or more)` coordinates of the volumes.
        names: Of the volumes.
        flags: `supported`, `sparse` or `extrapolated`, for each volume.
    """
    step = max(1, len(particles) // _MOST_POINTS)
    with house_style():
        figure = new_figure(6.0, 4.4)
        axes = figure.add_subplot()
        is_line = particles.shape[1] == 1
        thinned = max(1, len(flags) // _MOST_POINTS)
        x, y = _two(states[::thinned])
        if is_line:
            count, *_ = axes.hist(particles[:, 0], bins=60, color=MUTED, alpha=0.5)
            y = np.full(len(x), 0.5 * np.max(count))
        else:
            all_x, all_y = _two(particles[::step])
            axes.scatter(all_x, all_y, s=4, color=MUTED, alpha=0.25, linewidths=0, label=None)
        kind = np.asarray(flags, str)[::thinned]
        size = 36 if len(names) <= _FEW else 10
        for name, colour in SUPPORT_COLOURS.items():
            chosen = kind == name
            if chosen.any():
                axes.scatter(
                    x[chosen],
                    y[chosen],
                    s=size,
                    color=colour,
                    edgecolor="white",
                    label=name,
                    linewidths=size / 36,
                )
        if len(names) <= _FEW:
            for at_x, at_y, name in zip(x, y, names, strict=True):
                axes.annotate(
                    name, (at_x, at_y), xytext=(4, 3), textcoords="offset points", fontsize=7,
                    color=INK,
                )  # fmt: skip
        axes.legend(frameon=False, fontsize=8)
        axes.set(
            xlabel="latent component 1", ylabel="particles" if is_line else "latent component 2"
        )
    return figure


def scores(score: Floats) -> Figure:
    """Draw how well each component is known from latents, in samples that were held out.

    Args:
        score: `(component,)` coefficient of determination.
    """
    number = np.arange(1, len(score) + 1)
    with house_style():
        figure = new_figure(6.4, 2.6)
        axes = figure.add_subplot()
        axes.axhline(0.0, color=GRID, linewidth=0.8)
        axes.axhline(1.0, color=GRID, linewidth=0.8)
        axes.bar(number, np.maximum(score, -0.2), color=COLOURS[0], width=0.7)
        axes.set(xlabel="volume component", ylabel="held-out $R^2$", ylim=(-0.2, 1.05))
        axes.set_xticks(number if len(number) <= 20 else number[::5])
    return figure


def _two(points: Floats) -> tuple[Floats, Floats]:
    """Two coordinates to draw; a single one is drawn over its own rank among others."""
    if points.shape[1] > 1:
        return points[:, 0], points[:, 1]
    x = points[:, 0]
    return x, np.zeros(len(x), np.float64)


def _colour(place: int) -> str:
    return _CLASS_COLOURS[place % len(_CLASS_COLOURS)]


def _name(axes: Axes, x: float, y: float, number: int) -> None:
    axes.annotate(
        str(number), (x, y), ha="center", va="center", fontsize=8, color=INK,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.8, "linewidth": 0},
    )  # fmt: skip
