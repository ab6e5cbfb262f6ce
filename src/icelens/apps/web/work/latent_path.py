"""Paths through latents, found as `hetero traverse` does, each point with its support."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.apps.web.work.decoding import checked_latent
from icelens.apps.web.work.latent_points import clicked_points, latent_at, support_lines
from icelens.apps.web.work.opened_latents import OpenedLatents, open_latents
from icelens.apps.web.work.saved_files import below, free_path
from icelens.apps.web.worker import Answer
from icelens.core.errors import MetadataError
from icelens.core.events import Event, Message
from icelens.core.io.csv_table import write_csv
from icelens.core.latents.paths import direct_path, evenly_spaced
from icelens.jobs.settings import command_line
from icelens.tasks.hetero.traverse_jobs import TraverseConfig
from icelens.tasks.hetero.traverse_paths import find_path
from icelens.tasks.hetero.volumes_jobs import VolumesConfig, volumes

Floats = npt.NDArray[np.float64]

MOST_POINTS = 200


def point(*, run: str, particle: int, at: Mapping[str, float]) -> Answer:
    """Latent of a clicked point with its support.

    Raises:
        MetadataError: If there is no such particle or axis.
    """
    opened = open_latents(Path(run))
    (clicked,) = clicked_points([{"particle": particle, "at": at}])
    return Answer(support_lines(opened, latent_at(opened, clicked)[None])[0])


def path(
    *, run: str, way: str, anchors: Sequence[Mapping[str, Any]], component: int, count: int
) -> Answer:
    """Points along a path, each with its latent and support.

    Args:
        run: Folder of the run.
        way: `direct` through the clicked points, `graph` or `ridge` through the particles nearest
            to them, along a principal component (`pc`), or over the centres of `clusters`.
        anchors: Clicked points (`particle`, `at`), two or more; not for `pc` and `clusters`.
        component: That `pc` follows, from 1.
        count: Points, 2 to 200.

    Returns:
        `points`, as `support_lines` gives them, and `notes`.

    Raises:
        MetadataError: If anchors, component or clusters are not there, or no way leads on.
    """
    opened = open_latents(Path(run))
    notes: list[str] = []
    latent = _latents(opened, way, anchors, component, count, notes)
    return Answer({"points": support_lines(opened, latent), "notes": notes})


def save_path(*, run: str, latents: list[list[float]], project: str, name: str) -> Answer:
    """Write a path as the table that `hetero volumes --latent` reads, into the project's `paths`.

    Returns:
        `file`, and the `command` that makes its volumes.

    Raises:
        MetadataError: If a latent is of another run.
        InputFileError: If the file cannot be written.
    """
    opened = open_latents(Path(run))
    if not latents:
        raise MetadataError(f"{run}: a path without points; make one first")
    points = np.stack([checked_latent(opened, each) for each in latents])
    lines = support_lines(opened, points)
    file = free_path(Path(project) / "paths", name, [".csv"])
    header = ["point", *(f"latent_{number + 1}" for number in range(points.shape[1]))]
    backing = ["nearest_row", "num_near", "density_percentile", "support"]
    rows = [
        [number, *(f"{value:.9g}" for value in line["latent"]), *(line[key] for key in backing)]
        for number, line in enumerate(lines, start=1)
    ]
    write_csv(file, [*header, *backing], rows)
    root = Path(project)
    typed = VolumesConfig(
        run=below(Path(run), root), latent=below(file, root), output=Path("volumes") / file.stem
    )
    return Answer({"file": str(file), "command": command_line(volumes, typed)})


def _latents(
    opened: OpenedLatents,
    way: str,
    anchors: Sequence[Mapping[str, Any]],
    component: int,
    count: int,
    notes: list[str],
) -> Floats:
    """Latents `(point, latent_dim)` of a path."""
    if way == "direct":
        stops = [latent_at(opened, each) for each in clicked_points(anchors)]
        return _through(opened, np.stack(stops) if stops else np.empty((0, 0)), count)
    if way == "clusters":
        return _through(opened, _cluster_centres(opened), count)

    def hear(event: Event) -> None:
        if isinstance(event, Message):
            notes.append(event.text)

    if way == "pc":
        config = TraverseConfig(
            run=opened.run.folder, output=None, mode="pc", component=component, count=count
        )
        return find_path(config, opened.table, hear)[0]
    rows = _rows(opened, anchors)
    config = TraverseConfig(
        run=opened.run.folder, mode="graph" if way == "graph" else "ridge", anchors=rows,
        count=max(2, count // (len(rows) - 1)),
    )  # fmt: skip
    found = find_path(config, opened.table, hear)[0]
    return found if len(found) <= count else evenly_spaced(found, count)


def _through(opened: OpenedLatents, stops: Floats, count: int) -> Floats:
    """Points at equal distances on straight lines through stops."""
    if len(stops) < 2:
        raise _too_few(opened, len(stops))
    return evenly_spaced(direct_path(stops, 2), count)


def _rows(opened: OpenedLatents, anchors: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """Rows of the particles that were clicked, each once."""
    table = opened.table
    places = list(dict.fromkeys(each.particle for each in clicked_points(anchors)))
    wrong = [place for place in places if not 0 <= place < len(table)]
    if wrong:
        raise MetadataError(
            f"{opened.run.folder}: particle {wrong[0]} is asked for, expected 0 to "
            f"{len(table) - 1}; click on the plot again"
        )
    if len(places) < 2:
        raise _too_few(opened, len(places))
    return tuple(int(table.row[place]) for place in places)


def _too_few(opened: OpenedLatents, found: int) -> MetadataError:
    return MetadataError(
        f"{opened.run.folder}: a path needs two or more different points, {found} found; click on "
        "the plot where it is to go"
    )


def _cluster_centres(opened: OpenedLatents) -> Floats:
    """Latents of the particles nearest to the clusters' means, in an order of short steps."""
    if "kmeans" not in opened.columns:
        raise MetadataError(
            f"{opened.run.folder}: a path over clusters needs an analysis; run `icelens hetero "
            "analyze` first"
        )
    label, latent = opened.columns["kmeans"], opened.table.latent
    left = []
    for number in np.unique(label):
        own = latent[label == number]
        left.append(own[((own - own.mean(axis=0)) ** 2).sum(axis=1).argmin()])
    # from one end of the first component, always to the nearest that is left
    ordered = [left.pop(int(np.argmin(opened.components.coordinates(np.stack(left))[:, 0])))]
    while left:
        apart = ((np.stack(left) - ordered[-1]) ** 2).sum(axis=1)
        ordered.append(left.pop(int(apart.argmin())))
    return np.stack(ordered)
