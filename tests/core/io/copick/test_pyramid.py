"""Coarser levels keep the local mean."""

import numpy as np

from icelens.core.io.copick.pyramid import halved


def test_each_voxel_is_the_mean_of_eight():
    fine = np.random.default_rng(0).normal(size=(4, 6, 8)).astype(np.float32)
    expected = fine.reshape(2, 2, 3, 2, 4, 2).mean(axis=(1, 3, 5))
    # float32 sums in another order
    np.testing.assert_allclose(halved(fine), expected, atol=1e-6)


def test_an_odd_end_keeps_its_mean():
    coarse = halved(np.full((3, 5, 1), 2.5, np.float32))
    assert coarse.shape == (2, 3, 1)
    assert (coarse == 2.5).all()
