"""The ridge path follows a bent band of particles, which a straight one leaves."""

import numpy as np
import pytest

from icelens.core.latents.neighbours import neighbour_graph
from icelens.core.latents.paths import graph_path
from icelens.core.latents.ridge import ridge_path


def band(num_particles=1500, width=0.08):
    rng = np.random.default_rng(0)
    angle = np.sort(rng.uniform(0.0, np.pi, num_particles))
    radius = 1.0 + width * rng.normal(size=num_particles)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def test_path_runs_along_the_middle_of_a_bent_band():
    points = band()
    start = graph_path(neighbour_graph(points, count=20, average_degree=20), [0, 1499])
    path = ridge_path(points, points[start], 21)
    radius = np.linalg.norm(path, axis=1)[2:-2]
    rough = np.linalg.norm(points[start], axis=1)[2:-2]
    assert np.abs(radius - 1).max() < 0.06
    assert np.abs(radius - 1).mean() < 0.5 * np.abs(rough - 1).mean()
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert steps == pytest.approx(steps.mean(), rel=0.05)


def test_ends_stay_where_they_are():
    points = band()
    ends = np.array([[1.2, 0.1], [-0.9, 0.2]])
    path = ridge_path(points, ends, 9)
    assert path[[0, -1]] == pytest.approx(ends)


def test_equal_latents_and_one_dimension_give_a_finite_path():
    assert np.isfinite(ridge_path(np.zeros((5, 2)), np.zeros((2, 2)), 4)).all()
    line = np.linspace(0, 1, 30)[:, None]
    assert ridge_path(line, line[[0, -1]], 4)[:, 0] == pytest.approx([0, 1 / 3, 2 / 3, 1])
