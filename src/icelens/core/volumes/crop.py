"""Cut boxes around particles out of a tomogram, at positions between voxels too."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from icelens.core.errors import GeometryError

Floats = npt.NDArray[np.floating]
AnyArray = npt.NDArray[np.generic]
Box = npt.NDArray[np.float32]

# Voxels read beyond each face for a shift between voxels: what a Fourier shift brings round from
# the opposite face fades within them. Further out the sinc's tail is below a percent.
_MARGIN = 8
# Smaller offsets than this move nothing that float32 could hold.
_NO_OFFSET = 1e-4


def whole_and_offset(
    centre_zyx_px: Sequence[float] | npt.NDArray[np.float64],
) -> tuple[tuple[int, int, int], npt.NDArray[np.float64]]:
    """The nearest voxel `(z, y, x)` and what remains, from -0.5 up to 0.5 of a voxel."""
    centre = np.asarray(centre_zyx_px, np.float64)
    whole = np.floor(centre + 0.5)
    z, y, x = whole.astype(int).tolist()
    return (z, y, x), centre - whole


def outside_fraction(
    shape: tuple[int, int, int], centre_zyx_px: npt.NDArray[np.float64], box_size: int
) -> float:
    """Share of a box's voxels that lie outside a volume of this shape."""
    whole, _ = whole_and_offset(centre_zyx_px)
    inside = 1
    for side, middle in zip(shape, whole, strict=True):
        start = middle - box_size // 2
        inside *= max(0, min(side, start + box_size) - max(0, start))
    return 1.0 - inside / box_size**3


def cut_subtomogram(
    array: AnyArray,
    centre_zyx_px: Sequence[float] | npt.NDArray[np.float64],
    box_size: int,
    *,
    between_voxels: bool = True,
) -> Box:
    """Cut a cubic box whose voxel `box_size // 2` on each axis lies at `centre_zyx_px`.

    A centre on a voxel is plain slicing. Between voxels the box, with a margin, is shifted by the
    phase ramp of the remaining part of a voxel, which keeps all frequencies. What lies outside the
    volume becomes the mean of the box's voxels inside.

    Args:
        array: Volume `(z, y, x)`, perhaps a memory map: only the box is read.
        centre_zyx_px: Place in voxels from the centre of voxel (0, 0, 0).
        box_size: Side of the box in voxels.
        between_voxels: Shift by parts of a voxel; otherwise the nearest voxel is the centre.

    Raises:
        GeometryError: If the box lies outside the volume, or is empty.
    """
    if box_size < 1:
        raise GeometryError(f"a box of {box_size} voxels; expected at least 1")
    whole, offset = whole_and_offset(centre_zyx_px)
    is_shifted = between_voxels and bool((np.abs(offset) > _NO_OFFSET).any())
    margin = _MARGIN if is_shifted else 0
    starts = [middle - box_size // 2 - margin for middle in whole]
    cut = _padded(array, starts, box_size + 2 * margin)
    if not is_shifted:
        return cut
    kept = slice(margin, margin + box_size)
    return np.ascontiguousarray(_shifted(cut, -offset)[kept, kept, kept])


def standardised_outside_sphere(box: Box, radius_px: float) -> Box:
    """Mean 0 and standard deviation 1 in the voxels further than `radius_px` from the centre.

    A constant background only loses its mean.

    References:
        RELION, `relion_preprocess --norm`: statistics of the background alone.
    """
    axes = [np.arange(side) - side // 2 for side in box.shape]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    background = box[z**2 + y**2 + x**2 > radius_px**2].astype(np.float64)
    spread = float(background.std()) or 1.0
    scaled: Box = ((box - background.mean()) / spread).astype(np.float32)
    return scaled


def _padded(array: AnyArray, starts: Sequence[int], size: int) -> Box:
    """The box that begins at `starts`; the mean of what is inside stands for what is not."""
    spans = [
        (max(0, start), min(side, start + size))
        for start, side in zip(starts, array.shape, strict=True)
    ]
    if any(stop <= start for start, stop in spans):
        raise GeometryError(
            f"a box of {size} voxels from {tuple(starts)} lies outside a volume of "
            f"{array.shape}; expected a centre inside"
        )
    source = tuple(slice(*span) for span in spans)
    inside = np.asarray(array[source], np.float32)
    if inside.shape == (size,) * 3:
        return inside.copy()
    box = np.full((size,) * 3, inside.mean(dtype=np.float64), np.float32)
    target = tuple(slice(b - s, e - s) for s, (b, e) in zip(starts, spans, strict=True))
    box[target] = inside
    return box


def _shifted(box: Box, shift_zyx_px: npt.NDArray[np.float64]) -> Floats:
    """Move the content by parts of a voxel, periodically, axis by axis in Fourier space."""
    moved: Floats = box
    for axis, shift in enumerate(shift_zyx_px.tolist()):
        size = moved.shape[axis]
        ramp = np.exp(-2j * math.pi * np.fft.rfftfreq(size) * shift)
        shape = [1, 1, 1]
        shape[axis] = -1
        spectrum = np.fft.rfft(moved, axis=axis) * ramp.reshape(shape)
        moved = np.fft.irfft(spectrum, n=size, axis=axis)
    return moved.astype(np.float32)
