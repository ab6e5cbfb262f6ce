"""Histograms and percentiles of the columns of a table."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.errors import MetadataError
from icelens.core.events import Message, Saved
from icelens.core.io.cryosparc_records import load_records
from icelens.core.io.csv_table import write_csv
from icelens.core.io.image_columns import blocks_of_images
from icelens.core.io.star import read_star
from icelens.core.plots.histograms import stacked_histograms
from icelens.jobs.run import Run
from icelens.tasks.tools.particle_table import (
    Column,
    offer,
    record_columns,
    require_column,
)
from icelens.tasks.tools.star_jobs import HistogramConfig

PERCENTILES = (0.0, 1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0, 100.0)

Floats = npt.NDArray[np.float64]


def write_histograms(config: HistogramConfig, run: Run) -> Path:
    """Write tables, pictures and report; return the table of the bins.

    Raises:
        MetadataError: If a column is missing, or holds text or nothing.
    """
    columns = read_columns(config.particles, config.block)
    chosen = {name: numbers(config.particles, columns, name) for name in config.columns}
    bins, percentiles = [], []
    for name, values in chosen.items():
        finite = values[np.isfinite(values)]
        counts, edges = _histogram(config, name, finite)
        bins += [[name, *line] for line in zip(edges[:-1], edges[1:], counts, strict=True)]
        percentiles.append([name, len(finite), *np.percentile(finite, PERCENTILES).tolist()])
        if len(finite) < len(values):
            lost = len(values) - len(finite)
            run.on_event(Message(f"{name}: {lost} values are not finite and are left out"))
    path = run.folder / "histograms.csv"
    write_csv(path, ["column", "from", "to", "count"], bins)
    run.on_event(Saved(path, "table"))
    header = ["column", "count", *(f"{percent:g} %" for percent in PERCENTILES)]
    write_csv(run.folder / "percentiles.csv", header, percentiles)
    run.on_event(Saved(run.folder / "percentiles.csv", "table"))
    run.report.section("Columns")
    run.report.table(header, percentiles)
    for name, values in chosen.items():
        _draw(name, values[np.isfinite(values)], config, run)
    return path


def _histogram(
    config: HistogramConfig, name: str, values: Floats
) -> tuple[npt.NDArray[np.int64], Floats]:
    low, high = float(values.min()), float(values.max())
    try:
        with np.errstate(all="ignore"):
            return np.histogram(values, bins=config.bins)
    except ValueError as error:
        raise MetadataError(
            f"{config.particles}: {name} goes from {low:g} to {high:g}, which cannot be parted "
            f"into {config.bins} bins; correct the column or ask for fewer --bins"
        ) from error


def read_columns(path: Path, block: str | None) -> Mapping[str, Column]:
    """Columns of a `.cs` file, or of a block of a STAR file.

    Raises:
        InputFileError: If the file cannot be read.
        MetadataError: If there is no such block, or several could be meant.
    """
    if path.suffix.lower() == ".cs":
        return record_columns(load_records(path))
    blocks = read_star(path)
    if block is None:
        _, table = blocks_of_images(path, blocks)
    else:
        name = block.removeprefix("data_")
        if name not in blocks:
            raise MetadataError(f"{path}: no block data_{name}; {offer(name, blocks)}")
        table = blocks[name]
    return {str(name): table[name].to_numpy() for name in table.columns}


def numbers(path: Path, columns: Mapping[str, Column], name: str) -> Floats:
    """A column of numbers.

    Raises:
        MetadataError: If it is missing, holds text, or has no finite value.
    """
    values = require_column(path, columns, name)
    if values.dtype.kind not in "iuf":
        raise MetadataError(f"{path}: {name} holds text, expected numbers; name another column")
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).any():
        raise MetadataError(f"{path}: {name} holds no number; name another column")
    return numbers


def _draw(name: str, values: Floats, config: HistogramConfig, run: Run) -> None:
    percent = config.clip_percent
    low, high = np.percentile(values, [percent, 100.0 - percent]).tolist()
    shown = values[(values >= low) & (values <= high)]
    limits = (low, high if high > low else low + 1.0)
    run.report.figure(
        stacked_histograms({name: shown}, label=name, limits=limits, bins=config.bins),
        name=name,
        caption=f"Distribution of {name}, {len(shown)} of {len(values)} values.",
    )
