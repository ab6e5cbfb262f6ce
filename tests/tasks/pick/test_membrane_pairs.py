"""Pairs are mutual, on one piece, and within their distances."""

import numpy as np

from icelens.tasks.pick.membrane_pairs import facing_pairs, pieces_of


def line(*x: float) -> np.ndarray:
    return np.array([[0.0, 0.0, value] for value in x])


def pairs(positions, pieces=None, window=(5.0, 20.0)) -> list[list[int]]:
    numbers = np.ones(len(positions), int) if pieces is None else np.array(pieces)
    return facing_pairs(positions, numbers, window=window).tolist()


def test_nearest_of_each_other_make_a_pair():
    assert pairs(line(0, 10, 100, 112)) == [[0, 1], [2, 3]]


def test_one_sided_neighbours_are_no_pair():
    assert pairs(line(0, 10, 22)) == [[0, 1]]


def test_duplicates_are_passed_over_and_far_ones_are_no_pair():
    assert pairs(line(0, 1, 12)) == [[1, 2]]
    assert pairs(line(0, 30)) == []


def test_pairs_lie_on_one_piece():
    assert pairs(line(0, 6, 13), pieces=[1, 2, 1]) == [[0, 2]]
    assert pairs(line(0, 6), pieces=[0, 0]) == []
    assert pairs(np.empty((0, 3))) == []


def test_pieces_are_labels_where_they_differ_else_what_hangs_together():
    instances = np.array([[[1, 2, 0, 2]]])
    assert pieces_of(instances, instances > 0).tolist() == [[[1, 2, 0, 2]]]
    semantic = np.array([[[7, 7, 0, 7]]])
    assert pieces_of(semantic, semantic > 0).tolist() == [[[1, 1, 0, 2]]]
