"""`icelens hetero analyze`: from a run's latents to tables, volumes and a report."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from icelens.core.data.latents import LatentTable
from icelens.core.errors import MetadataError
from icelens.core.events import Message, Saved
from icelens.core.latents.paths import component_path
from icelens.jobs.run import Run
from icelens.tasks.hetero.analyze_convergence import show_convergence
from icelens.tasks.hetero.analyze_findings import Findings, find
from icelens.tasks.hetero.analyze_report import show_findings
from icelens.tasks.hetero.analyze_settings import AnalyzeConfig
from icelens.tasks.hetero.analyze_table import (
    TABLE_NAME,
    check_particles,
    file_columns,
    latent_columns,
    pose_columns,
    write_table,
)
from icelens.tasks.hetero.analyze_volumes import Stations, show_stations, write_stations
from icelens.tasks.hetero.hetero_run import HeteroRun, open_hetero_run


def analyze_run(config: AnalyzeConfig, run: Run) -> Path:
    """Analyse a run; return the table of its particles.

    Raises:
        CheckpointError: If the folder holds no run, or one of another version.
        InputFileError: If latents or particles cannot be read.
        MetadataError: If latents and particles do not belong together, or there are no latents.
    """
    source = open_hetero_run(config.run)
    table = latents_of(source, config.epoch)
    file = source.particle_file(run.on_event)
    check_particles(table, file, source.folder)
    found = find(table, config, run.on_event)
    poses = pose_columns(table, file)
    path = run.folder / TABLE_NAME
    known = latent_columns(table) | found.columns() | poses
    further = {name: v for name, v in file_columns(table, file).items() if name not in known}
    write_table(path, known | further)
    run.on_event(Saved(path, "table"))
    show_findings(run, source, found, poses)
    _say_untold(found, config, run)
    for stations in all_stations(found, config):
        name = "kmeans_centres" if stations.folder == "kmeans" else stations.folder
        write_stations(run.folder / f"{name}.csv", stations, table, run.on_event)
        if config.volumes:
            show_stations(run, source, stations, config)
    if config.convergence:
        show_convergence(run, source, found, config)
    _say_outliers(found, run)
    return path


def latents_of(source: HeteroRun, epoch: int | None) -> LatentTable:
    """The latents of a run, at its end or after an epoch.

    Raises:
        MetadataError: If its model has one structure only.
        InputFileError: If they cannot be read.
    """
    if source.latent_dim == 0:
        raise MetadataError(
            f"{source.folder}: a run of one structure ({source.kind}) has no latents to look at; "
            "give a run with --latent-dim 1 or more"
        )
    return source.latents(epoch)


def all_stations(found: Findings, config: AnalyzeConfig) -> Iterator[Stations]:
    """Particles nearest to the clusters' centres, then points along components."""
    clusters, table = found.clusters, found.table
    latent = table.latent[clusters.particle]
    halves = {f"size_half_{half}": _sizes(found, table.half_set == half) for half in (1, 2)}
    extra = {"row": table.row[clusters.particle].tolist(), "size": clusters.sizes().tolist()}
    yield Stations(
        "Volumes of the clusters", "kmeans", latent, found.support.of(latent), extra | halves
    )
    for component in np.flatnonzero(_is_followed(found, config)).tolist():
        latent = component_path(
            found.components, found.coordinates, component, config.samples_per_component
        )
        along = found.components.coordinates(latent)[:, component].tolist()
        yield Stations(
            f"Volumes along principal component {component + 1}",
            f"pc_{component + 1}",
            latent,
            found.support.of(latent),
            {"coordinate": along},
        )


def _is_followed(found: Findings, config: AnalyzeConfig) -> np.ndarray:
    """Along which of the first components volumes are made."""
    return found.is_told[: config.components]


def _say_untold(found: Findings, config: AnalyzeConfig, run: Run) -> None:
    """Volumes along what no image tells of would all be the same."""
    left_out = np.flatnonzero(~_is_followed(found, config)) + 1
    if not len(left_out):
        return
    names = ", ".join(str(number) for number in left_out)
    sentence = (
        f"no points are put along principal component {names}: the images say next to nothing "
        "about it"
    )
    run.report.text(sentence[0].upper() + sentence[1:] + ".")
    run.on_event(Message(sentence))


def _sizes(found: Findings, chosen: np.ndarray) -> list[int]:
    count = np.bincount(found.clusters.label[chosen], minlength=len(found.clusters) + 1)
    return [int(number) for number in count[1:]]


def _say_outliers(found: Findings, run: Run) -> None:
    count = int(found.is_outlier.sum())
    run.on_event(
        Message(
            f"{len(found.table)} particles, {len(found.clusters)} clusters, "
            f"{len(found.mixture)} Gaussians, {count} outliers"
        )
    )
