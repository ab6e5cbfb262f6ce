"""Communities of points: groups with more links among each other than chance would make.

Links join each point with its nearest neighbours; groups are found by the Leiden method.
"""

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_MOST_LEVELS = 50
_MOST_PASSES = 20
_GAIN = 1e-12
"""Smaller gains of modularity are rounding, and would be taken for ever."""


def neighbour_links(points: Floats, num_neighbours: int) -> csr_matrix:
    """Undirected links `(point, point)` of weight 1 to the nearest other points, 2 if mutual."""
    count = len(points)
    wanted = min(num_neighbours, count - 1)
    _, near = cKDTree(points).query(points, k=wanted + 1)
    near = np.asarray(near).reshape(count, wanted + 1)
    start = np.repeat(np.arange(count), wanted + 1)
    end = near.ravel()
    is_other = start != end  # of coinciding points it need not be the first that is the point
    ones = np.ones(int(is_other.sum()))
    directed = coo_matrix((ones, (start[is_other], end[is_other])), (count, count)).tocsr()
    return csr_matrix(directed + directed.T)


def leiden_communities(links: csr_matrix, *, resolution: float = 1.0, seed: int = 0) -> Integers:
    """Part points into communities of high modularity; each hangs together.

    Points move to the neighbouring community that gains most until none moves; within each
    community single points are merged anew (refinement), so that a part that hung on by a point
    which left is set free; refined groups become the points of the next level. Passes are repeated
    until no point can gain by a move.

    Args:
        links: `(point, point)` symmetric weights, 0 or more.
        resolution: More makes smaller communities; 1 is plain modularity.
        seed: Order in which points are visited.

    Returns:
        `(point,)` from 0.

    References:
        Traag, Waltman & van Eck, Sci. Rep. 9 (2019) 5233; with greedy instead of random merges in
        the refinement.
    """
    generator = np.random.default_rng(seed)
    label, best = np.arange(links.shape[0]), -np.inf
    for _ in range(_MOST_PASSES):
        found = _connected(links, _one_pass(links, label, resolution, generator))
        reached = modularity(links, found, resolution=resolution)
        if reached <= best + _GAIN:
            break
        label, best = found, reached
    return label


def modularity(links: csr_matrix, label: Integers, *, resolution: float = 1.0) -> float:
    """Share of the links within communities beyond what their degrees make by chance.

    References:
        Newman & Girvan, Phys. Rev. E 69 (2004) 026113; with a resolution after Reichardt &
        Bornholdt, Phys. Rev. E 74 (2006) 016110.
    """
    graph = coo_matrix(links)
    degree = np.asarray(links.sum(axis=1)).ravel()
    total = degree.sum()
    inside = graph.data[label[graph.row] == label[graph.col]].sum()
    by_chance = (np.bincount(label, degree) ** 2).sum() / total
    return float((inside - resolution * by_chance) / total)


def _one_pass(
    links: csr_matrix, start: Integers, resolution: float, generator: np.random.Generator
) -> Integers:
    """From points to ever larger groups of them, until nothing moves."""
    graph, community = csr_matrix(links, dtype=np.float64), start
    of_point = np.arange(links.shape[0])
    for _ in range(_MOST_LEVELS):
        community = _moved(graph, community, resolution, generator, within=None)
        alone = np.arange(graph.shape[0])
        refined = _moved(graph, alone, resolution, generator, within=community)
        _, refined = np.unique(refined, return_inverse=True)
        refined = refined.ravel()
        num_groups = int(refined.max()) + 1
        if num_groups == graph.shape[0]:
            break
        belongs = csr_matrix((np.ones(len(alone)), (refined, alone)), (num_groups, len(alone)))
        graph = csr_matrix(belongs @ graph @ belongs.T)
        group_community = np.zeros(num_groups, np.int64)
        group_community[refined] = community
        community, of_point = group_community, refined[of_point]
    return community[of_point]


def _connected(links: csr_matrix, label: Integers) -> Integers:
    """The same groups, from 0, those that hang not together parted: they gain by it."""
    graph = coo_matrix(links)
    is_inside = label[graph.row] == label[graph.col]
    inside = coo_matrix(
        (graph.data[is_inside], (graph.row[is_inside], graph.col[is_inside])), graph.shape
    )
    _, part = connected_components(inside, directed=False)
    return np.asarray(part, np.int64)


def _moved(
    graph: csr_matrix,
    community: Integers,
    resolution: float,
    generator: np.random.Generator,
    *,
    within: Integers | None,
) -> Integers:
    """Move points to where modularity gains most, those whose neighbours moved once more.

    Args:
        graph: Links of the level.
        community: Where each point starts.
        resolution: See `leiden_communities`.
        generator: Order of the first visits.
        within: Groups that no move may leave; only single points move then, once (refinement).
    """
    label = community.copy()
    degree = np.asarray(graph.sum(axis=1)).ravel()
    scale = resolution / max(float(degree.sum()), 1e-300)
    mass: Floats = np.bincount(label, degree, minlength=graph.shape[0]).astype(np.float64)
    size = np.bincount(label, minlength=graph.shape[0])
    queue = list(generator.permutation(graph.shape[0]))
    is_waiting = np.ones(graph.shape[0], bool)
    begin, near, weight = graph.indptr, graph.indices, graph.data
    place = 0
    while place < len(queue):
        point = queue[place]
        place += 1
        is_waiting[point] = False
        own = int(label[point])
        if within is not None and size[own] > 1:
            continue
        part = slice(begin[point], begin[point + 1])
        others = near[part]
        is_open = others != point
        if within is not None:
            is_open &= within[others] == within[point]
        best = _best(
            label[others[is_open]], weight[part][is_open], mass, float(degree[point]), own, scale
        )
        if best == own:
            continue
        mass[own] -= degree[point]
        size[own] -= 1
        mass[best] += degree[point]
        size[best] += 1
        label[point] = best
        if within is None:
            again = others[is_open & ~is_waiting[others] & (label[others] != best)]
            is_waiting[again] = True
            queue.extend(again)
    return label


def _best(
    labels: Integers,
    weights: Floats,
    mass: Floats,
    degree: float,
    own: int,
    scale: float,
) -> int:
    """The community, of those next to a point or its own, that gains most with it."""
    if not len(labels):
        return int(own)
    found, place = np.unique(labels, return_inverse=True)
    gain = np.bincount(place.ravel(), weights) - scale * degree * mass[found]
    gain[found == own] += scale * degree * degree  # it is part of its own community's mass
    stay = gain[found == own]
    threshold = float(stay[0]) if len(stay) else -scale * degree * (mass[own] - degree)
    top = int(gain.argmax())
    return int(found[top]) if gain[top] > threshold + _GAIN else int(own)
