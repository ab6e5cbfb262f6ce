"""The lineage of jobs as shapes in pixels: boxes with two lines of text, curves between them."""

from dataclasses import dataclass
from pathlib import PurePath

from icelens.jobs.project.layers import Placing, place
from icelens.jobs.project.lineage import Lineage, Link, Node

WIDTH, HEIGHT, FILE_HEIGHT = 208, 54, 34
COLUMN, ROW = WIDTH + 116, HEIGHT + 22
EDGE = 16
_LONGEST_TITLE, _LONGEST_FILE, _LONGEST_LABEL = 23, 26, 17
_MOST_LABELS = 60


@dataclass(frozen=True)
class Box:
    """A node: its frame in pixels, and its texts, cut to fit."""

    node: Node
    x: float
    y: float
    height: int
    title: str
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
    has_labels = len(kept) <= _MOST_LABELS
    return LineagePicture(
        tuple(_box(node, placing) for node in lineage.nodes),
        tuple(_wire(link, placing, has_label=has_labels) for link in kept),
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
        _spoken(node),
    )


def _wire(link: Link, placing: Placing, *, has_label: bool) -> Wire:
    way = placing.ways[link.source, link.target]
    is_back = way[-1][0] < way[0][0]
    sign = -1 if is_back else 1
    points = [(EDGE + layer * COLUMN, _middle(row)) for layer, row in way]
    path = ""
    last = len(points) - 1
    for i, (x, y) in enumerate(points):
        enter, leave = (x + WIDTH, x) if is_back else (x, x + WIDTH)
        if i == 0:
            path = f"M{leave:g} {y:.1f}"
            x_0, y_0 = leave, y
            continue
        bend = sign * (COLUMN - WIDTH) / 2
        path += f"C{x_0 + bend:g} {y_0:.1f} {enter - bend:g} {y:.1f} {enter:g} {y:.1f}"
        if i < last:
            path += f"H{leave:g}"
        x_0, y_0 = leave, y
    (x_1, y_1), (x_2, y_2) = points[-2], points[-1]
    middle = (x_2 - (COLUMN - WIDTH) / 2) if not is_back else (x_1 - (COLUMN - WIDTH) / 2)
    label = _label(link.paths) if has_label else ""
    return Wire(
        link, path, label, round(middle, 1), round((y_1 + y_2) / 2 - 5, 1), is_back, _files(link)
    )


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
