"""Bring a map to a cubic box of another side and pixel size; its centre voxel stays the centre."""

from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import MetadataError
from icelens.core.fourier.resample import centred_resampling
from icelens.core.fourier.rescale import rescale_axis

# Pixel sizes of headers and tables are written with few digits.
_SAME = 1e-4


def to_box(
    volume: Float[Tensor, "z y x"], *, pixel_size: float, box_size: int, new_pixel_size: float
) -> Float[Tensor, "{box_size} {box_size} {box_size}"]:
    """Sample a map on another grid: voxel `n // 2` goes to voxel `box_size // 2`.

    The map is the Fourier series of its box without the frequencies beyond either Nyquist
    frequency, hence values between voxels are exact and nothing folds back. What lies outside the
    old box is 0.

    Args:
        volume: Density, of any three sides.
        pixel_size: Of the volume, in Å.
        box_size: Side of the result in voxels.
        new_pixel_size: Of the result, in Å.

    Raises:
        MetadataError: If a pixel size is not positive, or the box is empty.
    """
    if not (pixel_size > 0 and new_pixel_size > 0 and box_size > 0):
        raise MetadataError(
            f"cannot bring a map of {pixel_size:g} Å/px to {box_size} voxels of "
            f"{new_pixel_size:g} Å; all must be positive"
        )
    step = new_pixel_size / pixel_size
    if abs(step - 1.0) < _SAME:
        step = 1.0
        if volume.shape == (box_size,) * 3:
            return volume
    for dim, side in enumerate(volume.shape):
        matrix = centred_resampling(side, box_size, pixel_size=1.0, new_pixel_size=step)
        volume = rescale_axis(volume, dim, matrix)
    return volume.contiguous()
