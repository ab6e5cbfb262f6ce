"""Soft-edged masks in Å: a sphere or circle about the centre, or what a density fills."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Float
from scipy import ndimage
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.fourier.filters import apply_filter, low_pass
from icelens.core.fourier.frequencies import Device, frequency_radius
from icelens.core.volumes.largest_parts import largest_part

EDGE_PX = 6.0
"""Width of an edge that is not given: narrower ones ring, wider ones reach into the solvent."""
DILATION = 8.0
"""Å that a density's mask is wider than the density: room for side chains and flexible ends."""
SMOOTHING = 15.0
"""Å to which a density is low-passed before it is thresholded, so that noise makes no holes."""
_SMALLEST_PART = 0.1
"""Pieces smaller than this share of the largest are noise in the solvent."""
_BINS = 512
_ALMOST_HIGHEST = 0.9999


def soft_edge(distance: Float[Tensor, "*grid"], width: float) -> Float[Tensor, "*grid"]:
    """1 up to distance 0, then a raised cosine that ends at `width`; a step if that is 0."""
    if width <= 0:
        return (distance <= 0).to(distance.dtype)
    return 0.5 + 0.5 * torch.cos(math.pi * (distance / width).clamp(0.0, 1.0))


def sphere_mask(
    shape: Sequence[int],
    *,
    pixel_size: float,
    radius: float,
    edge: float | None = None,
    device: Device = "cpu",
) -> Float[Tensor, "*grid"]:
    """A soft sphere in a volume, or circle in an image, about the centre `n // 2` of each axis.

    Args:
        shape: Voxels along each axis, two or three.
        pixel_size: In Å/px.
        radius: In Å, up to where all is kept.
        edge: Width in Å of the fall to 0 beyond it; `EDGE_PX` pixels if left out.
        device: Where the mask is made.

    Raises:
        GeometryError: If the radius or the edge is negative or not finite.
    """
    width = EDGE_PX * pixel_size if edge is None else edge
    if not (0.0 <= radius < math.inf and 0.0 <= width < math.inf):
        raise GeometryError(
            f"a mask of radius {radius:g} Å and edge {width:g} Å; expected both to be 0 or more"
        )
    square = torch.zeros(tuple(shape), device=device)
    for axis, side in enumerate(shape):
        steps = (torch.arange(side, device=device) - side // 2) * pixel_size
        square = square + steps.square().reshape([-1] + [1] * (len(shape) - 1 - axis))
    return soft_edge(square.sqrt() - radius, width)


def density_mask(
    volume: Float[Tensor, "z y x"],
    *,
    pixel_size: float,
    threshold: float | None = None,
    dilation: float = DILATION,
    edge: float | None = None,
    smoothing: float = SMOOTHING,
) -> Float[Tensor, "z y x"]:
    """Mask of what a density fills: low-pass, threshold, drop specks, widen, soften.

    Args:
        volume: Density, positive inside.
        pixel_size: In Å/px.
        threshold: Of the low-passed density; Otsu's within the inscribed sphere if left out.
        dilation: Å by which the mask is wider than the thresholded density.
        edge: Width in Å of the fall to 0 beyond it; `EDGE_PX` pixels if left out.
        smoothing: Å of the low-pass; what the sampling cannot hold is not filtered.

    Raises:
        GeometryError: If no voxel is above the threshold, or a width is negative.

    References:
        Otsu, IEEE Trans. Syst. Man Cybern. 9 (1979) 62, for the threshold.
    """
    width = EDGE_PX * pixel_size if edge is None else edge
    if not (dilation >= 0 and width >= 0):
        raise GeometryError(
            f"a mask widened by {dilation:g} Å with an edge of {width:g} Å; expected 0 or more"
        )
    num_z, num_y, num_x = volume.shape
    radius = frequency_radius((num_z, num_y, num_x), pixel_size=pixel_size, device=volume.device)
    smooth = apply_filter(volume, low_pass(radius, max(smoothing, 2.0 * pixel_size)))
    inside = _inscribed(volume.shape, device=volume.device)
    level = otsu_threshold(smooth[inside]) if threshold is None else threshold
    is_dense = _without_specks(((smooth > level) & inside).cpu().numpy())
    if not is_dense.any():
        raise GeometryError(
            f"no density is above {level:g} (the low-passed map reaches {float(smooth.max()):g}); "
            "lower the mask's threshold or give a mask"
        )
    distance = _distance(is_dense, pixel_size, reach=dilation + width).to(volume.device)
    return soft_edge(distance - dilation, width)


def usual_level(volume: Float[Tensor, "z y x"]) -> float:
    """A level at which maps of proteins are looked at: half of their 99.99 percentile."""
    return 0.5 * float(np.quantile(volume.cpu().numpy(), _ALMOST_HIGHEST))


def level_mask(
    volume: Float[Tensor, "z y x"],
    *,
    pixel_size: float,
    level: float,
    dilation: float,
    edge: float,
    only_largest: bool = False,
) -> Float[Tensor, "z y x"]:
    """Mask of what lies above a level, wherever it is: widen, soften; nothing is filtered.

    Args:
        volume: Density, positive inside.
        pixel_size: In Å/px.
        level: Above which voxels are inside.
        dilation: Å by which the mask is wider than they are.
        edge: Width in Å of the fall to 0 beyond it.
        only_largest: Take the largest part that hangs together alone.

    Raises:
        GeometryError: If no voxel is above the level, or a width is negative.
    """
    if not (dilation >= 0 and edge >= 0):
        raise GeometryError(
            f"a mask widened by {dilation:g} Å with an edge of {edge:g} Å; expected 0 or more"
        )
    is_dense = (volume > level).cpu().numpy()
    if not is_dense.any():
        raise GeometryError(
            f"no density is above {level:g} (the map reaches {float(volume.max()):g}); lower the "
            "level"
        )
    if only_largest:
        is_dense = largest_part(is_dense)
    distance = _distance(is_dense, pixel_size, reach=dilation + edge).to(volume.device)
    return soft_edge(distance - dilation, edge)


def otsu_threshold(values: Float[Tensor, " voxel"]) -> float:
    """The value that splits others into the two classes that differ most (Otsu's criterion).

    Values beyond the outermost 0.01 % are taken as those: a single hot voxel would empty the
    histogram.
    """
    numbers = values.double().cpu().numpy()
    low, high = np.quantile(numbers, [1e-4, 1.0 - 1e-4])
    if not high > low:
        return float(low)
    counts, edges = np.histogram(np.clip(numbers, low, high), bins=_BINS, range=(low, high))
    middles = 0.5 * (edges[1:] + edges[:-1])
    below = np.cumsum(counts)[:-1]
    above = below[-1] + counts[-1] - below
    mass = np.cumsum(counts * middles)
    means = mass[:-1] / np.maximum(below, 1), (mass[-1] - mass[:-1]) / np.maximum(above, 1)
    between = below * above * (means[0] - means[1]) ** 2.0
    return float(edges[1 + int(between.argmax())])


def _inscribed(shape: Sequence[int], *, device: Device) -> Bool[Tensor, "z y x"]:
    """The ellipsoid that touches the faces; programs leave the corners of maps empty."""
    square = torch.zeros(tuple(shape), device=device)
    for axis, side in enumerate(shape):
        steps = (torch.arange(side, device=device) - side // 2) / max(1, side // 2)
        square = square + steps.square().reshape([-1] + [1] * (len(shape) - 1 - axis))
    return square <= 1.0


def _without_specks(is_dense: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Only the connected pieces that are not much smaller than the largest."""
    labels, _ = ndimage.label(is_dense)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept: npt.NDArray[np.bool_] = (sizes >= max(1.0, _SMALLEST_PART * sizes.max()))[labels]
    return kept


def _distance(
    is_dense: npt.NDArray[np.bool_], pixel_size: float, *, reach: float
) -> Float[Tensor, "z y x"]:
    """Distance in Å of each voxel to the density; beyond `reach` only that it is farther."""
    margin = math.ceil(reach / pixel_size) + 1
    box = tuple(
        slice(max(0, int(where.min()) - margin), int(where.max()) + margin + 1)
        for where in np.nonzero(is_dense)
    )
    distance = np.full(is_dense.shape, reach + pixel_size, np.float32)
    distance[box] = ndimage.distance_transform_edt(~is_dense[box], sampling=pixel_size)
    return torch.from_numpy(distance)
