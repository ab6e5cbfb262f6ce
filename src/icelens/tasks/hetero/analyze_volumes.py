"""Latents that volumes are made at, with their support, and the volumes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.latents import LatentTable
from icelens.core.events import OnEvent, Saved
from icelens.core.io.csv_table import write_csv
from icelens.core.latents.support import Support
from icelens.jobs.run import Run
from icelens.tasks.hetero.analysis_settings import StationsConfig
from icelens.tasks.hetero.hetero_run import HeteroRun
from icelens.tasks.hetero.volume_options import VolumeOptions
from icelens.tasks.hetero.volume_pictures import show_volumes
from icelens.tasks.hetero.volumes import numbered, write_volumes
from icelens.training.device import choose_compute, use_threads

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stations:
    """Latents with names, such as the centres of clusters or points of a path.

    Attributes:
        title: What they are, for the report.
        folder: Name of the folder of their volumes.
        latent: `(station, latent_dim)`.
        support: Of each.
        extra: Further columns of their table, by name.
    """

    title: str
    folder: str
    latent: Floats
    support: Support
    extra: dict[str, Sequence[float | int | str]]


def write_stations(path: Path, stations: Stations, table: LatentTable, on_event: OnEvent) -> None:
    """Write a table: point, extra columns, latents, the nearest particle's row, support."""
    latent_names = [f"latent_{number}" for number in range(1, table.latent_dim + 1)]
    header = [
        "point",
        *stations.extra,
        *latent_names,
        "nearest_row",
        "num_near",
        "density_percentile",
        "support",
    ]
    support = stations.support
    lines = [
        [
            number + 1,
            *(values[number] for values in stations.extra.values()),
            *(f"{value:.9g}" for value in stations.latent[number]),
            int(table.row[support.nearest[number]]),
            int(support.num_near[number]),
            float(support.density_percentile[number]),
            support.flag[number],
        ]
        for number in range(len(stations.latent))
    ]
    write_csv(path, header, lines)
    on_event(Saved(path, "table"))


def show_stations(run: Run, source: HeteroRun, stations: Stations, config: StationsConfig) -> None:
    """Write the volumes of stations into their folder, and show them in the report."""
    compute = choose_compute(config.device, "float32", config.threads)
    use_threads(compute)
    options = VolumeOptions(
        box_size=config.box_size,
        low_pass=config.low_pass,
        is_checked=config.check_images,
        device=str(compute.device),
    )
    table = write_volumes(
        source,
        stations.latent,
        run.folder / stations.folder,
        numbered("volume", len(stations.latent), digits=2),
        options=options,
        on_event=run.on_event,
    )
    show_volumes(run, table, title=stations.title)
