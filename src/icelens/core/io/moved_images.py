"""Tables of particles whose images were written anew: other stacks, sampling, phases; no else."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.io.cryosparc_records import SHIFT, SHIFT_PIXEL_SIZE, field_names, with_fields
from icelens.core.io.image_columns import IMAGE_NAME, blocks_of_images, has, numbers
from icelens.core.io.relion_optics import DETECTOR, PHASE_FLIPPED, PIXEL_SIZE

if TYPE_CHECKING:
    import pandas

Floats = npt.NDArray[np.float64]

_IMAGE_SIZE = "rlnImageSize"
_BINNING = "rlnTomoSubtomogramBinning"
# Counted in pixels of the images; their kin whose names end in Angst stay.
_IN_PIXELS = ("rlnOriginX", "rlnOriginY", "rlnOriginXPrior", "rlnOriginYPrior")


def with_moved_images(file: ParticleFile, moved: Particles) -> ParticleFile:
    """The file's tables, saying where its images lie now, how they are sampled and if flipped.

    Shifts and all else keep their meaning: Å stay as they are, pixels are counted anew.

    Args:
        file: As it was read.
        moved: Its particles with other stacks and places in them, and with optics groups of another
            box, pixel size or `is_phase_flipped`; rows and groups in the same order.
    """
    if file.records is not None:
        return replace(file, particles=moved, records=_records(file, moved))
    name, table = blocks_of_images(file.path, file.blocks)
    blocks = dict(file.blocks)
    new = _row_columns(file, moved, table)
    if "optics" in blocks and len(blocks["optics"]):
        blocks["optics"] = _optics(file, moved, blocks["optics"])
    else:
        new |= _sampling_of_rows(file, moved, table)
    blocks[name] = table.assign(**new)
    return replace(file, particles=moved, blocks=blocks)


def _scale(file: ParticleFile, moved: Particles) -> Floats:
    """New over old pixel size of each row of the table; 1 for rows without an image."""
    rows = len(file.records) if file.records is not None else _num_rows(file)
    scale = np.ones(rows)
    scale[file.table_row] = moved.pixel_size() / file.particles.pixel_size()
    return scale


def _num_rows(file: ParticleFile) -> int:
    return len(blocks_of_images(file.path, file.blocks)[1])


def _row_columns(
    file: ParticleFile, moved: Particles, table: "pandas.DataFrame"
) -> dict[str, npt.NDArray[Any]]:
    names = table[IMAGE_NAME].astype(str).to_numpy(object)
    stacks = [path.name for path in moved.stacks]
    if file.tomograms is not None:
        # found from any folder; the writer makes them relative
        stacks = [path.absolute().as_posix() for path in moved.stacks]
    for row, stack, place in zip(
        file.table_row.tolist(), moved.stack.tolist(), moved.slice_index.tolist(), strict=True
    ):
        number = "" if file.tomograms is not None else f"{place + 1:06d}@"
        names[row] = number + stacks[stack]
    scale = _scale(file, moved)
    new: dict[str, npt.NDArray[Any]] = {IMAGE_NAME: names}
    if (scale != 1.0).any():
        found = [column for column in _IN_PIXELS if column in table.columns]
        new |= {column: numbers(file.path, table, column, 0.0) / scale for column in found}
    return new


def _optics(file: ParticleFile, moved: Particles, optics: "pandas.DataFrame") -> "pandas.DataFrame":
    """The table of groups; those without images keep what they say."""
    old = file.particles.optics
    is_used = np.isin(np.arange(len(old)), moved.optics_index)
    pairs = [
        (before, after if used else before)
        for before, after, used in zip(old, moved.optics, is_used, strict=True)
    ]
    new: dict[str, Any] = {}
    if any(before.pixel_size != after.pixel_size for before, after in pairs):
        new[PIXEL_SIZE] = [after.pixel_size for _, after in pairs]
        new[_IMAGE_SIZE] = [after.box_size for _, after in pairs]
        if has(optics, _BINNING):
            scale = np.asarray([after.pixel_size / before.pixel_size for before, after in pairs])
            new[_BINNING] = numbers(file.path, optics, _BINNING, 1.0) * scale
    if any(before.is_phase_flipped != after.is_phase_flipped for before, after in pairs):
        new[PHASE_FLIPPED] = [int(after.is_phase_flipped) for _, after in pairs]
    return optics.assign(**new)


def _sampling_of_rows(
    file: ParticleFile, moved: Particles, table: "pandas.DataFrame"
) -> dict[str, npt.NDArray[Any]]:
    """Columns that say the pixel size of each row, as RELION 3.0 has them."""
    new: dict[str, npt.NDArray[Any]] = {}
    scale = _scale(file, moved)
    if (scale != 1.0).any():
        if has(table, PIXEL_SIZE):
            new[PIXEL_SIZE] = numbers(file.path, table, PIXEL_SIZE, 0.0) * scale
        elif has(table, DETECTOR[1]):
            new[DETECTOR[1]] = numbers(file.path, table, DETECTOR[1], 0.0) / scale
        else:
            new[DETECTOR[0]] = numbers(file.path, table, DETECTOR[0], 0.0) * scale
    flipped = np.asarray([group.is_phase_flipped for group in moved.optics])[moved.optics_index]
    if flipped.any() or has(table, PHASE_FLIPPED):
        marks = np.zeros(len(table), np.int64)
        marks[file.table_row] = flipped
        new[PHASE_FLIPPED] = marks
    return new


def _records(file: ParticleFile, moved: Particles) -> npt.NDArray[Any]:
    """Records of cryoSPARC; shifts count in pixels of their own, or in those of the images."""
    assert file.records is not None
    records, rows = file.records, file.table_row
    names = [path.name.encode() for path in moved.stacks]
    paths = records["blob/path"].astype(object)
    paths[rows] = [names[stack] for stack in moved.stack.tolist()]
    index, shape, size = (
        records[name].copy() for name in ("blob/idx", "blob/shape", "blob/psize_A")
    )
    index[rows] = moved.slice_index
    shape.reshape(len(records), -1)[rows] = moved.box_size()[:, None]
    size[rows] = moved.pixel_size()
    new = {
        "blob/path": paths.astype("S"),
        "blob/idx": index,
        "blob/shape": shape,
        "blob/psize_A": size,
    }
    if SHIFT in field_names(records) and SHIFT_PIXEL_SIZE not in field_names(records):
        shift = records[SHIFT].astype(np.float64) / _scale(file, moved)[:, None]
        new[SHIFT] = shift.astype(records[SHIFT].dtype)
    return with_fields(records, new)
