"""Marks are drawn where, and as large as, the objects are."""

import numpy as np
import pytest
from matplotlib.patches import Circle
from scipy.ndimage import gaussian_filter

from icelens.core.plots.picks import SMOOTHING, Marks, choose_slabs, marked_slabs

PIXEL_SIZE = 10.0


def marks(*rows: tuple[float, float, float], radius: float = 50.0) -> Marks:
    positions = np.array(rows, np.float64).reshape(-1, 3)
    return Marks(positions, np.full(len(rows), radius), ("1",) * len(rows))


def circles(axes) -> list[Circle]:
    return [patch for patch in axes.patches if isinstance(patch, Circle)]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_circle_has_place_and_radius_of_the_object():
    figure = marked_slabs(noise(8, 20, 30), PIXEL_SIZE, {"found": marks((40, 50, 120))}, [(2, 6)])
    (circle,) = circles(figure.axes[0])
    assert circle.center == (12.0, 5.0)
    assert circle.radius == 5.0


def test_slab_is_averaged_along_z_and_smoothed():
    density = noise(8, 20, 30)
    figure = marked_slabs(density, PIXEL_SIZE, {}, [(2, 6)])
    expected = gaussian_filter(density[2:6].mean(axis=0), SMOOTHING)
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), expected)


def test_marks_are_drawn_only_on_the_slabs_they_reach():
    spheres = marks((0, 50, 50), (300, 50, 50))
    figure = marked_slabs(noise(40, 10, 10), PIXEL_SIZE, {"missed": spheres}, [(0, 4), (28, 32)])
    assert [len(circles(axes)) for axes in figure.axes[:2]] == [1, 1]


@pytest.mark.parametrize(("z", "is_in"), [(9, False), (11, True), (119, True), (121, False)])
def test_half_the_radius_must_reach_the_slab(z, is_in):
    # Slices 4 to 9 of 10 Å reach from 35 Å to 95 Å.
    assert marks((z, 0, 0)).is_in(4, 10, PIXEL_SIZE).tolist() == [is_in]


def test_fates_differ_without_colour():
    fates = {fate: marks((40, 50, 50)) for fate in ("found", "missed", "false")}
    axes = marked_slabs(noise(8, 20, 30), PIXEL_SIZE, fates, [(0, 8)]).axes[0]
    found, missed, false = circles(axes)
    assert found.get_linestyle() != missed.get_linestyle()
    assert [line.get_marker() for line in axes.lines] == ["x"]
    assert len({patch.get_edgecolor() for patch in (found, missed, false)}) == 3


def test_key_counts_all_marks():
    fates = {"found": marks((0, 0, 0), (900, 0, 0)), "false": marks()}
    figure = marked_slabs(noise(8, 20, 30), PIXEL_SIZE, fates, [(0, 4)])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["2 found", "0 false"]


def test_slabs_are_chosen_to_show_most_marks():
    spheres = marks((50, 0, 0), (350, 0, 0), (360, 0, 0), (370, 0, 0), radius=20.0)
    first, second = choose_slabs([spheres], 64, PIXEL_SIZE, thickness=8, count=3)
    assert first[0] <= 5 < first[1]
    assert second[0] <= 35 < 37 < second[1]


def test_slabs_are_as_few_as_show_everything():
    assert len(choose_slabs([marks((50, 0, 0))], 64, PIXEL_SIZE, thickness=8, count=3)) == 1
    assert choose_slabs([], 64, PIXEL_SIZE, thickness=8, count=3) == ((28, 36),)
    assert choose_slabs([marks()], 4, PIXEL_SIZE, thickness=8, count=3) == ((0, 4),)


def test_marks_outside_the_volume_choose_no_slab():
    assert choose_slabs([marks((9000, 0, 0))], 16, PIXEL_SIZE, thickness=4, count=2) == ((6, 10),)


def test_constant_volume_is_drawn():
    figure = marked_slabs(np.zeros((4, 10, 900), np.int8), PIXEL_SIZE, {}, [(0, 2), (2, 4)])
    figure.canvas.draw()  # a warning of matplotlib would be an error here
    assert len(figure.axes) == 2
