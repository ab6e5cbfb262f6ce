"""`icelens hetero traverse`: a path, what stands behind it, its volumes and a picture."""

from pathlib import Path

import numpy as np

from icelens.core.data.latents import LatentTable
from icelens.core.events import Message
from icelens.core.latents.principal_components import principal_components
from icelens.core.latents.support import EXTRAPOLATED, SPARSE, support_measure
from icelens.core.plots.latent import latent_path
from icelens.jobs.run import Run
from icelens.tasks.hetero.analyze_run import latents_of
from icelens.tasks.hetero.analyze_volumes import Stations, show_stations, write_stations
from icelens.tasks.hetero.hetero_run import open_hetero_run
from icelens.tasks.hetero.traverse_jobs import TraverseConfig
from icelens.tasks.hetero.traverse_paths import find_path

PATH_NAME = "path.csv"


def traverse_run(config: TraverseConfig, run: Run) -> Path:
    """Write path, volumes and report; return the path's table.

    Raises:
        CheckpointError: If the folder holds no run.
        MetadataError: If anchors or component do not exist or cannot be reached.
    """
    source = open_hetero_run(config.run)
    table = latents_of(source, config.epoch)
    latent, places = find_path(config, table, run.on_event)
    stations = Stations(
        "Volumes along the path",
        "volumes",
        latent,
        support_measure(table, seed=config.seed).of(latent),
        {} if places is None else {"row": [int(row) for row in table.row[places]]},
    )
    path = run.folder / PATH_NAME
    write_stations(path, stations, table, run.on_event)
    _show(config, run, table, stations)
    if config.volumes:
        show_stations(run, source, stations, config)
    return path


def _show(config: TraverseConfig, run: Run, table: LatentTable, stations: Stations) -> None:
    """Say where the path goes, and warn where nothing stands behind it."""
    flags = stations.support.flag
    rows = stations.extra.get("row")
    if rows is not None:
        run.on_event(Message(f"path over rows {','.join(str(row) for row in rows)}"))
    counts = {flag: sum(each == flag for each in flags) for flag in (SPARSE, EXTRAPOLATED)}
    run.report.section("Path")
    run.report.text(
        f"{len(flags)} points, {counts[SPARSE]} of them sparse and {counts[EXTRAPOLATED]} "
        "extrapolated. Where a point is extrapolated no particle lies near it: what its volume "
        "shows was made up by the model."
    )
    if counts[EXTRAPOLATED]:
        remedy = "" if config.way == "graph" else "; --mode graph keeps to the particles"
        run.on_event(
            Message(
                f"{counts[EXTRAPOLATED]} of {len(flags)} points of the path are extrapolated, no "
                f"particle lies near them{remedy}",
                level="warning",
            )
        )
    axes = principal_components(table.latent)
    chosen = [0, 1][: table.latent_dim]
    if config.way == "pc" and config.component > 2:
        chosen = [0, config.component - 1]
    anchors = table.place_of_rows(np.asarray(config.anchors)) if config.anchors else None
    coordinates = axes.coordinates(table.latent)
    run.report.figure(
        latent_path(
            coordinates[:, chosen],
            [f"PC {number + 1} ({axes.explained[number]:.0%})" for number in chosen],
            axes.coordinates(stations.latent)[:, chosen],
            flags,
            anchors=None if anchors is None else coordinates[anchors][:, chosen],
        ),
        name="path",
        caption="The path among the particles, along principal components; rings are the anchors.",
    )
    support = stations.support
    run.report.table(
        ["point", "nearest row", "particles near", "density percentile", "support"],
        [
            [
                number + 1,
                int(table.row[support.nearest[number]]),
                int(support.num_near[number]),
                float(np.round(support.density_percentile[number], 1)),
                flags[number],
            ]
            for number in range(len(flags))
        ],
    )
