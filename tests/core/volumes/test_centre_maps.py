"""Centre maps carry each particle's mass to where it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icelens.core.volumes.centre_maps import centre_maps

SHAPE = (12, 14, 16)


@given(st.tuples(*[st.floats(4.0, 8.0)] * 3), st.floats(0.6, 1.2))
def test_a_particle_has_mass_one_and_its_centroid_is_its_centre(centre, width):
    maps = centre_maps(SHAPE, np.array([centre]), np.array([1]), np.array([width]), 2)
    assert maps[0].sum() == 0
    assert maps[1].sum() == pytest.approx(1, abs=1e-3)
    axes = np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij")
    centroid = [float((axis * maps[1]).sum()) for axis in axes]
    # a Gaussian as narrow as 0.6 voxels is sampled with a small bias
    assert centroid == pytest.approx(centre, abs=0.03)


def test_a_particle_beyond_the_border_leaves_only_its_tail():
    inside = centre_maps(SHAPE, np.array([[-0.6, 5, 5]]), np.array([0]), np.array([0.7]), 1)
    outside = centre_maps(SHAPE, np.array([[-40.0, 5, 5]]), np.array([0]), np.array([0.7]), 1)
    assert 0 < inside.sum() < 0.7
    assert outside.sum() == 0


def test_particles_at_one_place_share_it():
    centres = np.full((3, 3), 6.0)
    maps = centre_maps(SHAPE, centres, np.array([0, 1, 1]), np.full(3, 0.3), 2)
    assert maps.sum(axis=0).max() == pytest.approx(1)
    assert maps[1, 6, 6, 6] == pytest.approx(2 * maps[0, 6, 6, 6])
