"""The surface of a mask: how far points are from it, and which way it faces there.

The surface is made of the voxel faces between mask and background. Their normals, added up over a
patch, are the patch's vector area, which is right for a staircase however the surface is inclined.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from icelens.core.errors import GeometryError

Floats = npt.NDArray[np.float64]

_NEAREST_FACES = 12  # the face nearest by its centre need not be the nearest
# Faces that look away by more than this (as a cosine) are a membrane's other side. Not 0, so that
# the steps of a rough surface, which point both ways along it, cancel.
_OTHER_SIDE = -0.3
# The corners of a staircase stick out by up to this; its middle is the surface.
_STEP_PX = 2.0


@dataclass(frozen=True)
class Surface:
    """Faces of a mask's voxels that touch background.

    `centres` (face, 3) in voxels; `axis` (face,) is 0, 1 or 2 for a face across z, y or x; `side`
    (face,) is +1 where the mask lies below the face along that axis, else -1. Where the volume
    ends there is no face, as nobody knows how the mask goes on.
    """

    centres: Floats
    axis: npt.NDArray[np.intp]
    side: npt.NDArray[np.int8]
    mask: npt.NDArray[np.bool_]

    @cached_property
    def normals(self) -> Floats:
        """Unit vectors (face, 3), zyx, out of the mask."""
        normals = np.zeros((len(self.axis), 3))
        normals[np.arange(len(self.axis)), self.axis] = self.side
        return normals

    @cached_property
    def tree(self) -> cKDTree:
        """For neighbours among the centres."""
        return cKDTree(self.centres)


@dataclass(frozen=True)
class Footing:
    """Where points stand on a surface: for each the signed distance, foot and normal.

    `distance` (point,) in voxels is negative inside the mask; `foot` (point, 3) is the nearest
    point of the surface, on a face of the mask's `voxel` (point, 3); `normal` (point, 3), zyx, is
    a unit vector out of the mask there.
    """

    distance: Floats
    foot: Floats
    normal: Floats
    voxel: npt.NDArray[np.intp]


def surface_of(mask: npt.NDArray[np.bool_]) -> Surface:
    """The faces between the voxels of a mask `(z, y, x)` and its background.

    Raises:
        GeometryError: If there is none: the mask is empty, full, or not a volume.
    """
    if mask.ndim != 3:
        raise GeometryError(f"a mask is a volume (z, y, x), got an array of shape {mask.shape}")
    centres, axes, sides = [], [], []
    for axis in range(3):
        lower = mask[tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))]
        upper = mask[tuple(slice(1, None) if a == axis else slice(None) for a in range(3))]
        voxels = np.argwhere(lower != upper)
        side = np.where(lower[tuple(voxels.T)], 1, -1).astype(np.int8)
        centre = voxels.astype(np.float64)
        centre[:, axis] += 0.5
        centres.append(centre)
        axes.append(np.full(len(voxels), axis, np.intp))
        sides.append(side)
    if not sum(map(len, axes)):
        raise GeometryError("the mask is empty or full, so it has no surface; make another one")
    return Surface(np.concatenate(centres), np.concatenate(axes), np.concatenate(sides), mask)


def stand(surface: Surface, points: Floats, *, reach_px: float) -> Footing:
    """Signed distance, nearest surface point and local normal for each point.

    Args:
        surface: Of a mask.
        points: `(point, 3)` in voxels from the centre of voxel (0, 0, 0).
        reach_px: Faces so far around the foot make the normal; more is smoother, but must stay
            below the radius of curvature.
    """
    foot, face = _nearest(surface, points)
    offset = points - foot
    distance = np.linalg.norm(offset, axis=-1)
    distance[_is_inside(surface.mask, points)] *= -1
    normal = np.empty_like(foot)
    patches = surface.tree.query_ball_point(foot, reach_px)
    for number, patch in enumerate(patches):
        faces = np.asarray(patch, np.intp)
        # The pick's side of the mask; on the surface itself only the faces can tell.
        is_clear = abs(distance[number]) > 0.5
        towards = np.sign(distance[number]) * offset[number] if is_clear else None
        normal[number], lift = _patch(surface, foot[number], faces, towards, reach_px)
        distance[number] -= lift
    voxel = np.rint(surface.centres[face] - 0.5 * surface.normals[face]).astype(np.intp)
    return Footing(distance, foot, normal, voxel)


def _nearest(surface: Surface, points: Floats) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Nearest points of the faces, which are unit squares, and the numbers of these faces."""
    count = min(_NEAREST_FACES, len(surface.centres))
    _, faces = surface.tree.query(points, k=count)
    faces = np.asarray(faces).reshape(len(points), count)
    half = np.full((*faces.shape, 3), 0.5)
    np.put_along_axis(half, surface.axis[faces][..., None], 0.0, axis=-1)
    centres = surface.centres[faces]
    feet = np.clip(points[:, None], centres - half, centres + half)
    best = np.linalg.norm(feet - points[:, None], axis=-1).argmin(axis=-1)
    each = np.arange(len(points))
    return feet[each, best], faces[each, best]


def _patch(
    surface: Surface,
    foot: Floats,
    faces: npt.NDArray[np.intp],
    towards: Floats | None,
    reach_px: float,
) -> tuple[Floats, float]:
    """Unit normal of the faces around a foot, and how far their middle lies out along it.

    Faces of another side of the mask are left out.
    """
    arms, normals = surface.centres[faces] - foot, surface.normals[faces]
    away = np.linalg.norm(arms, axis=-1)
    weight = np.exp(-0.5 * (away / (0.5 * reach_px)) ** 2)
    if towards is None:
        towards = normals[away <= away.min() + 1.0].sum(axis=0)
    normal = _unit(towards)
    # The second round decides by a better guess which faces are of the other side.
    for _ in range(2):
        is_here = normals @ normal > _OTHER_SIDE
        total = (weight[is_here, None] * normals[is_here]).sum(axis=0)
        if np.linalg.norm(total) > 0:
            normal = _unit(total)
    # Each face counts by what it shows to the normal: its share of the smooth surface.
    shown = np.maximum(normals @ normal, 0.0) * (away <= _STEP_PX)
    lift = float(shown @ (arms @ normal) / shown.sum()) if shown.sum() > 0 else 0.0
    return normal, lift


def _unit(vector: Floats) -> Floats:
    length = float(np.linalg.norm(vector))
    # Faces that cancel leave no direction; z is as good as any.
    return vector / length if length > 0 else np.array([1.0, 0.0, 0.0])


def _is_inside(mask: npt.NDArray[np.bool_], points: Floats) -> npt.NDArray[np.bool_]:
    """Whether the voxel that holds each point belongs to the mask; beyond the volume none does."""
    voxels = np.floor(points + 0.5).astype(np.intp)
    inside = ((voxels >= 0) & (voxels < mask.shape)).all(axis=-1)
    result = np.zeros(len(points), bool)
    result[inside] = mask[tuple(voxels[inside].T)]
    return result
