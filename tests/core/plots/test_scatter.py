"""Points are drawn where they are, fainter when there are many."""

import numpy as np
import pytest

from icelens.core.plots.scatter import scatter


@pytest.mark.parametrize("is_log", [False, True])
def test_every_pair_is_a_point(*, is_log: bool) -> None:
    x, y = np.array([0.1, 0.5, 0.9]), np.array([30.0, 3.0, 0.3])
    figure = scatter(x, y, xlabel="probability", ylabel="error", is_log=is_log)
    (axes,) = figure.axes
    assert np.allclose(axes.collections[0].get_offsets(), np.stack([x, y], axis=1))
    assert axes.get_yscale() == ("log" if is_log else "linear")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("probability", "error")
    figure.canvas.draw()


def test_many_points_are_fainter_than_few() -> None:
    rng = np.random.default_rng(0)
    few, many = (
        scatter(*rng.random((2, count)), xlabel="x", ylabel="y").axes[0].collections[0].get_alpha()
        for count in (10, 50_000)
    )
    assert 0 < many < few <= 1


def test_no_point_is_no_error() -> None:
    figure = scatter([], [], xlabel="x", ylabel="y")
    figure.canvas.draw()
    assert len(figure.axes[0].collections[0].get_offsets()) == 0
