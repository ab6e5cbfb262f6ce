"""One box and one pixel size, where an algorithm needs all images to share them."""

import numpy as np

from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError

# Pixel sizes calibrated twice differ by more; digits lost on the way by less.
_SAME_PIXEL_SIZE = 1e-4


def one_box(particles: Particles) -> int:
    """The side in px that all images share.

    Raises:
        GeometryError: If there are several, or no image at all.
    """
    boxes, counts = np.unique(particles.box_size(), return_counts=True)
    if len(boxes) == 0:
        raise GeometryError("particles: there is no image, expected one or more")
    if len(boxes) > 1:
        found = ", ".join(f"{box} px ({n} images)" for box, n in zip(boxes, counts, strict=True))
        raise GeometryError(
            f"particles: boxes of {found}, expected one size; run them apart or extract them again"
        )
    return int(boxes[0])


def one_pixel_size(particles: Particles) -> float:
    """The Å/px that all images share.

    Raises:
        GeometryError: If they differ by more than 0.01 %, or there is no image at all.
    """
    sizes = np.unique(particles.pixel_size())
    if len(sizes) == 0:
        raise GeometryError("particles: there is no image, expected one or more")
    if sizes[-1] > sizes[0] * (1.0 + _SAME_PIXEL_SIZE):
        found = ", ".join(f"{size:g}" for size in sizes)
        raise GeometryError(
            f"particles: pixel sizes of {found} Å, expected one; run them apart or extract them "
            "again"
        )
    return float(sizes[0])
