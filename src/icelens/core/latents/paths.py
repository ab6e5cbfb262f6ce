"""Paths through latents: straight, from neighbour to neighbour, and along a component."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import dijkstra

from icelens.core.errors import MetadataError
from icelens.core.latents.neighbours import NeighbourGraph
from icelens.core.latents.principal_components import PrincipalComponents

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PERCENTILES = (5.0, 95.0)
"""Between which of the particles' coordinates a component is followed."""


def direct_path(anchors: Floats, count: int, *, is_loop: bool = False) -> Floats:
    """Straight lines from anchor to anchor, whatever lies between.

    Args:
        anchors: `(anchor, latent_dim)`, two or more.
        count: Points from one anchor to the next, both included; an anchor in between is one point.
        is_loop: Whether the path goes on from the last anchor to the first, which comes once.

    Returns:
        `(point, latent_dim)`.
    """
    stops = np.concatenate([anchors, anchors[:1]]) if is_loop else anchors
    share = np.linspace(0.0, 1.0, count)[:-1, None]
    parts = [start + share * (end - start) for start, end in pairwise(stops)]
    return np.concatenate(parts if is_loop else [*parts, stops[-1:]])


def graph_path(graph: NeighbourGraph, anchors: Sequence[int], *, is_loop: bool = False) -> Integers:
    """Shortest way along the edges of a graph through anchors: each point is a particle's latent.

    Args:
        graph: Of all particles.
        anchors: Places in it, two or more.
        is_loop: Whether the path returns to the first anchor, which then comes once.

    Returns:
        Places `(point,)`.

    Raises:
        MetadataError: If there is no way from one anchor to the next.

    References:
        Dijkstra, Numerische Mathematik 1, 269 (1959).
    """
    stops = [*anchors, anchors[0]] if is_loop else list(anchors)
    path = [stops[0]]
    for start, end in pairwise(stops):
        distance, before = dijkstra(
            graph.lengths, directed=False, indices=start, return_predecessors=True
        )
        if not np.isfinite(distance[end]):
            raise MetadataError(
                f"no way leads from anchor {start} to anchor {end} over particles closer to each "
                f"other than {graph.cut:.3g}; {_remedy(graph, start, end)}"
            )
        steps = [end]
        while steps[-1] != start:
            steps.append(int(before[steps[-1]]))
        path += steps[-2::-1]
    return np.asarray(path[:-1] if is_loop else path, np.int64)


def _remedy(graph: NeighbourGraph, start: int, end: int) -> str:
    degree = graph.degree_to_join(start, end)
    if np.isfinite(degree):
        # rounded up, or the last edge would be missing
        return (
            f"allow longer steps (--average-degree {np.ceil(10 * degree + 1) / 10:g} joins them), "
            "or take anchors that lie closer"
        )
    return (
        "no neighbour of a neighbour joins them: allow more neighbours (--neighbours) with longer "
        "steps (--average-degree), or take anchors of one group"
    )


def component_path(
    components: PrincipalComponents,
    coordinates: Floats,
    component: int,
    count: int,
    percentiles: tuple[float, float] = PERCENTILES,
) -> Floats:
    """Points along one principal component through the mean, evenly between two percentiles.

    Args:
        components: Of the latents.
        coordinates: `(particle, component)` of the particles.
        component: Which, from 0.
        count: Points, both ends included.
        percentiles: Of the particles' coordinates, where the path begins and ends.

    Returns:
        `(point, latent_dim)`.
    """
    low, high = np.percentile(coordinates[:, component], percentiles)
    along = np.zeros((count, len(components)))
    along[:, component] = np.linspace(low, high, count)
    return components.latents(along)


def evenly_spaced(path: Floats, count: int) -> Floats:
    """Points at equal distances along a broken line `(point, dimension)`, its ends included."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    if length[-1] <= 0:
        return np.repeat(path[:1], count, axis=0)
    # repeated points have no length between them, which np.interp would stumble over
    kept = np.concatenate([[True], np.diff(length) > 0])
    wanted = np.linspace(0.0, length[-1], count)
    columns = [np.interp(wanted, length[kept], values[kept]) for values in path.T]
    return np.stack(columns, axis=1)
