"""Free energies over one coordinate with error bars, or over two as a map."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from icelens.core.latents.free_energy import FreeEnergy
from icelens.core.plots.style import COLOURS, GRID, house_style, new_figure

_HIGHEST = 8.0
"""kT: rarer states than one in 3000 are drawn alike."""


def free_energy_curve(energy: FreeEnergy, name: str) -> Figure:
    """Draw the energy over one coordinate, one standard deviation to either side shaded.

    Args:
        energy: Of one coordinate.
        name: Of the coordinate.
    """
    (centre,) = energy.centres()
    with house_style():
        figure = new_figure(6.4, 3.4)
        axes = figure.add_subplot()
        low, high = energy.energy_kT - energy.error_kT, energy.energy_kT + energy.error_kT
        axes.fill_between(centre, low, high, color=COLOURS[0], alpha=0.25, linewidth=0)
        axes.plot(centre, energy.energy_kT, color=COLOURS[0], marker="o", markersize=2.5,
                  label="particles where their latents lie")  # fmt: skip
        if energy.widened_kT is not None:
            axes.plot(centre, energy.widened_kT, color=COLOURS[1], linewidth=1.2,
                      label="each spread by its uncertainty")  # fmt: skip
            axes.legend(frameon=False, fontsize=8)
        axes.grid(visible=True, axis="y", color=GRID)
        axes.set(xlabel=name, ylabel="free energy (kT)")
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    return figure


def free_energy_map(energy: FreeEnergy, names: Sequence[str]) -> Figure:
    """Draw the energy over two coordinates, and beside it its standard deviation.

    Args:
        energy: Of two coordinates.
        names: Of the coordinates.
    """
    extent = (*energy.edges[0][[0, -1]].tolist(), *energy.edges[1][[0, -1]].tolist())
    pictures = {
        "free energy (kT)": energy.energy_kT,
        "its standard deviation (kT)": energy.error_kT,
    }
    with house_style():
        figure = new_figure(9.0, 3.9)
        for axes, (label, values) in zip(
            figure.subplots(1, 2, sharey=True), pictures.items(), strict=True
        ):
            top = min(_HIGHEST, float(np.nanmax(values, initial=0.5)))
            shown = axes.imshow(
                values.T, origin="lower", extent=extent, aspect="auto", cmap="viridis",
                vmin=0.0, vmax=top,
            )  # fmt: skip
            axes.set(xlabel=names[0])
            figure.colorbar(shown, ax=axes, label=label, extend="max")
        figure.axes[0].set(ylabel=names[1])
    return figure
