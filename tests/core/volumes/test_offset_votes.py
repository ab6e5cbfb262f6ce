"""Voxels that know their offset to a centre tell where it is, whatever the grid."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from icelens.core.volumes.offset_votes import voted

SHAPE = (9, 10, 11)


def offsets_to(centre):
    grid = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1], 0 : SHAPE[2]]
    return np.asarray(centre)[:, None, None, None] - grid


@given(st.tuples(*[st.floats(0.0, 8.0)] * 3), st.integers(1, 2))
def test_exact_offsets_give_the_exact_centre_also_at_the_border(centre, reach):
    probability = np.random.default_rng(0).uniform(0, 1, SHAPE)
    start = np.rint([centre])
    found = voted(probability, offsets_to(centre), start, reach=reach)
    np.testing.assert_allclose(found, [centre], atol=1e-9)


def test_voxels_vote_with_their_probability():
    probability = np.zeros(SHAPE)
    probability[4, 4, 4], probability[4, 4, 5] = 0.75, 0.25
    found = voted(probability, np.zeros((3, *SHAPE)), np.array([[4.0, 4, 4]]))
    np.testing.assert_allclose(found, [[4, 4, 4.25]], atol=1e-4)


def test_errors_of_single_voxels_average_out():
    rng = np.random.default_rng(1)
    noisy = offsets_to((4.3, 4.6, 5.1)) + rng.normal(0, 0.3, (3, *SHAPE))
    found = voted(np.ones(SHAPE), noisy, np.array([[4.0, 5, 5]]))
    assert np.linalg.norm(found - [4.3, 4.6, 5.1]) < 0.3


def test_no_peaks_give_no_positions():
    assert voted(np.ones(SHAPE), np.zeros((3, *SHAPE)), np.zeros((0, 3))).shape == (0, 3)
