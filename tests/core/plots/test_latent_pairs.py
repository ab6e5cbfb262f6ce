"""The grid of pairs is a triangle."""

import numpy as np
import pytest

from icelens.core.plots.latent_pairs import pair_grid


@pytest.mark.parametrize("is_labelled", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_every_pair_is_drawn_once(count, *, is_labelled):
    points = np.random.default_rng(0).normal(size=(200, count))
    label = np.arange(200) % 2 + 1 if is_labelled else None
    figure = pair_grid(points, [f"PC {n + 1}" for n in range(count)], label=label)
    assert sum(axes.axison for axes in figure.axes) == count * (count + 1) // 2
    assert figure.axes[-1].get_xlabel() == f"PC {count}"
    figure.canvas.draw()
