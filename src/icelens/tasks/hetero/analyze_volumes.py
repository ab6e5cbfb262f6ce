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
from icelens.tasks.hetero.hetero_run import HeteroRun
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

    def names(self) -> list[str]:
        """Stems of the volumes' files: `volume_01` and so on."""
        digits = max(2, len(str(len(self.latent))))
        return [f"volume_{number:0{digits}d}" for number in range(1, len(self.latent) + 1)]


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


def make_volumes(
    source: HeteroRun,
    stations: Stations,
    folder: Path,
    *,
    device: str,
    threads: int,
    box_size: int | None,
    low_pass: float | None,
    is_checked: bool,
    on_event: OnEvent,
) -> Path:
    """Write the volumes of stations into a folder and return the path of their table."""
    from icelens.tasks.hetero.volume_options import VolumeOptions
    from icelens.tasks.hetero.volumes import write_volumes

    compute = choose_compute(device, "float32", threads)
    use_threads(compute)
    options = VolumeOptions(
        box_size=box_size,
        low_pass=low_pass,
        is_checked=is_checked,
        device=str(compute.device),
    )
    return write_volumes(
        source, stations.latent, folder, stations.names(), options=options, on_event=on_event
    )
