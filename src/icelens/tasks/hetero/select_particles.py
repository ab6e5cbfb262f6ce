"""`icelens hetero select`: particles by what an analysis found, whole, in order, with optics."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.latents import LatentTable
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.row_filter import filter_rows
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.events import Message, Saved
from icelens.core.io.csv_table import write_csv
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_files import write_particles
from icelens.core.latents.outliers import outlier_sigma
from icelens.jobs.run import Run
from icelens.tasks.hetero.analyze_run import latents_of
from icelens.tasks.hetero.analyze_table import (
    TABLE_NAME,
    check_particles,
    file_columns,
    latent_columns,
    pose_columns,
    read_table,
)
from icelens.tasks.hetero.hetero_run import HeteroRun, open_hetero_run
from icelens.tasks.hetero.select_jobs import SelectConfig

Column = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_SIGMA = 3.0


def write_selection(config: SelectConfig, run: Run) -> Path:
    """Write the chosen particles; return the file.

    Raises:
        CheckpointError: If the folder holds no run.
        MetadataError: If a setting names what is not there, or no particle is left.
        InputFileError: If a file cannot be read or written.
    """
    source = open_hetero_run(config.run)
    table = latents_of(source, config.epoch)
    file = source.particle_file(run.on_event)
    check_particles(table, file, source.folder)
    _check_outputs(config, file)
    kept = chosen(config, columns_of(config, source, table, file), len(table))
    if not kept.any():
        raise MetadataError(
            f"{config.run}: none of {len(table)} particles is left; relax the conditions"
        )
    rows = np.flatnonzero(np.isin(file.particles.particle, table.particle[kept]))
    write_particles(config.output, file, rows=rows)
    run.on_event(Saved(config.output, "particle list"))
    if config.index is not None:
        pairs = np.stack([table.particle[kept], table.row[kept]], axis=1).tolist()
        write_csv(config.index, ["particle", "row"], pairs)
        run.on_event(Saved(config.index, "table"))
    images = "" if len(rows) == kept.sum() else f" ({len(rows)} images)"
    run.on_event(Message(f"{int(kept.sum())} of {len(table)} particles are kept{images}"))
    return config.output


def columns_of(
    config: SelectConfig, source: HeteroRun, table: LatentTable, file: ParticleFile
) -> dict[str, Column]:
    """All that a condition may name; what an analysis says goes over what the file says.

    Raises:
        InputFileError: If the analysis is not there though it was named, or is of other particles.
    """
    columns = file_columns(table, file) | pose_columns(table, file) | latent_columns(table)
    folder = config.analysis or source.folder / "analysis" / "latent"
    path = folder / TABLE_NAME
    if config.epoch is None and path.is_file():
        return columns | read_table(path, table)
    if config.analysis is not None:
        raise InputFileError(
            f"{path}: no such file; give the --output of `icelens hetero analyze`, and no --epoch"
        )
    return columns | {"sigma": outlier_sigma(table.latent)}


def chosen(config: SelectConfig, columns: dict[str, Column], count: int) -> Mask:
    """Which particles pass every setting.

    Raises:
        MetadataError: If a column or a cluster is not there.
    """
    kept = np.ones(count, bool)
    if config.where is not None:
        kept &= filter_rows(config.where, columns)
    if config.clusters:
        kept &= np.isin(_clusters(config, columns), config.clusters)
    if config.among is not None:
        kept &= np.isin(columns["row"], _rows_in(config.among, columns["row"]))
    if config.outliers != "keep":
        is_out = _is_outlier(config, columns)
        kept &= is_out if config.outliers == "only" else ~is_out
    return ~kept if config.invert else kept


def _clusters(config: SelectConfig, columns: dict[str, Column]) -> Column:
    if "kmeans" not in columns:
        raise MetadataError(
            f"{config.run}: --clusters needs an analysis; run `icelens hetero analyze` first"
        )
    label = columns["kmeans"]
    unknown = [number for number in config.clusters if number not in label]
    if unknown:
        raise MetadataError(
            f"{config.run}: --clusters names {unknown[0]}, expected 1 to {int(label.max())} as the "
            "analysis has"
        )
    return label


def _rows_in(path: Path, known: Column) -> Column:
    """Rows that a table names; all of them are particles' first images."""
    import pandas

    try:
        rows = pandas.read_csv(path)["row"].to_numpy()
    except (OSError, ValueError, KeyError) as error:
        raise InputFileError(
            f"{path}: --among cannot be read ({type(error).__name__}), expected CSV with a column "
            "row; give what --index or the latent explorer wrote"
        ) from error
    unknown = rows[~np.isin(rows, known)]
    if len(unknown):
        raise MetadataError(
            f"{path}: --among names row {unknown[0]}, which is no particle's first image; give a "
            "selection of the same run"
        )
    return np.asarray(rows)


def _is_outlier(config: SelectConfig, columns: dict[str, Column]) -> Mask:
    if config.outlier_sigma is None and "outlier" in columns:
        return np.asarray(columns["outlier"] != 0, bool)
    return np.asarray(columns["sigma"] > (config.outlier_sigma or _SIGMA), bool)


def _check_outputs(config: SelectConfig, file: ParticleFile) -> None:
    """Refuse endings that cannot be, and files that would be written over."""
    is_records = config.output.suffix.lower() == ".cs"
    if is_records and file.records is None:
        raise InputFileError(
            f"{config.output}: .cs can only be written of particles from .cs, these are from "
            f"{file.path}; name a .star file"
        )
    outputs = [config.output] if config.index is None else [config.output, config.index]
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise InputFileError(f"{config.output}: is --output and --index; name two files")
    inputs = [file.path, config.run / "latents.csv", config.run / "particles.star"]
    inputs += [] if config.among is None else [config.among]
    refuse_overwriting(outputs, [path for path in inputs if path.exists()])
