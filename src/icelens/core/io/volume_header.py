"""What a density file says about itself, and which pixel size to believe."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from icelens.core.errors import MetadataError

PixelSizeFrom = Literal["error", "metadata", "header"]

# Rounding in headers is far below this; a real mistake (binning, Å against nm) is far above.
CONTRADICTION = 0.01
ANISOTROPY = 1e-3


@dataclass(frozen=True)
class VolumeHeader:
    """Shape, sampling and storage of a density file, read without its values.

    `shape` is `(z, y, x)`; `pixel_size` is in Å/px and None where the file does not know it;
    `origin_xyz` is in Å; `dtype` is how values are stored; `format` is `mrc`, `tiff` or `ome-zarr`.
    """

    shape: tuple[int, int, int]
    pixel_size: float | None
    origin_xyz: tuple[float, float, float]
    dtype: np.dtype[np.generic]
    format: str


def isotropic_pixel_size(path: Path, voxel_xyz: Sequence[float]) -> float | None:
    """One pixel size in Å from a voxel's three sides, or None where the file does not know it.

    0 and 1 count as unknown: they are what programs write that were never told.

    Raises:
        MetadataError: If the sides differ by more than 0.1 %, or are not numbers.
    """
    if not all(math.isfinite(side) for side in voxel_xyz):
        raise MetadataError(
            f"{path}: the header's pixel size is not a number ({_sides(voxel_xyz)}); "
            "repair the header or convert the file again"
        )
    if min(voxel_xyz) <= 0 or all(side == 1.0 for side in voxel_xyz):
        return None
    if max(voxel_xyz) > min(voxel_xyz) * (1.0 + ANISOTROPY):
        raise MetadataError(
            f"{path}: voxels are {_sides(voxel_xyz)} Å (x, y, z), expected cubes; "
            "resample the volume or correct its header"
        )
    # Headers hold cell sides as float32: seven digits are all they mean.
    return float(f"{np.mean(voxel_xyz):.7g}")


def resolve_pixel_size(
    path: Path,
    in_header: float | None,
    given: float | None,
    pixel_size_from: PixelSizeFrom = "error",
) -> float:
    """The pixel size to use, in Å, from the header's and the user's word.

    Args:
        path: Named in errors.
        in_header: What the file says, None if it does not know.
        given: What the user or the STAR file says, None if nothing.
        pixel_size_from: Who is right if both speak and differ by more than 1 %.

    Raises:
        MetadataError: If nobody knows, or both know and contradict each other.
    """
    if given is not None and not (math.isfinite(given) and given > 0):
        raise MetadataError(f"{path}: pixel size must be positive, got {given}; give --pixel-size")
    if in_header is None:
        if given is None:
            raise MetadataError(
                f"{path}: the header does not know the pixel size (0, 1 or absent); "
                "give it in Å with --pixel-size"
            )
        return given
    if given is None or pixel_size_from == "header":
        return in_header
    if abs(in_header - given) > CONTRADICTION * given and pixel_size_from == "error":
        raise MetadataError(
            f"{path}: the header says {in_header:.4g} Å/px but the metadata say {given:.4g} Å/px; "
            "decide with --pixel-size-from header or --pixel-size-from metadata"
        )
    return given


def _sides(voxel_xyz: Sequence[float]) -> str:
    return " x ".join(f"{side:.5g}" for side in voxel_xyz)
