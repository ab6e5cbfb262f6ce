"""Image stacks without a table of particles: every image of them, in their order."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError, InputFileError
from icelens.core.io.mrc import SUFFIXES, read_mrc_stack_header
from icelens.core.io.volume_header import PixelSizeFrom, resolve_pixel_size


def is_bare_stack(path: Path) -> bool:
    """Whether a name is that of images rather than that of a table of particles."""
    return path.name.lower().removesuffix(".gz").endswith(SUFFIXES)


def read_bare_stacks(
    paths: Path | Sequence[Path],
    *,
    pixel_size: float | None = None,
    pixel_size_from: PixelSizeFrom = "error",
) -> Particles:
    """All images of stacks, one after the other: no CTF, no poses; a group for each box and pixel.

    Args:
        paths: Stacks in MRC format.
        pixel_size: In Å/px; needed if a header has none.
        pixel_size_from: Who is right if header and `pixel_size` differ by more than 1 %.

    Raises:
        InputFileError: If a stack is missing or damaged.
        MetadataError: If a pixel size is unknown or contradictory.
        GeometryError: If images are not square.
    """
    stacks = (paths,) if isinstance(paths, Path) else tuple(paths)
    counts, groups, index = [], list[OpticsGroup](), []
    for path in stacks:
        count, group = _described(path, pixel_size, pixel_size_from)
        if group not in groups:
            groups.append(group)
        counts.append(count)
        index.append(groups.index(group))
    return Particles(
        stacks,
        np.repeat(np.arange(len(stacks)), counts),
        np.concatenate([np.arange(count) for count in counts]),
        tuple(groups),
        np.repeat(index, counts),
        has_poses=False,
    )


def _described(
    path: Path, pixel_size: float | None, pixel_size_from: PixelSizeFrom
) -> tuple[int, OpticsGroup]:
    """Images of a stack and their grid; a transfer function that is 1 everywhere."""
    if not path.is_file():
        found = "a broken symbolic link" if path.is_symlink() else "no such stack of images"
        raise InputFileError(f"{path}: {found}; check the path and the working directory")
    header = read_mrc_stack_header(path)
    count, y, x = header.shape
    if y != x:
        raise GeometryError(
            f"{path}: images of {x} x {y} px, expected square ones; extract square boxes"
        )
    size = resolve_pixel_size(path, header.pixel_size, pixel_size, pixel_size_from)
    group = OpticsGroup("images", size, x, spherical_aberration=0.0, amplitude_contrast=1.0)
    return count, group
