"""Bring the volumes of a tomogram list to another pixel size, a slab at a time.

The axes are rescaled one after the other: y and x slab by slab into a scratch file, then z block by
block, so that memory does not depend on the size of a volume.
"""

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.data.volume import Volume
from icelens.core.events import Message, Progress, Saved
from icelens.core.fourier.rescale import rescale_axis, rescaled_side, rescaling_matrix
from icelens.core.io.picks import read_box_file, write_box_file
from icelens.core.io.slabs import check_values
from icelens.core.io.tomogram_star import read_tomograms, write_tomograms
from icelens.core.io.volumes import new_volume, open_volume
from icelens.jobs.run import Run
from icelens.tasks.tools.jobs import ResizeConfig

DENSITIES = ("full", "even", "odd", "deconvolved", "corrected", "denoised", "ground_truth")
BLOCK_BYTES = 1 << 26
# Positions in these files are in Å, or say themselves how they are sampled.
PICKS_IN_ANGSTROM = (".json", ".csv", ".star")
Array = npt.NDArray[np.generic]


def resize_tomograms(config: ResizeConfig, run: Run) -> Path:
    """Write every volume that the list names, and the new list; return the list.

    Raises:
        MetadataError: If a volume is smaller than one voxel of the wanted size.
        InputFileError: If a listed file is missing or holds NaN.
    """
    tomograms = read_tomograms(config.star).select(config.tomograms)
    rows = list(tomograms)
    todo = [(row, field) for row in rows for field in volumes_of(row)]
    for row, field in todo:  # a missing file is found before minutes of work, not after
        open_listed(config, row, field)
    names = unique_names(rows)
    for number, (row, field) in enumerate(todo):
        target = run.folder / field / names[row.index, field]
        resize_volume(
            open_listed(config, row, field),
            row.require(field),
            target,
            pixel_size=config.pixel_size,
            is_mask=field == "mask",
        )
        run.on_event(Saved(target, "volume"))
        run.on_event(Progress("resize", number + 1, len(todo), "volume"))
        tomograms = tomograms.with_column(field, {row.index: target})
    for row in rows:
        tomograms = with_positions(tomograms, row, config.pixel_size, run)
    tomograms = tomograms.with_column("pixel_size", {row.index: config.pixel_size for row in rows})
    star = run.folder / "tomograms.star"
    write_tomograms(star, tomograms)
    run.on_event(Saved(star, "tomogram list"))
    run.on_event(
        Message(f"Brought {len(todo)} volumes of {len(rows)} tomograms to {config.pixel_size:g} Å")
    )
    return star


def volumes_of(row: TomogramRow) -> Iterator[str]:
    """Columns of a row that name a volume."""
    for field in (*DENSITIES, "mask"):
        if getattr(row, field) is not None:
            yield field


def open_listed(config: ResizeConfig, row: TomogramRow, field: str) -> Volume:
    """Open a listed volume; a mask has the sampling of its row whatever its header says."""
    source = "metadata" if field == "mask" else config.pixel_size_from
    volume = open_volume(row.require(field), pixel_size=row.pixel_size, pixel_size_from=source)
    for side in volume.shape:
        rescaled_side(side, volume.pixel_size, config.pixel_size)
    return volume


def unique_names(rows: list[TomogramRow]) -> dict[tuple[int, str], str]:
    """A file name for each volume, with the row's index where two of a column would share one."""
    stems = {
        (row.index, field): getattr(row, field).name.split(".")[0]
        for row in rows
        for field in volumes_of(row)
    }
    names = {}
    for (index, field), stem in stems.items():
        same = [key for key, other in stems.items() if key[1] == field and other == stem]
        names[index, field] = f"{stem}_{index}.mrc" if len(same) > 1 else f"{stem}.mrc"
    return names


def resize_volume(
    volume: Volume, source: Path, target: Path, *, pixel_size: float, is_mask: bool = False
) -> None:
    """Write a volume at another pixel size; voxel (0, 0, 0) and the origin stay where they are.

    Args:
        volume: What to rescale, usually a memory map.
        source: Its file, for errors.
        target: MRC file to write.
        pixel_size: The wanted one, in Å.
        is_mask: Values are kept from 0 to 1; those of a mask of 0 and 1 are rounded to either.
    """
    if not is_mask:
        check_values(source, volume.array)
    matrices = [
        rescaling_matrix(side, pixel_size=volume.pixel_size, new_pixel_size=pixel_size)
        for side in volume.shape
    ]
    z, y, x = (len(matrix) for matrix in matrices)
    is_binary = is_mask and holds_only_zero_and_one(volume.array)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".resize-") as folder:
        scratch = Path(folder) / "rescaled_along_y_and_x.mrc"
        with new_volume(scratch, shape=(volume.shape[0], y, x), pixel_size=pixel_size) as rescaled:
            for part in blocks(volume.shape[0], volume.shape[1] * volume.shape[2]):
                planes = torch.from_numpy(np.array(volume.array[part], np.float32))
                planes = rescale_axis(rescale_axis(planes, 1, matrices[1]), 2, matrices[2])
                rescaled[part] = planes.numpy()
        stored = open_volume(scratch).array
        with new_volume(
            target,
            shape=(z, y, x),
            pixel_size=pixel_size,
            origin_xyz=volume.origin_xyz,
            dtype=np.int8 if is_binary else np.float32,
        ) as result:
            for part in blocks(y, max(z, volume.shape[0]) * x):
                columns = torch.from_numpy(np.array(stored[:, part], np.float32))
                values = rescale_axis(columns, 0, matrices[0]).numpy()
                if is_mask:
                    values = (values > 0.5) if is_binary else values.clip(0.0, 1.0)
                result[:, part] = values


def blocks(num: int, voxels_each: int) -> Iterator[slice]:
    """Slices along an axis whose planes of `voxels_each` fill a block of float32."""
    step = max(1, BLOCK_BYTES // (4 * voxels_each))
    for start in range(0, num, step):
        yield slice(start, min(num, start + step))


def holds_only_zero_and_one(array: Array) -> bool:
    """Whether a mask is hard; read block by block."""
    parts = blocks(array.shape[0], math.prod(array.shape[1:]))
    return all(bool(np.isin(array[part], (0, 1)).all()) for part in parts)


def with_positions(
    tomograms: TomogramList, row: TomogramRow, pixel_size: float, run: Run
) -> TomogramList:
    """The list with positions in the new voxels; what cannot be converted is taken out and told."""
    if row.mask_boundary is not None:
        text = (
            f"{row.where}: {row.mask_boundary} counts in old voxels and is left out; draw it anew"
        )
        run.on_event(Message(text, "warning"))
        tomograms = tomograms.with_column("mask_boundary", {row.index: None})
    if row.picks is None or row.picks.suffix.lower() in PICKS_IN_ANGSTROM:
        return tomograms
    picks = read_box_file(row.require("picks"), pixel_size=row.pixel_size)
    target = run.folder / "picks" / f"{row.picks.stem}_{row.index}{row.picks.suffix}"
    write_box_file(target, picks, pixel_size=pixel_size)
    run.on_event(Saved(target, "picks"))
    return tomograms.with_column("picks", {row.index: target})
