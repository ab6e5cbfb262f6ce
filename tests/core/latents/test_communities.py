"""Communities are the groups that links show."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from icelens.core.latents.communities import leiden_communities, modularity, neighbour_links


def ring_of_cliques(num: int, size: int) -> csr_matrix:
    links = np.kron(np.eye(num), np.ones((size, size)) - np.eye(size))
    for clique in range(num):
        end, begin = clique * size, ((clique + 1) % num) * size + 1
        links[end, begin] = links[begin, end] = 1
    return csr_matrix(links)


def test_cliques_of_a_ring_are_the_communities():
    labels = leiden_communities(ring_of_cliques(8, 6))
    assert np.array_equal(np.unique(labels), np.arange(8))
    assert all(len(set(labels[6 * i : 6 * i + 6])) == 1 for i in range(8))


def test_modularity_is_that_of_the_definition():
    links = ring_of_cliques(4, 5)
    label = np.repeat(np.arange(4), 5)
    dense = links.toarray()
    degree, total = dense.sum(0), dense.sum()
    expected = (dense - np.outer(degree, degree) / total)[label[:, None] == label].sum() / total
    assert modularity(links, label) == pytest.approx(expected)


def test_no_community_spans_groups_without_links_and_each_hangs_together():
    generator = np.random.default_rng(0)
    points = generator.standard_normal((400, 2)) * 0.5
    points[200:, 0] += 20
    links = neighbour_links(points, 8)
    labels = leiden_communities(links)
    assert not set(labels[:200]) & set(labels[200:])
    for label in np.unique(labels):
        inside = labels == label
        assert connected_components(links[inside][:, inside])[0] == 1


def test_no_single_move_of_a_point_is_better():
    points = np.random.default_rng(1).standard_normal((150, 2))
    links = neighbour_links(points, 6)
    labels = leiden_communities(links)
    best = modularity(links, labels)
    assert best > 0.5
    for point in range(0, 150, 5):
        for other in np.unique(labels[links[point].indices]):
            moved = labels.copy()
            moved[point] = other
            assert modularity(links, moved) <= best + 1e-9


def test_more_resolution_makes_more_communities():
    points = np.random.default_rng(2).standard_normal((300, 2))
    links = neighbour_links(points, 8)
    coarse, fine = (leiden_communities(links, resolution=r).max() for r in (0.3, 3.0))
    assert coarse < fine


def test_links_join_each_point_with_its_neighbours_even_if_points_coincide():
    points = np.asarray([[0.0], [0.0], [0.0], [5.0]])
    links = neighbour_links(points, 2)
    assert links.diagonal().sum() == 0
    assert (links.sum(axis=1) >= 2).all()
    assert (links != links.T).nnz == 0
