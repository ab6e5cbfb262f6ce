"""A montage shows each image once, with its caption."""

import numpy as np
import pytest

from icelens.core.plots.montage import montage


@pytest.mark.parametrize("count", [1, 5, 9])
def test_every_image_has_a_place_and_a_caption(count):
    rng = np.random.default_rng(0)
    images = [rng.normal(size=(12 + n, 12 + n)) for n in range(count)]
    figure = montage(images, [f"image {n}" for n in range(count)], [2.0] * count)
    drawn = [axes for axes in figure.axes if axes.images]
    assert [axes.get_xlabel() for axes in drawn] == [f"image {n}" for n in range(count)]
    assert all(
        np.array_equal(axes.images[0].get_array(), image)
        for axes, image in zip(drawn, images, strict=True)
    )


def test_one_scale_bar_is_enough_for_images_of_one_field():
    same = montage([np.eye(8), np.eye(16)], ["a", "b"], [4.0, 2.0])
    other = montage([np.eye(8), np.eye(16)], ["a", "b"], [4.0, 4.0])
    assert [len(axes.patches) > 0 for axes in same.axes] == [True, False]
    assert [len(axes.patches) > 0 for axes in other.axes] == [True, True]


def test_constant_images_are_drawn():
    montage([np.zeros((4, 4))], ["blank"], [1.0]).canvas.draw()
