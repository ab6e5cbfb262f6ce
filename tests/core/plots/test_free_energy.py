"""Free energies are drawn with their errors."""

import numpy as np
import pytest

from icelens.core.latents.free_energy import free_energy
from icelens.core.plots.free_energy import free_energy_curve, free_energy_map


@pytest.mark.parametrize("deviation", [None, 0.3])
def test_curve_has_a_band_and_the_spread_one_if_known(deviation):
    points = np.random.default_rng(0).normal(size=(500, 1))
    known = None if deviation is None else np.full((500, 1), deviation)
    figure = free_energy_curve(free_energy(points, deviation=known), "PC 1")
    (axes,) = figure.axes
    assert len(axes.lines) == (1 if deviation is None else 2)
    assert len(axes.collections) == 1
    figure.canvas.draw()


def test_map_shows_energy_and_error():
    points = np.random.default_rng(0).normal(size=(500, 2)) * [3.0, 1.0]
    energy = free_energy(points, bins=12)
    figure = free_energy_map(energy, ("a", "b"))
    first = figure.axes[0].images[0]
    assert np.allclose(first.get_array().filled(np.nan), energy.energy_kT.T, equal_nan=True)
    assert first.get_extent()[1] > 2 * first.get_extent()[3]
    figure.canvas.draw()
