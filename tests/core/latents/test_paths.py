"""Paths go where they should: straight, over particles, along a component."""

import numpy as np
import pytest

from icelens.core.errors import MetadataError
from icelens.core.latents.neighbours import neighbour_graph
from icelens.core.latents.paths import component_path, direct_path, evenly_spaced, graph_path
from icelens.core.latents.principal_components import principal_components


def horseshoe(num_particles=200):
    angle = np.linspace(0.0, 1.5 * np.pi, num_particles)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_straight_path_passes_each_anchor_once():
    anchors = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]])
    path = direct_path(anchors, 3)
    assert path.tolist() == [[0, 0], [0.5, 0], [1, 0], [1, 1], [1, 2]]
    loop = direct_path(anchors, 3, is_loop=True)
    assert loop.tolist() == [[0, 0], [0.5, 0], [1, 0], [1, 1], [1, 2], [0.5, 1]]


def test_graph_path_keeps_to_the_particles_and_through_the_anchors():
    points = horseshoe()
    path = graph_path(neighbour_graph(points), [0, 100, 199])
    assert path[0] == 0
    assert path[-1] == 199
    assert 100 in path
    assert (np.diff(path) > 0).all()


def test_graph_loop_returns_without_naming_the_first_twice():
    path = graph_path(neighbour_graph(horseshoe()), [20, 60], is_loop=True)
    assert path[0] == 20
    assert path[-1] != 20
    assert (path == 60).sum() == 1


def test_anchors_in_groups_without_a_way_are_an_error_with_a_remedy():
    points = np.concatenate([horseshoe(), horseshoe() + 50.0])
    with pytest.raises(MetadataError, match=r"no way leads from anchor 3 to anchor 300.*--average"):
        graph_path(neighbour_graph(points), [3, 300])


def test_degree_that_the_error_names_joins_the_anchors():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(300, 4)), [[4.0, 0.0, 0.0, 0.0]]])
    with pytest.raises(MetadataError, match=r"--average-degree .* joins them") as caught:
        graph_path(neighbour_graph(points), [0, 300])
    degree = float(str(caught.value).split("--average-degree ")[1].split()[0])
    assert graph_path(neighbour_graph(points, average_degree=degree), [0, 300])[-1] == 300


def test_component_is_followed_between_percentiles_with_all_others_at_their_mean():
    latent = np.random.default_rng(0).normal(size=(500, 3)) * [4.0, 1.0, 0.5] + 2.0
    components = principal_components(latent)
    coordinates = components.coordinates(latent)
    path = component_path(components, coordinates, 1, 7)
    along = components.coordinates(path)
    assert along[[0, -1], 1] == pytest.approx(np.percentile(coordinates[:, 1], [5, 95]))
    assert np.diff(along[:, 1]) == pytest.approx(np.diff(along[:, 1]).mean())
    assert along[:, [0, 2]] == pytest.approx(0.0, abs=1e-9)


def test_points_are_set_at_equal_distances_even_where_some_repeat():
    path = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 3.0]])
    spaced = evenly_spaced(path, 5)
    assert spaced.tolist() == [[0, 0], [1, 0], [1, 1], [1, 2], [1, 3]]
    assert evenly_spaced(np.zeros((3, 2)), 4).tolist() == [[0, 0]] * 4
