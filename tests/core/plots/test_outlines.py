import numpy as np

from icelens.core.plots.outlines import outlined_slices

SHAPE = (8, 20, 30)


def lines_in(mask: np.ndarray) -> list[int]:
    density = np.random.default_rng(0).random(SHAPE)
    figure = outlined_slices(density, mask)
    return [len(axes.collections) for axes in figure.axes]


def test_mask_is_outlined_in_both_planes() -> None:
    mask = np.zeros(SHAPE, np.int8)
    mask[2:6, 5:15, 10:20] = 1
    assert lines_in(mask) == [1, 1]


def test_mask_without_an_edge_draws_no_outline() -> None:
    assert lines_in(np.ones(SHAPE, np.int8)) == [0, 0]
