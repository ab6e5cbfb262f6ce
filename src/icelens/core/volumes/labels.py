"""Find particles in a label volume: split what touches, keep what has a particle's size.

Each connected component is worked on in a box of its own, so the cost follows the labels, not the
volume. The volume's border is no border of a particle: one that is cut there may be as small as
what is seen of a particle whose centre is in the volume.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, label
from scipy.spatial import cKDTree

from icelens.core.errors import GeometryError
from icelens.core.volumes.components import Component, Labels, Voxels, label_components
from icelens.core.volumes.exclusion import strongest_apart
from icelens.core.volumes.peaks import find_peaks

Floats = npt.NDArray[np.float64]
LabelMethod = Literal["watershed", "com"]
Confidence = Callable[[int, Voxels], Floats]
"""Values (voxel,) of a label's probability at voxels (3, voxel)."""

_SMALLEST_VISIBLE = 1 / 8  # of a sphere centred in the volume: one that sits in its corner


@dataclass(frozen=True)
class ParticleSize:
    """How large the regions of an object may be, in voxels.

    A region's volume lies between those of spheres with `smallest_radius_px` and
    `largest_radius_px`. Two particles are not closer than `radius_px`.
    """

    radius_px: float
    smallest_radius_px: float
    largest_radius_px: float

    def __post_init__(self) -> None:
        """Refuse sizes that no particle can have."""
        sizes = (self.smallest_radius_px, self.largest_radius_px, self.radius_px)
        if not (0 <= sizes[0] < sizes[1] and self.radius_px > 0 and np.isfinite(sizes).all()):
            raise GeometryError(
                f"a particle of radius {self.radius_px:g} voxels cannot have regions of radius "
                f"{sizes[0]:g} to {sizes[1]:g}; give two numbers that grow, not below 0"
            )


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions of one label: centroids (region, 3) in voxels, voxel counts, mean confidence."""

    positions: Floats = field(default_factory=lambda: np.empty((0, 3)))
    counts: Floats = field(default_factory=lambda: np.empty(0))
    scores: Floats = field(default_factory=lambda: np.empty(0))


def locate_regions(
    labels: Labels,
    sizes: Mapping[int, ParticleSize],
    *,
    method: LabelMethod = "watershed",
    confidence: Confidence | None = None,
) -> dict[int, Regions]:
    """Centres of the particles of each label.

    Holes are filled first. "com" takes each connected component as one particle. "watershed" splits
    components at the points deepest inside them, if these are farther apart than the particle's
    radius: a voxel goes to the deep point whose inscribed sphere it is nearest to, by power
    distance, so that spheres which overlap part at the circle where they meet. Pieces closer than
    the smallest radius are one particle, the largest of them.

    Args:
        labels: `(z, y, x)`; 0 is background, labels without a size are passed over.
        sizes: What regions of a label may measure.
        method: See above.
        confidence: Gives the scores, as their mean over each region; without it they are 1.

    Returns:
        Regions of each label in `sizes`, best score first; a label that is absent has none.

    Raises:
        GeometryError: If the labels are not a volume.
    """
    if labels.ndim != 3:
        raise GeometryError(f"labels are a volume (z, y, x), got an array of shape {labels.shape}")
    found: dict[int, list[tuple[Floats, int, float]]] = {number: [] for number in sizes}
    for component in label_components(labels):
        size = sizes.get(component.label)
        if size is None or component.zyx.shape[1] < _SMALLEST_VISIBLE * _sphere(
            size.smallest_radius_px
        ):
            continue
        for zyx in _split(component, size, labels.shape, method=method):
            if _has_size(zyx, size, labels.shape):
                score = 1.0
                if confidence is not None:
                    score = float(np.mean(confidence(component.label, zyx)))
                found[component.label].append((zyx.mean(axis=1), zyx.shape[1], score))
    return {number: _apart(found[number], size) for number, size in sizes.items()}


def _split(
    component: Component, size: ParticleSize, shape: tuple[int, ...], *, method: LabelMethod
) -> Iterator[Voxels]:
    """Voxels (3, voxel) of each particle in a component."""
    solid, corner = _filled(component.zyx, shape)
    voxels = np.array(np.nonzero(solid), np.intp)
    seeds = np.empty((0, 3))
    if method == "watershed":
        depth = distance_transform_edt(solid)
        seeds, depths = find_peaks(
            depth,
            threshold=max(1.0, 0.5 * size.smallest_radius_px),
            exclusion_radius_px=size.radius_px,
            refinement="none",
        )
    if len(seeds) < 2:
        yield voxels + corner
        return
    # Power distance |x - s|² - d² as a plain distance in four dimensions.
    height = np.sqrt(depths.max() ** 2 - depths**2)
    tree = cKDTree(np.column_stack([seeds, height]))
    points = np.column_stack([voxels.T, np.zeros(voxels.shape[1])])
    _, owner = tree.query(points)
    for number in range(len(seeds)):
        yield voxels[:, owner == number] + corner


def _filled(zyx: Voxels, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.bool_], Voxels]:
    """A component without holes in its box, and the box's first voxel (3, 1).

    There is a rim of background around it, but not beyond the volume's faces: nobody knows what
    is there, and a distance to them would not be one to the particle's surface.
    """
    low = np.maximum(zyx.min(axis=1) - 1, 0)
    high = np.minimum(zyx.max(axis=1) + 2, shape)
    solid = np.zeros(high - low, bool)
    solid[tuple(zyx - low[:, None])] = True
    outside, count = label(~solid)
    # Background that reaches a face of the box is open; the rest are holes.
    is_open = np.zeros(count + 1, bool)
    for axis in range(3):
        for side in (0, -1):
            is_open[np.take(outside, side, axis=axis)] = True
    is_open[0] = False
    return ~is_open[outside], low[:, None]


def _has_size(zyx: Voxels, size: ParticleSize, shape: tuple[int, ...]) -> bool:
    """Whether a region's volume is a particle's; half of it will do for each face it touches."""
    is_cut = (zyx.min(axis=1) == 0) | (zyx.max(axis=1) == np.array(shape) - 1)
    smallest = _sphere(size.smallest_radius_px) / 2.0 ** is_cut.sum()
    return bool(smallest <= zyx.shape[1] <= _sphere(size.largest_radius_px))


def _apart(found: list[tuple[Floats, int, float]], size: ParticleSize) -> Regions:
    """Regions as arrays, without the smaller ones of those that are too close."""
    if not found:
        return Regions()
    positions = np.array([position for position, _, _ in found])
    counts = np.array([float(count) for _, count, _ in found])
    scores = np.array([score for _, _, score in found])
    if size.smallest_radius_px > 0:
        kept = strongest_apart(positions, counts, radius=size.smallest_radius_px)
    else:
        kept = np.arange(len(positions))
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    return Regions(positions[kept], counts[kept], scores[kept])


def _sphere(radius: float) -> float:
    return 4.0 / 3.0 * math.pi * radius**3
