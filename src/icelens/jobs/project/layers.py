"""Place a graph so that it reads from left to right: layers, few crossings, straight links.

The usual four steps for layered graphs: cycles are broken, layers are longest paths, long links get
a bend in each layer they pass, and the order within layers follows the mean of the neighbours.

References:
    Sugiyama, Tagawa & Toda, IEEE Trans. Syst. Man Cybern. 11 (1981) 109.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 8
"""Passes over the layers; crossings hardly fall after these."""
_SETTLING = 6
BEND_HEIGHT = 0.4
"""Room that a passing link takes, as a share of a node's."""

Name = str
Pair = tuple[Name, Name]


@dataclass(frozen=True)
class Placing:
    """Where nodes are, in layers and rows, and the way of each link.

    Attributes:
        places: Layer and row of each node; rows are in units of a node's height.
        ways: Places that a link goes through, its ends included; a link of a cycle goes backwards.
        num_layers: Of the widest part.
        num_rows: Height, in rows.
    """

    places: dict[Name, tuple[int, float]]
    ways: dict[Pair, tuple[tuple[int, float], ...]]
    num_layers: int
    num_rows: float


def place(names: Sequence[Name], links: Iterable[Pair]) -> Placing:
    """Lay out a graph, its connected parts one below the other, the largest first.

    Args:
        names: Of the nodes; those without a link are left out of the layers and come last, in rows.
        links: Pairs of them; repeated ones and links of a node with itself are dropped.
    """
    known = set(names)
    pairs = list(dict.fromkeys((a, b) for a, b in links if a in known and b in known and a != b))
    linked = {name for pair in pairs for name in pair}
    places: dict[Name, tuple[int, float]] = {}
    ways: dict[Pair, tuple[tuple[int, float], ...]] = {}
    top, num_layers = 0.0, 1
    for part in _parts([name for name in names if name in linked], pairs):
        inside = [pair for pair in pairs if pair[0] in part]
        found, found_ways, height = _place_part([n for n in names if n in part], inside)
        places |= {name: (layer, row + top) for name, (layer, row) in found.items()}
        for pair, way in found_ways.items():
            ways[pair] = tuple((layer, row + top) for layer, row in way)
        num_layers = max(num_layers, 1 + max(layer for layer, _ in found.values()))
        top += height + 0.5
    alone = [name for name in names if name not in linked]
    columns = max(num_layers, 4)
    for i, name in enumerate(alone):
        places[name] = (i % columns, top + i // columns)
    if alone:
        num_layers = max(num_layers, min(columns, len(alone)))
        top += -(-len(alone) // columns)
    return Placing(places, ways, num_layers, top)


def layers_of(names: Sequence[Name], pairs: Sequence[Pair]) -> tuple[dict[Name, int], set[Pair]]:
    """The layer of each node, and the links that would close a cycle.

    A layer is the longest way from a node without predecessors; such nodes move right, next to the
    first that needs them.
    """
    after = _neighbours(pairs)
    order, back = _depth_first(names, after)
    layer = dict.fromkeys(names, 0)
    for name in order:
        for other in after[name]:
            if (name, other) not in back:
                layer[other] = max(layer[other], layer[name] + 1)
    has_before = {b for a, b in pairs if (a, b) not in back}
    for name in names:
        followers = [layer[other] for other in after[name] if (name, other) not in back]
        if name not in has_before and followers:
            layer[name] = min(followers) - 1
    return layer, back


def _depth_first(
    names: Sequence[Name], after: Mapping[Name, Sequence[Name]]
) -> tuple[list[Name], set[Pair]]:
    """Nodes in topological order, and links back to a node that is being visited."""
    state: dict[Name, int] = {}
    order: list[Name] = []
    back: set[Pair] = set()
    for start in names:
        stack = [(start, iter(after[start]))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            name, others = stack[-1]
            other = next(others, None)
            if other is None:
                state[name] = 2
                order.append(name)
                stack.pop()
            elif other not in state:
                state[other] = 1
                stack.append((other, iter(after[other])))
            elif state[other] == 1:
                back.add((name, other))
    return order[::-1], back


def _place_part(
    names: Sequence[Name], pairs: Sequence[Pair]
) -> tuple[dict[Name, tuple[int, float]], dict[Pair, tuple[tuple[int, float], ...]], float]:
    """One connected part: places of nodes, ways of links, and its height."""
    layer, back = layers_of(names, pairs)
    chains = {pair: _chain(pair, layer, is_back=pair in back) for pair in pairs}
    heights = dict.fromkeys(names, 1.0)
    for chain in chains.values():
        for bend, at in chain[1:-1]:
            layer[bend] = at
            heights[bend] = BEND_HEIGHT
    steps = [(one[0], two[0]) for chain in chains.values() for one, two in pairwise(chain)]
    columns = _ordered(layer, steps)
    rows = _settled(columns, steps, heights)
    ways = {
        pair: tuple((at, rows[name]) for name, at in (chain[::-1] if pair in back else chain))
        for pair, chain in chains.items()
    }
    height = max(rows[name] for name in layer) + 1.0
    return {name: (layer[name], rows[name]) for name in names}, ways, height


def _chain(pair: Pair, layer: Mapping[Name, int], *, is_back: bool) -> list[tuple[Name, int]]:
    """A link as steps from layer to layer, always to the right; bends have names of their own."""
    first, last = pair[::-1] if is_back else pair
    bends = [(f"{first}\0{last}\0{at}", at) for at in range(layer[first] + 1, layer[last])]
    return [(first, layer[first]), *bends, (last, layer[last])]


def _ordered(layer: Mapping[Name, int], steps: Sequence[Pair]) -> list[list[Name]]:
    """Nodes and bends of each layer, ordered by the mean place of their neighbours."""
    columns: list[list[Name]] = [[] for _ in range(1 + max(layer.values()))]
    for name, at in layer.items():
        columns[at].append(name)
    before, after = _neighbours([(b, a) for a, b in steps]), _neighbours(steps)
    for sweep in range(SWEEPS):
        sides = (before, columns) if sweep % 2 == 0 else (after, columns[::-1])
        neighbours, ordered = sides
        rank = {name: i for column in columns for i, name in enumerate(column)}
        for column in ordered:
            means = {
                name: _mean([rank[other] for other in neighbours[name]], rank[name])
                for name in column
            }
            column.sort(key=means.__getitem__)
            rank |= {name: i for i, name in enumerate(column)}
    return columns


def _settled(
    columns: Sequence[list[Name]], steps: Sequence[Pair], heights: Mapping[Name, float]
) -> dict[Name, float]:
    """Rows that keep the order and draw nodes towards the middle of their neighbours."""
    rows: dict[Name, float] = {}
    for column in columns:
        rows |= _packed(column, heights, [0.0] * len(column))
    neighbours = _neighbours([*steps, *((b, a) for a, b in steps)])
    for round_ in range(_SETTLING):
        for column in columns if round_ % 2 == 0 else columns[::-1]:
            wanted = [_mean([rows[o] for o in neighbours[name]], rows[name]) for name in column]
            rows |= _packed(column, heights, wanted)
    lowest = min(rows.values())
    return {name: row - lowest for name, row in rows.items()}


def _packed(
    column: Sequence[Name], heights: Mapping[Name, float], wanted: Sequence[float]
) -> dict[Name, float]:
    """Rows as near to the wanted ones as order and heights allow, in the sense of least squares.

    Nodes that would overlap become a block, which stands where its members wish it on average
    (pooling of adjacent violators).
    """
    offsets = [0.0]
    for one, two in pairwise(column):
        offsets.append(offsets[-1] + 0.5 * (heights[one] + heights[two]))
    blocks: list[tuple[float, int]] = []
    for wish, offset in zip(wanted, offsets, strict=True):
        mean, count = wish - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, size = blocks.pop()
            mean = (mean * count + other * size) / (count + size)
            count += size
        blocks.append((mean, count))
    shifts = [mean for mean, count in blocks for _ in range(count)]
    return {n: s + o for n, s, o in zip(column, shifts, offsets, strict=True)}


def _parts(names: Sequence[Name], pairs: Sequence[Pair]) -> list[set[Name]]:
    """Connected parts, the largest first."""
    neighbours = _neighbours([*pairs, *((b, a) for a, b in pairs)])
    seen: set[Name] = set()
    parts = []
    for start in names:
        if start in seen:
            continue
        part, waiting = {start}, [start]
        while waiting:
            for other in neighbours[waiting.pop()]:
                if other not in part:
                    part.add(other)
                    waiting.append(other)
        seen |= part
        parts.append(part)
    return sorted(parts, key=len, reverse=True)


def _neighbours(pairs: Iterable[Pair]) -> defaultdict[Name, list[Name]]:
    found: defaultdict[Name, list[Name]] = defaultdict(list)
    for one, two in pairs:
        found[one].append(two)
    return found


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
