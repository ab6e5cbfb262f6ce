"""Agglomerative clusters are those of the points, numbered by what they weigh."""

import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.latents.hierarchy import agglomerative_labels, numbered_by_size

POINTS = np.concatenate([np.arange(4) * 0.1, 5 + np.arange(6) * 0.1, 20 + np.arange(2) * 0.1])
DISTANCE = np.abs(POINTS[:, None] - POINTS)


@pytest.mark.parametrize("method", ["average", "complete", "single", "ward"])
def test_separate_groups_are_found_and_the_heaviest_is_number_one(method):
    labels = agglomerative_labels(DISTANCE, 3, method=method)
    assert numbered_by_size(labels, np.ones(12)).tolist() == [2] * 4 + [1] * 6 + [3] * 2
    weight = np.r_[np.full(10, 0.1), 9, 9]
    assert numbered_by_size(labels, weight).tolist() == [3] * 4 + [2] * 6 + [1] * 2


def test_groups_of_equal_weight_are_numbered_as_they_come():
    assert numbered_by_size(np.asarray([7, 3, 7, 3]), np.ones(4)).tolist() == [1, 2, 1, 2]


def test_more_clusters_than_things_leave_each_alone():
    labels = agglomerative_labels(DISTANCE[:3, :3], 9, method="average")
    assert len(set(labels.tolist())) == 3


def test_single_thing_is_one_cluster():
    assert agglomerative_labels(np.zeros((1, 1)), 4, method="ward").tolist() == [1]


def test_what_is_no_table_of_distances_is_refused():
    with pytest.raises(GeometryError, match="expected"):
        agglomerative_labels(DISTANCE[:3], 2, method="average")
