"""Halves of clusters are compared as chance would have them."""

import numpy as np

from icelens.tasks.hetero.analyze_causes import uneven


def test_cluster_that_one_half_has_alone_is_named():
    sizes = np.array([[100, 100, 3, 50], [100, 110, 60, 45]])
    assert uneven(sizes) == [3]


def test_chance_names_none_even_if_halves_are_not_equal():
    rng = np.random.default_rng(0)
    sizes = np.stack([rng.poisson(300, 20), rng.poisson(100, 20)])
    assert uneven(sizes) == []
