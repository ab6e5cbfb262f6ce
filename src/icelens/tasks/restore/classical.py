"""Run deconvolution and masking over the rows of a list: files, the list's columns, the report."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.tomograms import TomogramRow
from icelens.core.events import Message, Progress, Saved
from icelens.core.io.pairs import pair_name
from icelens.core.io.tomogram_star import read_tomograms, update_tomograms
from icelens.core.io.volumes import open_volume
from icelens.core.plots.middle import middle_of
from icelens.core.plots.outlines import outlined_slices
from icelens.core.plots.slices import orthogonal_slices, power_spectra
from icelens.jobs.run import Run
from icelens.tasks.restore.boundary import read_boundary
from icelens.tasks.restore.deconvolve import deconvolution_curve, write_deconvolved
from icelens.tasks.restore.jobs import DeconvolveConfig, MaskConfig
from icelens.tasks.restore.mask import MaskSettings, open_source, write_mask
from icelens.tasks.restore.output_names import told_apart

SHOWN_TOMOGRAMS = 5
"""Reports show the first ones; the others are in the table."""
LARGEST_PICTURE = 256
"""Voxels along each side of the middle part that is drawn."""


def deconvolve_tomograms(config: DeconvolveConfig, run: Run) -> list[Path]:
    """Deconvolve the chosen rows, list each result at once, and show them in the report."""
    chunk_size = None if config.chunk_size == "auto" else config.chunk_size
    if config.threads:
        torch.set_num_threads(config.threads)
    run.report.section("Before and after")

    def work(row: TomogramRow, path: Path) -> Sequence[object]:
        source = row.require(config.input_column)
        run.inputs.append(source)
        volume = open_volume(
            source, pixel_size=row.pixel_size, pixel_size_from=config.pixel_size_from
        )
        curve = deconvolution_curve(row, config.settings())
        write_deconvolved(path, source, volume, curve, chunk_size=chunk_size, on_event=run.on_event)
        _show_deconvolved(run, source, path, volume.pixel_size)
        return source.name, row.defocus, row.pixel_size

    header = ("rlnIndex", "tomogram", "defocus (Å)", "Å/px", "file")
    return _each_row(config, run, "deconvolved", "{}_deconvolved.mrc", header, work)


def mask_tomograms(config: MaskConfig, run: Run) -> list[Path]:
    """Mask the chosen rows, list each mask at once, and show them in the report."""
    settings = MaskSettings(
        config.patch_size, config.density_percentage, config.std_percentage, config.z_crop
    )
    run.report.section("Masks")

    def work(row: TomogramRow, path: Path) -> Sequence[object]:
        source = open_source(
            row,
            config.input_column,
            contrast=config.contrast,
            pixel_size_from=config.pixel_size_from,
        )
        run.inputs.extend(source.paths)
        boundary = None
        if row.mask_boundary is not None:
            boundary = read_boundary(row.require("mask_boundary"), source.shape)
        kept = write_mask(path, source, settings, boundary=boundary, on_event=run.on_event)
        _show_mask(run, source.paths[0], path)
        names = " and ".join(file.name for file in source.paths)
        return names, f"{100 * kept:.1f} %"

    header = ("rlnIndex", "made from", "kept", "file")
    return _each_row(config, run, "mask", "{}_mask.mrc", header, work)


def _each_row(
    config: DeconvolveConfig | MaskConfig,
    run: Run,
    column: str,
    file_name: str,
    header: Sequence[str],
    work: Callable[[TomogramRow, Path], Sequence[object]],
) -> list[Path]:
    """Make one file for each chosen row; what is done stays listed if a later row fails."""
    tomograms = read_tomograms(config.star)
    names = told_apart({row.index: _name(row) for row in tomograms})
    rows = list(tomograms.select(config.tomograms))
    paths, lines = [], []
    for done, row in enumerate(rows, start=1):
        path = run.folder / file_name.format(names[row.index])
        said = work(row, path)
        update_tomograms(config.star, column, {row.index: path}, on_event=run.on_event)
        run.on_event(Saved(path, "volume"))
        told = (f"{word} {value}" for word, value in zip(header[1:-1], said, strict=True))
        run.on_event(Message(f"{names[row.index]}: {', '.join(told)}"))
        run.on_event(Progress("tomograms", done, len(rows), "tomogram"))
        lines.append((row.index, *said, path.name))
        paths.append(path)
    run.on_event(Saved(config.star, "tomogram list"))
    run.report.table(header, lines)
    return paths


def _name(row: TomogramRow) -> str:
    files = (row.full, row.even, row.deconvolved, row.denoised)
    first = next((path for path in files if path is not None), None)
    return f"tomogram_{row.index}" if first is None else pair_name(first)


def _show_deconvolved(run: Run, before: Path, after: Path, pixel_size: float) -> None:
    if len(run.report.pictures) >= 2 * SHOWN_TOMOGRAMS:
        return
    pair = {"before": _drawn(before), "after": _drawn(after)}
    run.report.figure(
        orthogonal_slices(pair, pixel_size),
        name=f"{after.stem}_slices",
        caption=f"{after.stem}: central slices before and after.",
    )
    run.report.figure(
        power_spectra(pair, pixel_size),
        name=f"{after.stem}_power",
        caption=f"{after.stem}: power in x and z before and after; the rings are the CTF's.",
    )


def _show_mask(run: Run, source: Path, mask: Path) -> None:
    if len(run.report.pictures) >= SHOWN_TOMOGRAMS:
        return
    run.report.figure(
        outlined_slices(_array(source), _array(mask)),
        name=mask.stem,
        caption=f"{mask.stem}: what the mask keeps, over central slices of {source.name}.",
    )


def _array(path: Path) -> npt.NDArray[np.generic]:
    # Pixel sizes were settled when the file was first opened.
    return open_volume(path, pixel_size=1.0, pixel_size_from="metadata").array


def _drawn(path: Path) -> npt.NDArray[np.float32]:
    return middle_of(_array(path), largest=LARGEST_PICTURE)
