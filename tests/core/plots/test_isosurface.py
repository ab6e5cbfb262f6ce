"""Surfaces are drawn where they are, as large as they are, and lit from where the lamp is."""

import numpy as np
import pytest
import torch

from icelens.core.plots.isosurface import VIEWS, make_surface, render, view_rotation
from icelens.core.plots.surface_frames import frame
from icelens.core.plots.surface_shading import Look
from icelens.core.plots.visible_extent import visible_extent

SIDE, PIXEL = 32, 2.0
LOOK = Look()


def ball(centre_zyx: tuple[float, float, float] = (16.0, 16.0, 16.0), radius: float = 8.0):
    axes = [torch.arange(SIDE) - centre for centre in centre_zyx]
    square = axes[0][:, None, None] ** 2 + axes[1][:, None] ** 2 + axes[2] ** 2
    return torch.sigmoid(radius - square.sqrt()).numpy()


def picture(array: np.ndarray, view: str = "front", size: int = 80, turn: float = 0.0):
    surface = make_surface(
        array, 0.5, pixel_size=PIXEL, centre_zyx=(16.0, 16.0, 16.0), half_width=32.0, size=size
    )
    return render(surface, view_rotation(view, turn), half_width=32.0, size=size, look=LOOK)


def covered(image: np.ndarray) -> np.ndarray:
    return (image != 255).any(axis=-1)


@pytest.mark.parametrize("view", VIEWS)
def test_a_ball_is_a_disc_of_its_radius_from_all_sides(view):
    shown = covered(picture(ball(), view))
    # half width 32 Å on 40 px; radius 16 Å
    assert shown.sum() == pytest.approx(np.pi * 20.0**2, rel=0.06)
    y, x = np.nonzero(shown)
    assert (y.mean(), x.mean()) == pytest.approx((39.5, 39.5), abs=0.3)


@pytest.mark.parametrize(
    ("view", "down", "right"),
    [
        # a small ball at x = +6, y = +4, z = +2 voxels, each 2.5 px of the picture
        ("front", -10, 15), ("back", -10, -15), ("right", -10, -5), ("left", -10, 5),
        ("top", 5, 15), ("bottom", -5, 15),
    ],
)  # fmt: skip
def test_views_show_their_sides(view, down, right):
    image = picture(ball((18.0, 20.0, 22.0), 3.0), view)
    y, x = np.nonzero(covered(image))
    assert (y.mean() - 39.5, x.mean() - 39.5) == pytest.approx((down, right), abs=0.6)


def test_the_right_side_comes_to_the_front_by_the_turn_of_its_view():
    array = ball((18.0, 20.0, 22.0), 3.0)
    assert np.array_equal(picture(array, "right"), picture(array, "front", turn=-90.0))


def test_nearer_surfaces_hide_what_is_behind():
    both = np.maximum(ball((24.0, 16.0, 16.0), 4.0), ball((8.0, 16.0, 16.0), 4.0))
    near = ball((24.0, 16.0, 16.0), 4.0)
    assert np.abs(picture(both).astype(int) - picture(near)).max() <= 2


def test_the_lamp_is_at_the_upper_left():
    image = picture(ball()).astype(float).mean(axis=-1)
    assert image[30, 30] > image[50, 50] + 20


def test_coarse_maps_have_no_facets_and_empty_ones_are_blank():
    image = picture(ball(radius=3.0), size=200).astype(float).mean(axis=-1)
    middle = image[88:112, 88:112]
    assert np.abs(np.diff(middle, axis=0)).max() < 12
    assert not covered(picture(np.zeros((SIDE,) * 3, np.float32))).any()


def test_extent_holds_every_map_from_every_side():
    near, far = ball((16.0, 16.0, 20.0), 4.0), ball((16.0, 16.0, 8.0), 4.0)
    extent = visible_extent([near, far], 0.5, PIXEL)
    assert extent.centre_zyx == (16.0, 16.0, 14.0)
    # 6 voxels to either side and the radius, with a rim
    assert 10.0 * PIXEL <= extent.half_width <= 11.5 * PIXEL


@pytest.mark.parametrize("size", [80, 81])
def test_frames_have_even_sides_a_bar_and_a_caption(size):
    blank = np.full((size, size, 3), 255, np.uint8)
    with_words, without = (
        frame([blank], caption=caption, half_width=40.0, background=(1.0, 1.0, 1.0))
        for caption in ("state_01", "")
    )
    assert with_words.shape == without.shape
    assert all(side % 2 == 0 for side in with_words.shape[:2])
    assert covered(without)[size:].any()
    assert covered(with_words)[size:].sum() > covered(without)[size:].sum()
    # 80 Å on the picture: the round number below 30 % of it is 20 Å
    dark = (without[size:].astype(int).sum(axis=-1) < 300).sum(axis=1).max()
    assert dark == pytest.approx(20.0 * size / 80.0, abs=8)
