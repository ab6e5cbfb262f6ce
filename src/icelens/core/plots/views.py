"""Where particles are seen from: how densely each direction is covered."""

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from icelens.core.geometry.healpix import healpix_cell, num_cells
from icelens.core.plots.style import MUTED, house_style, new_figure

_MOST_FULL = 4.0


def view_distribution(rotation: npt.ArrayLike, *, title: str = "") -> Figure:
    """Draw the density of viewing directions on a map of the sphere of equal areas (Mollweide).

    Args:
        rotation: `(particle, 3, 3)` reference to image; the direction is the third row.
        title: Above the map.
    """
    direction = np.asarray(rotation, np.float64).reshape(-1, 3, 3)[:, 2]
    # cells small enough to show structure, large enough to hold some particles each
    order = next((each for each in (4, 3, 2) if len(direction) >= 5 * num_cells(each)), 1)
    counts = np.zeros(num_cells(order))
    if len(direction):
        counts = np.bincount(healpix_cell(direction, order), minlength=len(counts)).astype(float)
    density = counts / max(counts.mean(), 1e-12)
    longitude = np.linspace(-np.pi, np.pi, 361)
    latitude = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 181)
    middle_lon, middle_lat = np.meshgrid(
        0.5 * (longitude[1:] + longitude[:-1]), 0.5 * (latitude[1:] + latitude[:-1])
    )
    flat = np.cos(middle_lat)
    place = np.stack(
        [flat * np.cos(middle_lon), flat * np.sin(middle_lon), np.sin(middle_lat)], axis=-1
    )
    with house_style():
        figure = new_figure(6.4, 3.4)
        axes = figure.add_subplot(projection="mollweide")
        drawn = axes.pcolormesh(
            longitude,
            latitude,
            density[healpix_cell(place, order)],
            cmap="viridis",
            vmin=0.0,
            vmax=_MOST_FULL,
            rasterized=True,
        )
        axes.set_xticks(np.deg2rad([-120, -60, 0, 60, 120]))
        axes.set_yticks(np.deg2rad([-60, -30, 0, 30, 60]))
        axes.tick_params(labelsize=7, colors=MUTED)
        for label in axes.get_xticklabels():  # they lie on the map
            label.set(color="white", path_effects=[withStroke(linewidth=1.5, foreground=MUTED)])
        axes.grid(visible=True, color="white", linewidth=0.3, alpha=0.5)
        axes.set_title(title, loc="left")
        bar = figure.colorbar(drawn, ax=axes, shrink=0.7, extend="max")
        bar.set_label("particles per direction, 1 is even")
    return figure
