"""Mask what holds protein: dense and uneven regions of a tomogram, found at half its resolution.

Everything but reading and writing happens on the volume binned by two, an eighth of the voxels, so
that memory stays below three bytes per voxel of the tomogram.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from icelens.core.data.tomograms import TomogramRow
from icelens.core.errors import GeometryError, InputFileError
from icelens.core.events import OnEvent, Progress, ignore
from icelens.core.io.slabs import check_values, release_pages
from icelens.core.io.volume_header import PixelSizeFrom
from icelens.core.io.volumes import new_volume, open_volume
from icelens.tasks.restore.boundary import Boundary

Array = npt.NDArray[np.float32]
BINNING = 2
KEEP_ALL = 99.8
"""Percentages above this keep everything, as in IsoNet2."""
BAND_VOXELS = 1 << 23
"""Voxels read at once: 32 MiB as float32."""
_BY_PREFERENCE = ("denoised", "deconvolved", "full")


@dataclass(frozen=True)
class MaskSettings:
    """What to keep.

    `patch_size` is the half window in binned voxels, `density_percentage` and `std_percentage`
    the share of voxels kept by rank of density and of local standard deviation, `z_crop` the part
    of the thickness that is dropped, half at either face.
    """

    patch_size: int = 4
    density_percentage: float = 50.0
    std_percentage: float = 50.0
    z_crop: float = 0.2


@dataclass(frozen=True)
class DensitySource:
    """Planes of a density, or of the mean of two halves, as float32 with density positive."""

    paths: tuple[Path, ...]
    shape: tuple[int, int, int]
    pixel_size: float
    origin_xyz: tuple[float, float, float]
    read: Callable[[slice], Array]


def open_source(
    row: TomogramRow,
    input_column: str = "auto",
    *,
    contrast: str = "dark",
    pixel_size_from: PixelSizeFrom = "error",
) -> DensitySource:
    """Open what a mask is best made from: denoised, else deconvolved, else full, else both halves.

    Args:
        row: The tomogram.
        input_column: `auto`, `halves`, or a column in house words.
        contrast: How protein looks in the file, `dark` or `light`.
        pixel_size_from: Who is right if the header contradicts the list.

    Raises:
        MetadataError: If the row has no such file or pixel sizes contradict each other.
        InputFileError: If a file is missing or damaged.
        GeometryError: If the halves differ in shape.
    """
    columns: tuple[str, ...] = (input_column,)
    if input_column == "auto":
        present = [column for column in _BY_PREFERENCE if getattr(row, column) is not None]
        columns = (present[0],) if present else ("even", "odd")
    elif input_column == "halves":
        columns = ("even", "odd")
    paths = tuple(row.require(column) for column in columns)
    volumes = [
        open_volume(path, pixel_size=row.pixel_size, pixel_size_from=pixel_size_from)
        for path in paths
    ]
    first = volumes[0]
    if any(volume.shape != first.shape for volume in volumes):
        raise GeometryError(
            f"{row.where}: the halves have (z, y, x) = {first.shape} and {volumes[-1].shape}; "
            f"reconstruct both on the same grid ({paths[0]}, {paths[-1]})"
        )
    for path, volume in zip(paths, volumes, strict=True):
        if len(volumes) > 1:  # the mean of a failed half and a good one looks like a density
            check_values(path, volume.array)
    scale = np.float32((-1.0 if contrast == "dark" else 1.0) / len(volumes))

    def read(part: slice) -> Array:
        planes = volumes[0].array[part].astype(np.float32)
        for volume in volumes[1:]:
            planes += np.asarray(volume.array[part], np.float32)
        for volume in volumes:
            release_pages(volume.array)
        planes *= scale
        return planes

    return DensitySource(paths, first.shape, first.pixel_size, first.origin_xyz, read)


def binned(source: DensitySource, on_event: OnEvent = ignore, stage: str = "bin") -> Array:
    """Means of blocks of 2 x 2 x 2 voxels, read band by band; an odd last plane stands alone.

    Raises:
        InputFileError: If a voxel is not finite, or all are equal.
    """
    num_z, num_y, num_x = source.shape
    half = [-(-size // BINNING) for size in source.shape]
    result = np.empty(half, np.float32)
    band = max(BINNING, BAND_VOXELS // (num_y * num_x) // BINNING * BINNING)
    for start in range(0, num_z, band):
        stop = min(start + band, num_z)
        planes = source.read(slice(start, stop))
        odd = [(0, size % BINNING) for size in planes.shape]
        padded = np.pad(planes, odd, mode="edge") if any(end for _, end in odd) else planes
        pairs = padded[0::2] + padded[1::2]
        pairs = pairs[:, 0::2] + pairs[:, 1::2]
        result[start // BINNING : -(-stop // BINNING)] = (pairs[..., 0::2] + pairs[..., 1::2]) / 8
        on_event(Progress(stage, stop, num_z, "plane"))
    names = ", ".join(str(path) for path in source.paths)
    if not np.isfinite(result).all():
        z, y, x = (int(i) * BINNING for i in np.argwhere(~np.isfinite(result))[0])
        raise InputFileError(
            f"{names}: NaN or infinite near voxel (z, y, x) = ({z}, {y}, {x}); "
            "repair the volume or reconstruct it again"
        )
    if result.min() == result.max():
        raise InputFileError(
            f"{names}: every voxel is {abs(float(result.flat[0])):g}, expected a density; "
            "is this the right file?"
        )
    return result


def protein_regions(density: Array, settings: MaskSettings) -> npt.NDArray[np.bool_]:
    """Voxels of a binned density (protein positive) that rank high in density and unevenness.

    The density is blurred by a Gaussian of half the patch size. Its maximum over a window of
    `2 patch_size + 1` voxels, and its standard deviation over the same window, are ranked over the
    whole volume.

    References:
        Liu et al., IsoNet, Nat. Commun. 13 (2022), Methods, "mask generation".
    """
    window = 2 * settings.patch_size + 1
    # The mean is taken off first, so that the square of an offset does not drown the variance.
    centred = density - np.float32(density.mean(dtype=np.float64))
    smooth = ndimage.gaussian_filter(centred, settings.patch_size / 2)
    keep = np.ones(density.shape, bool)
    if settings.density_percentage <= KEEP_ALL:
        highest = ndimage.maximum_filter(smooth, window)
        keep &= _top(highest, settings.density_percentage)
    if settings.std_percentage <= KEEP_ALL:
        mean = ndimage.uniform_filter(smooth, window)
        np.square(smooth, out=smooth)
        variance = ndimage.uniform_filter(smooth, window)
        variance -= np.square(mean, out=mean)
        keep &= _top(variance, settings.std_percentage)
    return keep


def write_mask(
    path: Path,
    source: DensitySource,
    settings: MaskSettings,
    *,
    boundary: Boundary | None = None,
    on_event: OnEvent = ignore,
) -> float:
    """Write the mask of a tomogram, 1 where protein may be and 0 elsewhere, as int8.

    Args:
        path: Of the mask, an MRC file.
        source: The tomogram.
        settings: What to keep.
        boundary: Polygons to stay inside.
        on_event: Told of progress.

    Returns:
        The fraction of voxels that are kept.

    Raises:
        GeometryError: If nothing is kept; no file is written then.
        InputFileError: If the tomogram is constant or not finite.
    """
    keep = protein_regions(binned(source, on_event, f"mask {path.stem}"), settings)
    num_z, num_y, num_x = source.shape
    cropped = int(num_z * settings.z_crop / 2)
    kept = 0
    with new_volume(
        path,
        shape=source.shape,
        pixel_size=source.pixel_size,
        origin_xyz=source.origin_xyz,
        dtype=np.int8,
    ) as mask:
        for z in range(cropped, num_z - cropped):
            plane = keep[z // BINNING].repeat(BINNING, 0).repeat(BINNING, 1)[:num_y, :num_x]
            if boundary is not None:
                plane = plane & boundary.plane(z, (num_y, num_x))
            kept += int(np.count_nonzero(plane))
            mask[z] = plane
        if not kept:
            raise GeometryError(
                f"{path}: the mask would exclude everything; raise --density-percentage or "
                "--std-percentage, lower --z-crop, or check the polygon in rlnMaskBoundary"
            )
    return kept / (num_z * num_y * num_x)


def _top(values: Array, percentage: float) -> npt.NDArray[np.bool_]:
    """The voxels above the percentile that leaves this percentage, in one spare copy."""
    threshold = np.percentile(values, 100.0 - percentage)
    above: npt.NDArray[np.bool_] = values > threshold
    return above
