"""Mean and deviation of a group of volumes count particles."""

import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.volumes.group_maps import weighted_mean_and_deviation

VOLUMES = np.random.default_rng(3).standard_normal((6, 4, 4, 4)) + 1e3


def test_they_are_those_of_repeated_volumes():
    weight = np.asarray([1.0, 3, 0, 2, 5, 1])
    members = np.asarray([0, 1, 2, 3])
    mean, deviation = weighted_mean_and_deviation(VOLUMES, members, weight)
    repeated = np.repeat(VOLUMES[members], weight[members].astype(int), axis=0)
    assert mean == pytest.approx(repeated.mean(0), rel=1e-6)
    assert deviation == pytest.approx(repeated.std(0), rel=1e-5)


def test_single_volume_has_no_deviation():
    _, deviation = weighted_mean_and_deviation(VOLUMES, np.asarray([2]), np.ones(6))
    assert not deviation.any()


def test_group_of_no_particles_is_refused():
    with pytest.raises(GeometryError, match="no particle"):
        weighted_mean_and_deviation(VOLUMES, np.asarray([2]), np.zeros(6))
