"""Latents of particles in the plane: how many lie where, what they carry, and paths over them."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from icelens.core.data.evenly import evenly
from icelens.core.plots.style import COLOURS, INK, house_style, new_figure

Floats = npt.NDArray[np.float64]

_INKS = LinearSegmentedColormap.from_list("inks", ("#dbe7f1", COLOURS[0], "#0b2239"))
_MOST_DRAWN = 30_000
"""Points of a scatter plot; more of them hide each other and make large files."""
_CLASS_COLOURS = (*COLOURS, "#E69F00", "#7f5539", "#5e3c99", "#4d4d4d", "#a6761d")
SUPPORT_COLOURS = {"supported": "#009E73", "sparse": "#E69F00", "extrapolated": "#D55E00"}


def latent_density(
    points: Floats,
    names: Sequence[str],
    *,
    marks: Mapping[str, Floats] | None = None,
) -> Figure:
    """Draw how many particles lie where, on a scale of decades, with named points over them.

    Args:
        points: `(particle, 1 or 2)`; one coordinate makes a histogram.
        names: Of the coordinates.
        marks: Points `(1 or 2,)` by name, such as the centres of clusters.
    """
    with house_style():
        figure = new_figure(5.4, 4.4 if points.shape[1] > 1 else 3.0)
        axes = figure.add_subplot()
        marked = np.stack(list(marks.values())) if marks else points[:0]
        draw_density(axes, points, names, also=marked)
        for name, place in (marks or {}).items():
            _mark(axes, name, place)
    return figure


def latent_values(
    points: Floats, values: Floats, names: Sequence[str], *, label: str, is_class: bool = False
) -> Figure:
    """Draw each particle as a point in the colour of a column's value, or of its class.

    Args:
        points: `(particle, 2)`.
        values: `(particle,)`; of a class, whole numbers from 1. Points without one are grey.
        names: Of the coordinates.
        label: Name of the column, with its unit.
        is_class: Whether values are names rather than amounts.
    """
    drawn = drawn_places(len(points))
    points, values = points[drawn], values[drawn]
    known = np.isfinite(values)
    size = point_size(len(points))
    with house_style():
        figure = new_figure(5.4, 4.2)
        axes = figure.add_subplot()
        axes.scatter(
            points[~known, 0],
            points[~known, 1],
            s=size,
            color="#d0d4d9",
            linewidths=0,
            rasterized=True,
        )
        if is_class:
            draw_classes(axes, points[known], values[known].astype(np.int64))
            figure.legend(
                loc="outside right upper", frameon=False, title=label, fontsize=8,
                markerscale=(24.0 / size) ** 0.5,
            )  # fmt: skip
        else:
            low, high = np.percentile(values[known], (2, 98)) if known.any() else (0.0, 1.0)
            dots = axes.scatter(
                points[known, 0],
                points[known, 1],
                c=values[known],
                s=size,
                cmap="viridis",
                vmin=low,
                vmax=high if high > low else low + 1.0,
                linewidths=0,
                rasterized=True,
            )
            figure.colorbar(dots, ax=axes, label=label, extend="both", shrink=0.8)
        axes.set(xlabel=names[0], ylabel=names[1])
        axes.set(xlim=limits(points[:, 0]), ylim=limits(points[:, 1]))
    return figure


def latent_path(
    points: Floats,
    names: Sequence[str],
    path: Floats,
    flags: Sequence[str],
    *,
    anchors: Floats | None = None,
) -> Figure:
    """Draw a path over the density of particles, its points in the colour of their support.

    Args:
        points: `(particle, 1 or 2)`.
        names: Of the coordinates.
        path: `(point, 1 or 2)`.
        flags: `supported`, `sparse` or `extrapolated`, for each point of the path.
        anchors: `(anchor, 1 or 2)` points that it was to go through.
    """
    with house_style():
        figure = new_figure(5.8, 4.4 if points.shape[1] > 1 else 3.0)
        axes = figure.add_subplot()
        seen = path if anchors is None else np.concatenate([path, anchors])
        draw_density(axes, points, names, also=seen)
        line = _in_plane(axes, path)
        axes.plot(*line.T, color="white", linewidth=3.0, zorder=3)
        axes.plot(*line.T, color=INK, linewidth=1.2, zorder=4)
        if anchors is not None:
            places = _in_plane(axes, anchors)
            axes.scatter(
                places[:, 0],
                places[:, 1],
                s=110,
                marker="o",
                facecolors="none",
                edgecolors=INK,
                zorder=5,
            )
        for flag, colour in SUPPORT_COLOURS.items():
            chosen = np.asarray([each == flag for each in flags], bool)
            if chosen.any():
                axes.scatter(
                    line[chosen, 0],
                    line[chosen, 1],
                    s=30,
                    color=colour,
                    edgecolors="white",
                    linewidths=0.6,
                    label=f"{flag} ({int(chosen.sum())})",
                    zorder=6,
                )
        for name, place in ends(line).items():
            axes.annotate(
                name, place, xytext=(6, 6), textcoords="offset points", zorder=7,
                path_effects=[withStroke(linewidth=2.5, foreground="white")],
            )  # fmt: skip
        figure.legend(loc="outside right upper", frameon=False, fontsize=8, title="support")
    return figure


def draw_density(
    axes: Axes, points: Floats, names: Sequence[str], *, also: Floats | None = None
) -> None:
    """Hexagons of two coordinates, a histogram of one; the axes show `also`, too."""
    further = points[:0] if also is None else also
    ends = [limits(v, w) for v, w in zip(points.T, further.T, strict=True)]
    if points.shape[1] == 1:
        axes.hist(points[:, 0], bins=60, range=ends[0], color=COLOURS[0])
        axes.set(xlabel=names[0], ylabel="particles")
        return
    (low, high), (bottom, top) = ends
    bins = int(np.clip(len(points) ** 0.5 / 2, 20, 70))
    shown = axes.hexbin(
        *points.T, gridsize=bins, bins="log", mincnt=1, cmap=_INKS, linewidths=0.2,
        extent=(low, high, bottom, top),
    )  # fmt: skip
    axes.set(xlabel=names[0], ylabel=names[1])
    figure = axes.get_figure(root=True)
    if figure is not None:
        figure.colorbar(shown, ax=axes, label="particles", shrink=0.8)


def draw_classes(axes: Axes, points: Floats, label: npt.NDArray[np.int64]) -> None:
    """Points in the colour of their class; of many, like numbers have like colours."""
    size = point_size(len(points))
    last = int(label.max(initial=1))
    for number in np.unique(label):
        chosen = label == number
        colour = _CLASS_COLOURS[(number - 1) % len(_CLASS_COLOURS)]
        if last > len(_CLASS_COLOURS):
            colour = to_hex(colormaps["turbo"]((number - 0.5) / last))
        axes.scatter(
            points[chosen, 0], points[chosen, 1], s=size, color=colour, linewidths=0,
            label=f"{number} ({int(chosen.sum())})", rasterized=True,
        )  # fmt: skip


def limits(values: Floats, also: Floats | None = None) -> tuple[float, float]:
    """Ends of an axis on which the inner 98 % fill the better part, whatever lies far out.

    Args:
        values: `(particle,)`.
        also: Further values that have to be seen.
    """
    low, high = np.percentile(values, (1.0, 99.0))
    room = 0.3 * (high - low) if high > low else 0.5
    low, high = max(low - room, values.min()), min(high + room, values.max())
    if also is not None and len(also):
        low, high = min(low, also.min()), max(high, also.max())
    margin = 0.04 * (high - low) if high > low else 0.5
    return float(low - margin), float(high + margin)


def drawn_places(num_points: int) -> npt.NDArray[np.int64]:
    """Places of the points that are drawn: all, or as many as can be seen, spread evenly."""
    return evenly(num_points, _MOST_DRAWN)


def point_size(num_points: int) -> float:
    """Area of a point in square points, the smaller the more there are."""
    return float(np.clip(4000.0 / max(num_points, 1), 1.5, 14.0))


def ends(line: Floats) -> dict[str, tuple[float, float]]:
    """Where a path begins and ends, unless that is the same."""
    first, last = (float(x) for x in line[0]), (float(x) for x in line[-1])
    named = {"1": tuple(first), str(len(line)): tuple(last)}
    return {name: (place[0], place[1]) for name, place in named.items()}


def _mark(axes: Axes, name: str, place: Floats) -> None:
    spot = _in_plane(axes, np.asarray(place)[None])[0]
    axes.scatter(
        spot[0], spot[1], s=14, color=COLOURS[1], edgecolors="white", linewidths=0.5, zorder=5
    )
    axes.annotate(
        name, (float(spot[0]), float(spot[1])), xytext=(3, 3), textcoords="offset points",
        fontsize=8, color=INK, zorder=6,
        path_effects=[withStroke(linewidth=2.0, foreground="white")],
    )  # fmt: skip


def _in_plane(axes: Axes, places: Floats) -> Floats:
    """Places `(point, 2)`; of one coordinate, at a height at which a histogram shows them."""
    if places.shape[1] > 1:
        return places
    height = 0.5 * axes.get_ylim()[1]
    return np.stack([places[:, 0], np.full(len(places), height)], axis=1)
