"""Which picks lie inside their tomogram, and what it means if many do not."""

import numpy as np

from icelens.core.data.picks import Picks
from icelens.core.errors import GeometryError

TOLERATED_OUTSIDE = 0.01
"""Share of picks that may lie outside; more means that units, axes or tomogram are wrong."""
_FEW = 8
"""Fewer picks than this may huddle in a corner by chance."""


def picks_inside(
    picks: Picks, *, shape: tuple[int, int, int], pixel_size: float, name: str
) -> Picks:
    """The picks whose centre lies in the volume, half a voxel of its border included.

    Args:
        picks: Of one tomogram.
        shape: Voxels (z, y, x) of the tomogram.
        pixel_size: Its sampling in Å.
        name: What the picks are, for the message.

    Raises:
        GeometryError: If more than 1 % (and more than one) lie outside, or all lie so near the
            first voxel that they must be counted in voxels instead of Å.
    """
    position_px = picks.position_zyx / pixel_size
    sides = np.array(shape)
    is_inside = ((position_px >= -0.5) & (position_px <= sides - 0.5)).all(axis=1)
    num_outside = len(picks) - int(is_inside.sum())
    if num_outside > 1 and num_outside > TOLERATED_OUTSIDE * len(picks):
        worst = picks.position_zyx[int(np.argmax(~is_inside))]
        extent = ", ".join(f"{side * pixel_size:g}" for side in shape)
        raise GeometryError(
            f"{name}: {num_outside} of {len(picks)} picks lie outside the tomogram, such as "
            f"(z, y, x) = ({', '.join(f'{value:g}' for value in worst)}) Å of ({extent}) Å; check "
            "units, axes and voxel size"
        )
    # The far plane may be any, but a slab's thickness alone is reached by chance.
    looks_like_voxels = pixel_size > 2 and (position_px * pixel_size < sides).all()
    if len(picks) >= _FEW and looks_like_voxels:
        raise GeometryError(
            f"{name}: all {len(picks)} positions are below ({', '.join(map(str, shape))}), which "
            f"are the tomogram's voxels, while it measures {pixel_size:g} Å a voxel; positions "
            "are in Å: multiply them by the voxel size"
        )
    return picks.select(is_inside)
