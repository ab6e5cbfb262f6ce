"""Sparse components are those of scipy's dense labelling."""

import numpy as np
import pytest
from scipy.ndimage import label

from icelens.core.volumes.components import label_components


@pytest.mark.parametrize("shape", [(6, 7, 8), (1, 9, 9), (5, 1, 6), (4, 5, 1)])
def test_components_are_those_of_a_dense_labelling(shape):
    labels = np.random.default_rng(2).choice([0, 0, 1, 2], shape).astype(np.uint8)
    found = {
        (each.label, frozenset(map(tuple, each.zyx.T.tolist())))
        for each in label_components(labels)
    }
    expected = set()
    for value in (1, 2):
        numbered, count = label(labels == value)
        for number in range(1, count + 1):
            voxels = np.argwhere(numbered == number).tolist()
            expected.add((value, frozenset(map(tuple, voxels))))
    assert found == expected


def test_rows_do_not_go_on_at_the_other_side():
    labels = np.zeros((2, 2, 4), np.uint8)
    labels[0, 0, 3] = labels[0, 1, 0] = labels[1, 0, 1] = 1
    assert len(list(label_components(labels))) == 3


def test_different_labels_that_touch_are_apart():
    assert [each.label for each in label_components(np.array([[[1, 1, 2]]]))] == [1, 2]


def test_nothing_and_everything():
    assert list(label_components(np.zeros((3, 3, 3), np.uint8))) == []
    (whole,) = label_components(np.ones((3, 4, 5), bool))
    assert whole.zyx.shape == (3, 60)
