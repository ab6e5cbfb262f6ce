"""Open the maps that a tool compares or filters, and refuse those that cannot mean anything."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, InputFileError
from icelens.core.io.slabs import check_values
from icelens.core.io.volume_header import CONTRADICTION, PixelSizeFrom
from icelens.core.io.volumes import open_volume


def open_map(path: Path, pixel_size: float | None, pixel_size_from: PixelSizeFrom) -> Volume:
    """Open a map whose values are finite and not all the same.

    Raises:
        InputFileError: If the file is not such a map.
        MetadataError: If its pixel size is unknown or contradictory.
    """
    volume = open_volume(path, pixel_size=pixel_size, pixel_size_from=pixel_size_from)
    check_values(path, volume.array)
    return volume


def check_same_grid(path_1: Path, map_1: Volume, path_2: Path, map_2: Volume) -> None:
    """Refuse two maps that are not on one grid.

    Raises:
        GeometryError: If shapes differ, or pixel sizes by more than 1 %.
    """
    if map_1.shape != map_2.shape:
        raise GeometryError(
            f"{path_2}: (z, y, x) = {map_2.shape}, expected {map_1.shape} as {path_1}; "
            "crop or resample one of them"
        )
    if abs(map_1.pixel_size - map_2.pixel_size) > CONTRADICTION * map_1.pixel_size:
        raise GeometryError(
            f"{path_2}: {map_2.pixel_size:g} Å/px, expected {map_1.pixel_size:g} Å/px as {path_1}; "
            "resample one, or give --pixel-size and --pixel-size-from metadata if a header is wrong"
        )


def open_mask(path: Path, shape: tuple[int, int, int]) -> Float[Tensor, "z y x"]:
    """Read a soft mask on a given grid; its pixel size is not asked.

    Raises:
        GeometryError: If it is on another grid.
        InputFileError: If it keeps nothing, or its values are not finite or not from 0 to 1.
    """
    mask = open_volume(path, pixel_size=1.0, pixel_size_from="metadata")
    if mask.shape != shape:
        raise GeometryError(
            f"{path}: the mask has (z, y, x) = {mask.shape}, the map {shape}; "
            "make it on the map's grid"
        )
    values = as_tensor(mask)
    low, high = float(values.min()), float(values.max())
    # Interpolated masks overshoot a little.
    if not (low >= -0.1 and high <= 1.1):
        raise InputFileError(
            f"{path}: values from {low:g} to {high:g}, expected a mask from 0 (drop) to 1 (keep)"
        )
    if high <= 0:
        raise InputFileError(f"{path}: the mask is 0 everywhere and keeps nothing; make it again")
    return values.clamp(0.0, 1.0)


def as_tensor(volume: Volume) -> Float[Tensor, "z y x"]:
    """The values as float32 in memory, in the byte order of the machine."""
    return torch.from_numpy(np.array(volume.array, np.float32))
