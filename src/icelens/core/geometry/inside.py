"""Whether positions lie in their volume, and whether they are in Å at all."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from icelens.core.errors import MetadataError

OUTSIDE_ALLOWED = 0.01
"""Share of picks that may lie outside, as a few at the border do; more is a mistake of units."""

_FEWEST_TO_JUDGE = 5
# Below this a volume in voxels is no small corner of the volume in Å.
_CLEAR_PIXEL_SIZE = 3.0
_SHOWN = 5


def is_inside(
    position_zyx: npt.NDArray[np.float64], *, shape: tuple[int, int, int], pixel_size: float
) -> npt.NDArray[np.bool_]:
    """Which positions lie in a voxel of the volume.

    Args:
        position_zyx: (pick, 3) in Å from the centre of voxel (0, 0, 0).
        shape: Voxels (z, y, x).
        pixel_size: In Å.
    """
    voxel = np.asarray(position_zyx) / pixel_size
    is_within = (voxel >= -0.5) & (voxel < np.array(shape) - 0.5)
    return np.asarray(is_within.all(axis=1))


def looks_like_voxels(
    position_zyx: npt.NDArray[np.float64], *, shape: tuple[int, int, int], pixel_size: float
) -> bool:
    """Whether all of several positions in Å would fit the volume if they counted its voxels.

    Picks that are in Å spread over the volume; all of them in the corner that is as long in Å as
    the volume is in voxels is no chance where voxels are 3 Å or more.
    """
    if len(position_zyx) < _FEWEST_TO_JUDGE or pixel_size < _CLEAR_PIXEL_SIZE:
        return False
    return bool(is_inside(position_zyx, shape=shape, pixel_size=1.0).all())


def refuse_voxels(
    where: str,
    position_zyx: npt.NDArray[np.float64],
    *,
    shape: tuple[int, int, int],
    pixel_size: float,
) -> None:
    """Refuse positions that count voxels, see `looks_like_voxels`.

    Args:
        where: Whose they are, for the error.
        position_zyx: (pick, 3), which should be in Å.
        shape: Voxels (z, y, x) of the volume.
        pixel_size: In Å.

    Raises:
        MetadataError: If they do.
    """
    if looks_like_voxels(position_zyx, shape=shape, pixel_size=pixel_size):
        raise MetadataError(
            f"{where}: all {len(position_zyx)} positions lie below {shape}, the voxels of the "
            f"tomogram, while a voxel is {pixel_size:g} Å; positions are in Å, multiply them"
        )


def refuse_many_outside(where: str, num_outside: Mapping[str, int], num_picks: int) -> str:
    """A sentence on picks outside their volumes, empty if there are none.

    Args:
        where: File or project, for the error.
        num_outside: How many, by what they are of.
        num_picks: How many there are in all.

    Raises:
        MetadataError: If more than 1 % are outside.
    """
    total = sum(num_outside.values())
    if total == 0:
        return ""
    worst = sorted(num_outside, key=lambda name: -num_outside[name])
    names = ", ".join(
        f"{num_outside[name]} of {name}" for name in worst[:_SHOWN] if num_outside[name]
    )
    text = f"{where}: {total} of {num_picks} picks lie outside their tomogram ({names})"
    if total > OUTSIDE_ALLOWED * num_picks:
        raise MetadataError(
            f"{text}; more than 1 %, so check that they are in Å and of these tomograms"
        )
    return f"{text} and are left out"
