"""The lineage of jobs as shapes in pixels: boxes with two lines of text, curves between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from icelens.jobs.project.layers import Placing, place
from icelens.jobs.project.lineage import Lineage, Link, Node

WIDTH, HEIGHT, FILE_HEIGHT = 208, 54, 34
COLUMN, ROW = WIDTH + 116, HEIGHT + 22
EDGE = 16
_LONGEST_TITLE, _LONGEST_FILE, _LONGEST_LABEL, _LONGEST_KIND = 21, 26, 17, 16
_PORT = 13
"""Distance of wires where they arrive, so that their names do not cover each other."""
_MOST_LABELS = 60


@dataclass(frozen=True)
class Box:
    """A node: its frame in pixels, and its texts, cut to fit."""

    node: Node
    x: float
    y: float
    height: int
    title: str
    kind: str
    spoken: str
    """All of it in words, for who cannot see it."""


@dataclass(frozen=True)
class Wire:
    """A link: its curve, and the name of what passes, where there is room for it."""

    link: Link
    path: str
    label: str
    x: float
    y: float
    is_back: bool
    spoken: str


@dataclass(frozen=True)
class LineagePicture:
    """All shapes, in a frame that begins at (0, 0)."""

    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    width: int
    height: int


def picture_of(lineage: Lineage) -> LineagePicture:
    """Lay out a lineage from left to right."""
    placing = place(
        [node.key for node in lineage.nodes], [(each.source, each.target) for each in lineage.links]
    )
    kept = [link for link in lineage.links if (link.source, link.target) in placing.ways]
    ports = _Ports(placing)
    has_labels = len(kept) <= _MOST_LABELS
    return LineagePicture(
        tuple(_box(node, placing) for node in lineage.nodes),
        tuple(_wire(link, placing, ports, has_label=has_labels) for link in kept),
        round(2 * EDGE + max(1, placing.num_layers) * COLUMN - (COLUMN - WIDTH)),
        round(2 * EDGE + max(1.0, placing.num_rows) * ROW),
    )


def _box(node: Node, placing: Placing) -> Box:
    layer, row = placing.places[node.key]
    height = FILE_HEIGHT if node.job is None else HEIGHT
    longest = _LONGEST_FILE if node.job is None else _LONGEST_TITLE
    return Box(
        node,
        EDGE + layer * COLUMN,
        round(_middle(row) - height / 2, 1),
        height,
        shortened(node.label, longest),
        "" if node.job is None else shortened(f"{node.job.name} {node.job.job}", _LONGEST_KIND),
        _spoken(node),
    )


def _wire(link: Link, placing: Placing, ports: "_Ports", *, has_label: bool) -> Wire:
    way = placing.ways[link.source, link.target]
    is_back = way[-1][0] < way[0][0]
    bend = (WIDTH - COLUMN) / 2 if is_back else (COLUMN - WIDTH) / 2
    points = [(EDGE + layer * COLUMN, _middle(row)) for layer, row in way]
    leaving, arriving = ports.of(link)
    points[0] = (points[0][0], points[0][1] + leaving)
    points[-1] = (points[-1][0], points[-1][1] + arriving)
    x_0, y_0 = points[0][0] + (0 if is_back else WIDTH), points[0][1]
    path = f"M{x_0:g} {y_0:.1f}"
    for x, y in points[1:]:
        enter, leave = (x + WIDTH, x) if is_back else (x, x + WIDTH)
        path += f"C{x_0 + bend:g} {y_0:.1f} {enter - bend:g} {y:.1f} {enter:g} {y:.1f}"
        if (x, y) != points[-1]:
            path += f"H{leave:g}"
        x_0, y_0 = leave, y
    x, y = points[-1]
    label_x = x + (WIDTH + 14 if is_back else -14)
    label = _label(link.paths) if has_label else ""
    return Wire(link, path, label, label_x, round(y - 4, 1), is_back, _files(link))


class _Ports:
    """How far from the middle of its box each wire leaves and arrives, in the order of its way."""

    def __init__(self, placing: Placing) -> None:
        self._leaving = _spread({p: way[1][1] for p, way in placing.ways.items()}, end=0, gap=6.0)
        self._arriving = _spread(
            {p: way[-2][1] for p, way in placing.ways.items()}, end=1, gap=_PORT
        )

    def of(self, link: Link) -> tuple[float, float]:
        pair = (link.source, link.target)
        return self._leaving[pair], self._arriving[pair]


def _spread(
    rows: Mapping[tuple[str, str], float], *, end: int, gap: float
) -> dict[tuple[str, str], float]:
    """Offsets of the wires at one end of theirs, ordered by the rows that they come from."""
    meeting: dict[str, list[tuple[str, str]]] = {}
    for pair in sorted(rows, key=rows.__getitem__):
        meeting.setdefault(pair[end], []).append(pair)
    offsets = {}
    for pairs in meeting.values():
        step = min(gap, (FILE_HEIGHT if len(pairs) < 3 else HEIGHT - 12) / max(1, len(pairs) - 1))
        for i, pair in enumerate(pairs):
            offsets[pair] = (i - (len(pairs) - 1) / 2) * step
    return offsets


def _middle(row: float) -> float:
    return EDGE + (row + 0.5) * ROW


def _label(paths: tuple[str, ...]) -> str:
    if not paths:
        return "waits for"
    more = f" +{len(paths) - 1}" if len(paths) > 1 else ""
    return shortened(PurePath(paths[0]).name, _LONGEST_LABEL - len(more)) + more


def _files(link: Link) -> str:
    return "\n".join(link.paths[:20]) or "waits for it"


def _spoken(node: Node) -> str:
    if node.job is None:
        return f"{node.key.removeprefix('file:')}, not written by a job"
    return f"{node.job.name}, {node.label}, {node.job.job}, {node.job.state}"


def shortened(text: str, longest: int) -> str:
    """A text cut to a number of characters; of what is cut remains a dot."""
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
