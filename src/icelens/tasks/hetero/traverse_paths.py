"""The path of `icelens hetero traverse` through the latents of all particles."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from icelens.core.data.latents import LatentTable
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent
from icelens.core.latents.neighbours import neighbour_graph
from icelens.core.latents.paths import component_path, direct_path, graph_path
from icelens.core.latents.principal_components import principal_components
from icelens.core.latents.ridge import ridge_path
from icelens.core.latents.scaling import latent_scaling
from icelens.tasks.hetero.traverse_jobs import TraverseConfig

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MOST_IN_GRAPH = 100_000
"""Particles of a graph; of more so many are drawn, and the anchors."""


def find_path(
    config: TraverseConfig, table: LatentTable, on_event: OnEvent
) -> tuple[Floats, Integers | None]:
    """Latents `(point, latent_dim)` of the path; of a graph's also the places of its particles.

    Raises:
        MetadataError: If an anchor or a component does not exist, or no way leads to an anchor.
    """
    if config.way == "pc":
        return _along_component(config, table), None
    anchors = _anchors(config, table)
    if config.way == "direct":
        return direct_path(table.latent[anchors], config.count, is_loop=config.loop), None
    if config.way == "graph":
        places = _over_graph(config, table, anchors, on_event)
        return table.latent[places], places
    return _along_ridge(config, table, anchors, on_event), None


def _anchors(config: TraverseConfig, table: LatentTable) -> Integers:
    try:
        return table.place_of_rows(np.asarray(config.anchors))
    except MetadataError as error:
        raise MetadataError(f"{config.run}: --anchors: {error}") from error


def _along_component(config: TraverseConfig, table: LatentTable) -> Floats:
    components = principal_components(table.latent)
    if config.component > len(components):
        raise MetadataError(
            f"{config.run}: --component is {config.component}, expected 1 to {len(components)} as "
            "the latents have dimensions"
        )
    coordinates = components.coordinates(table.latent)
    return component_path(components, coordinates, config.component - 1, config.count)


def _over_graph(
    config: TraverseConfig, table: LatentTable, anchors: Integers, on_event: OnEvent
) -> Integers:
    """Places of the particles on the shortest way over near neighbours."""
    used = np.arange(len(table))
    if len(table) > MOST_IN_GRAPH:
        drawn = np.random.default_rng(config.seed).choice(len(table), MOST_IN_GRAPH, replace=False)
        used = np.union1d(drawn, anchors)
        on_event(Message(f"the path goes over {MOST_IN_GRAPH} of {len(table)} particles"))
    part = table.take(used)
    points = latent_scaling(part.latent, part.deviation, seed=config.seed)(part.latent)
    graph = neighbour_graph(points, count=config.neighbours, average_degree=config.average_degree)
    stops = [int(place) for place in np.searchsorted(used, anchors)]
    try:
        return np.asarray(used[graph_path(graph, stops, is_loop=config.loop)], np.int64)
    except MetadataError as error:
        raise MetadataError(
            f"{config.run}: {_in_rows(str(error), table.row[used], stops)}"
        ) from error


def _in_rows(sentence: str, row: Integers, stops: list[int]) -> str:
    """The graph's message with rows of the particle file for its places."""
    for stop in stops:
        sentence = sentence.replace(f"anchor {stop} ", f"anchor row {row[stop]} ")
    return sentence


def _along_ridge(
    config: TraverseConfig, table: LatentTable, anchors: Integers, on_event: OnEvent
) -> Floats:
    """Ridges from anchor to anchor, begun from the way over neighbours where there is one."""
    scaling = latent_scaling(table.latent, table.deviation, seed=config.seed)
    points = scaling(table.latent)
    stops = [*anchors, anchors[0]] if config.loop else list(anchors)
    parts = []
    for start, end in pairwise(stops):
        first = _first_guess(config, table, np.asarray([start, end]), on_event)
        parts.append(ridge_path(points, points[first], config.count))
    joined = np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
    return scaling.inverse(joined[:-1] if config.loop else joined)


def _first_guess(
    config: TraverseConfig, table: LatentTable, ends: Integers, on_event: OnEvent
) -> Integers:
    # every neighbour may be stepped to: a guess that goes round a gap is better than a straight one
    free = config.model_copy(
        update={"average_degree": 2.0 * config.neighbours, "loop": False, "mode": "graph"}
    )
    try:
        return _over_graph(free, table, ends, on_event)
    except MetadataError:
        on_event(
            Message(
                f"no particles lead from row {table.row[ends[0]]} to row {table.row[ends[1]]}; the "
                "ridge is sought from a straight line",
                level="warning",
            )
        )
        return ends
