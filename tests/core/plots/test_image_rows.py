"""Rows of images are drawn in their order, bright as the array says."""

import numpy as np

from icelens.core.plots.image_rows import image_rows


def test_each_row_has_its_images_its_name_and_its_contrast():
    images = np.zeros((3, 8, 8))
    images[1, 4, 4] = 5.0
    figure = image_rows({"noisy": images, "clean": 10.0 * images}, 4.0)
    shown = [axes.images[0] for axes in figure.axes]
    assert len(shown) == 6
    assert shown[1].get_array()[4, 4] == 5.0
    assert figure.axes[0].get_ylabel() == "noisy"
    assert shown[0].get_clim() != shown[3].get_clim()


def test_constant_images_are_drawn_too():
    assert len(image_rows({"flat": np.ones((1, 4, 4))}, 1.0).axes) == 1
