"""Surfaces of several maps are drawn at one level."""

import numpy as np

from icelens.core.plots.volume_surfaces import volume_surfaces


def ball(radius, size=16):
    axis = np.arange(size) - size // 2
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    return np.exp(-(x**2 + y**2 + z**2) / (2.0 * radius**2)).astype(np.float32)


def covered(axes):
    picture = np.asarray(axes.images[0].get_array())
    return float((picture.min(axis=-1) < 250).mean())


def test_greater_map_covers_more_of_its_picture():
    figure = volume_surfaces({"small": ball(1.5), "large": ball(3.0)}, 2.0)
    assert figure is not None
    assert [axes.get_title() for axes in figure.axes[:2]] == ["small", "large"]
    assert 0 < covered(figure.axes[0]) < 0.5 * covered(figure.axes[1])
    figure.canvas.draw()


def test_maps_without_density_have_no_surface():
    assert volume_surfaces({"empty": np.zeros((8, 8, 8), np.float32)}, 1.0) is None
    assert volume_surfaces({"dark": -ball(2.0)}, 1.0) is None
