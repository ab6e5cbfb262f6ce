"""Neighbours are those of brute force; the graph keeps the shortest edges."""

import numpy as np
import pytest

from icelens.core.latents.neighbours import nearest_neighbours, neighbour_graph


def test_neighbours_are_those_of_all_distances():
    points = np.random.default_rng(0).normal(size=(60, 3))
    distance, place = nearest_neighbours(points, 4)
    apart = np.linalg.norm(points[:, None] - points, axis=-1)
    np.fill_diagonal(apart, np.inf)
    assert distance == pytest.approx(np.sort(apart, axis=1)[:, :4])
    assert (place == np.argsort(apart, axis=1)[:, :4]).all()


def test_no_point_is_its_own_neighbour_even_among_equal_ones():
    points = np.zeros((9, 2))
    distance, place = nearest_neighbours(points, 3)
    assert (place != np.arange(9)[:, None]).all()
    assert (distance == 0).all()


def test_average_degree_is_what_was_asked_for_and_edges_are_symmetric():
    points = np.random.default_rng(0).normal(size=(400, 2))
    graph = neighbour_graph(points, count=10, average_degree=5.0)
    assert graph.average_degree() == pytest.approx(5.0, abs=0.1)
    assert abs(graph.lengths - graph.lengths.T).max() == 0
    assert graph.lengths.max() <= graph.cut


def test_lonely_point_is_joined_to_nobody():
    points = np.concatenate([np.random.default_rng(0).normal(size=(50, 2)), [[50.0, 50.0]]])
    graph = neighbour_graph(points)
    assert graph.lengths[[50], :].nnz == 0


def test_equal_points_are_joined_and_one_point_is_joined_to_none():
    assert neighbour_graph(np.zeros((4, 2))).lengths.nnz > 0
    assert neighbour_graph(np.zeros((1, 2))).lengths.nnz == 0
