"""Pictures of latents show what they are given, in one dimension and with particles far away."""

import numpy as np
import pytest

import icelens.core.plots.latent as latent_module
from icelens.core.plots.latent import latent_density, latent_path, latent_values, limits


def points(dimension=2, count=300):
    return np.random.default_rng(0).normal(size=(count, dimension))


@pytest.mark.parametrize("dimension", [1, 2])
def test_density_counts_all_particles_and_names_the_marks(dimension):
    figure = latent_density(points(dimension), ("x", "y"), marks={"7": points(dimension)[0]})
    axes = figure.axes[0]
    assert "7" in [text.get_text() for text in axes.texts]
    if dimension == 1:
        assert sum(bar.get_height() for bar in axes.patches) == 300
    else:
        assert axes.collections[0].get_array().sum() == 300
    figure.canvas.draw()


def test_axes_are_not_set_by_one_particle_far_away():
    values = np.append(points(1, 1000)[:, 0], 1e4)
    low, high = limits(values)
    assert -6 < low < -2
    assert 2 < high < 6
    assert limits(values, np.array([50.0]))[1] > 50
    assert limits(np.zeros(3)) == (-0.5, 0.5)


def test_values_are_colours_and_points_without_one_are_grey():
    values = np.arange(300.0)
    values[:10] = np.nan
    figure = latent_values(points(), values, ("x", "y"), label="defocus (Å)")
    grey, coloured = figure.axes[0].collections
    assert len(grey.get_offsets()) == 10
    assert len(coloured.get_offsets()) == 290
    figure.canvas.draw()
    latent_values(points(), np.full(300, np.nan), ("x", "y"), label="none").canvas.draw()


@pytest.mark.parametrize("count", [3, 20])
def test_each_class_is_in_the_legend_with_its_number(count):
    label = np.arange(300) % count + 1
    figure = latent_values(points(), label.astype(float), ("x", "y"), label="k", is_class=True)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [f"{number} ({300 // count})" for number in range(1, count + 1)]
    colours = [c.get_facecolor()[0].tolist() for c in figure.axes[0].collections[1:]]
    assert len({tuple(colour) for colour in colours}) == count
    figure.canvas.draw()


@pytest.mark.parametrize("dimension", [1, 2])
def test_path_shows_its_support_and_is_inside_the_axes(dimension):
    path = np.linspace(-9, 9, 6)[:, None].repeat(dimension, axis=1)
    flags = ["extrapolated", "sparse", "supported", "supported", "sparse", "extrapolated"]
    figure = latent_path(points(dimension), ("x", "y"), path, flags, anchors=path[[0, -1]])
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["supported (2)", "sparse (2)", "extrapolated (2)"]
    low, high = figure.axes[0].get_xlim()
    assert low < -9 < 9 < high
    figure.canvas.draw()


def test_of_very_many_points_some_are_drawn(monkeypatch):
    monkeypatch.setattr(latent_module, "_MOST_DRAWN", 50)
    figure = latent_values(points(), np.ones(300), ("x", "y"), label="v")
    assert len(figure.axes[0].collections[1].get_offsets()) == 50
