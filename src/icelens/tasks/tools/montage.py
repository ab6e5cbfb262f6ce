"""Show some particle images: random ones, given ones, or spread over the values of a column."""

from pathlib import Path

import numpy as np
import torch

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.events import Message, Saved
from icelens.core.fourier.filters import low_pass
from icelens.core.fourier.frequencies import frequency_radius, nyquist
from icelens.core.io.atomic import atomic_path
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.plots.montage import montage
from icelens.jobs.run import Run
from icelens.tasks.tools.image_files import ImageFile, Images, Integers, read_images
from icelens.tasks.tools.image_jobs import MontageConfig
from icelens.tasks.tools.particle_table import Column, require_column, table_columns
from icelens.tasks.tools.select_particles import listed_rows


def draw_montage(config: MontageConfig, run: Run) -> Path:
    """Write the picture and return it.

    Raises:
        InputFileError: If a file is missing, damaged or no .png is to be written.
        MetadataError: If a setting names what is not there.
    """
    if config.output.suffix.lower() != ".png":
        raise InputFileError(f"{config.output}: expected a name that ends in .png")
    source = read_images(
        config.particles,
        stack_root=config.stack_root,
        pixel_size=config.pixel_size,
        on_event=run.on_event,
    )
    refuse_overwriting(config.output, [config.particles, *source.particles.stacks])
    values = None if config.sort_by is None else _sorting_values(config.sort_by, source)
    rows = chosen_images(config, len(source.particles), values)
    shown = source.particles.take(rows)
    # of these alone: bad images among the others do not matter
    reader = ImageReader(shown, on_event=run.on_event)
    pixel_sizes = shown.pixel_size()
    images = [
        _shown(reader.read([place]), float(pixel_sizes[place]), config)[0]
        for place in range(len(rows))
    ]
    captions = [str(row + 1) for row in rows]
    if values is not None:
        captions = [f"{row + 1}: {_short(values[row])}" for row in rows]
    figure = montage(images, captions, pixel_sizes.tolist())
    with atomic_path(config.output) as temporary:
        figure.savefig(temporary, format="png")
    run.on_event(Saved(config.output, "picture"))
    run.on_event(Message(f"{len(rows)} of {len(source.particles)} images are shown"))
    return config.output


def chosen_images(config: MontageConfig, total: int, values: Column | None) -> Integers:
    """Which images are shown, from 0, in the order in which they are.

    Raises:
        MetadataError: If `--rows` names an image that is not there.
    """
    if config.rows is not None:
        rows = listed_rows(config.rows, total, config.particles) - 1
        return rows if values is None else _sorted(rows, values, descending=config.descending)
    count = min(config.count, total)
    if values is None:
        drawn = np.random.default_rng(config.seed).choice(total, count, replace=False)
        return np.sort(drawn).astype(np.int64)
    order = _sorted(np.arange(total), values, descending=config.descending)
    return order[np.linspace(0, total - 1, count).round().astype(np.int64)]


def _sorted(rows: Integers, values: Column, *, descending: bool) -> Integers:
    order = np.argsort(values[rows], kind="stable")
    return rows[order[::-1] if descending else order]


def _sorting_values(name: str, source: ImageFile) -> Column:
    """A value for each image."""
    if source.table is None:
        raise MetadataError(
            f"{source.path}: a stack has no columns to sort by; give its .star or .cs file"
        )
    column = require_column(source.path, table_columns(source.table), name)
    return column[source.table.table_row]


def _shown(images: Images, pixel_size: float, config: MontageConfig) -> Images:
    if config.invert:
        images = -images
    if config.low_pass is None or 1.0 / config.low_pass >= nyquist(pixel_size):
        return images
    side = images.shape[-1]
    radius = frequency_radius((1, side, side), pixel_size=pixel_size)[0]
    weight = low_pass(radius, config.low_pass, edge=0.4)
    spectrum = torch.fft.rfft2(torch.from_numpy(images)) * weight
    return np.asarray(torch.fft.irfft2(spectrum, s=(side, side)), np.float32)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
