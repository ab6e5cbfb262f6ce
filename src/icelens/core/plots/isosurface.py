"""Pictures of a map's surface, made without a screen: first crossing of each ray, softly lit."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, UInt8
from scipy import ndimage
from torch import Tensor

from icelens.core.fourier.rescale import rescale
from icelens.core.plots.surface_shading import Look, shaded
from icelens.core.volumes.largest_parts import without_dust

Array = npt.NDArray[np.float32]

VIEWS = ("front", "right", "back", "left", "top", "bottom")
_TURNS = {"front": 0.0, "right": -90.0, "back": 180.0, "left": 90.0}
# Rays of a picture pixel along each side: edges are smooth, and thin parts do not flicker.
_RAYS = 2
# Voxels below a pixel of the picture look faceted; finer ones only cost time.
_FINEST = 2.0
_LARGEST_BOX = 256
# Voxels around what the picture shows: the transform sees a ring.
_MARGIN = 3
# Rays start before the first voxel that is seen in a tile of so many voxels.
_TILE = 2.0


@dataclass(frozen=True, eq=False)
class Surface:
    """A map ready to be seen from any side.

    Attributes:
        field: Density on a grid fine enough for the picture.
        step: Its sampling in Å.
        centre_zyx: Point that the camera looks at, in voxels of it.
        level: Density of the surface.
        skin_xyz: Voxels above the level that have a neighbour below, from the centre.
    """

    field: Float[Tensor, "z y x"]
    step: float
    centre_zyx: Float[Tensor, " 3"]
    level: float
    skin_xyz: Float[Tensor, "voxel 3"]


def view_rotation(view: str, turn: float = 0.0) -> Float[Tensor, "3 3"]:
    """Rotation from the map to the camera, whose x points right, y up and z to the viewer.

    Args:
        view: One of `VIEWS`; the front has the map's x to the right and its y up.
        turn: Degrees by which the map then turns about the picture's vertical, to the right.
    """
    if view in _TURNS:
        return _about_y(_TURNS[view] + turn)
    tilt = 90.0 if view == "top" else -90.0
    return _about_y(turn) @ _about_x(tilt)


def make_surface(
    array: npt.NDArray[np.generic],
    level: float,
    *,
    pixel_size: float,
    centre_zyx: tuple[float, float, float],
    half_width: float,
    size: int,
    hide_dust: bool = True,
) -> Surface:
    """Prepare a map: where it is coarse, sample it finer.

    Args:
        array: Density `(z, y, x)`, positive inside.
        level: Of the surface.
        pixel_size: In Å/px.
        centre_zyx: Point that the camera looks at, in voxels of the array.
        half_width: What the picture shows to either side of it, in Å.
        size: Side of the picture in px.
        hide_dust: Leave out parts that are far smaller than the largest.
    """
    # what lies around the picture costs time and memory only
    reach = math.ceil(math.sqrt(2.0) * half_width / pixel_size) + _MARGIN
    first = [max(0, math.floor(centre) - reach) for centre in centre_zyx]
    box = tuple(
        slice(start, math.ceil(centre) + reach + 1)
        for start, centre in zip(first, centre_zyx, strict=True)
    )
    field = torch.from_numpy(np.array(array[box], np.float32))
    # finer by the transform: band-limited maps stay what they are, but without facets
    wanted = _FINEST * 2.0 * half_width / size
    factor = min(pixel_size / wanted, _LARGEST_BOX / max(field.shape), 3.0)
    step, centre = pixel_size, torch.tensor(centre_zyx, dtype=torch.float32) - torch.tensor(first)
    if factor > 1.2:
        sides = [round(side * factor) for side in field.shape]
        step = pixel_size * field.shape[0] / sides[0]
        field = rescale(field, pixel_size=pixel_size, new_pixel_size=step)
        centre = centre * (pixel_size / step)
    if hide_dust:
        # of the finer grid: what rises between the voxels of the map counts too
        field = torch.from_numpy(without_dust(field.numpy(), level))
    is_inside = (field > level).numpy()
    is_skin = is_inside & ~ndimage.binary_erosion(is_inside)
    skin_xyz = (torch.from_numpy(np.argwhere(is_skin)).float() - centre).flip(1)
    return Surface(field.contiguous(), step, centre, level, skin_xyz)


def render(
    surface: Surface, rotation: Float[Tensor, "3 3"], *, half_width: float, size: int, look: Look
) -> UInt8[np.ndarray, "{size} {size} 3"]:
    """The surface as the camera sees it, without perspective; an RGB picture.

    Args:
        surface: From `make_surface`.
        rotation: From the map to the camera, as `view_rotation` gives it.
        half_width: What is shown to either side of the centre, in Å.
        size: Side of the picture in px.
        look: Colours and light.
    """
    rays = _RAYS * size
    scale = 2.0 * half_width / rays / surface.step  # voxels from ray to ray
    axis = (torch.arange(rays) - 0.5 * (rays - 1)) * scale
    # rows of a picture go down, the camera's y goes up
    plane = torch.stack([axis.repeat(rays), -axis.repeat_interleave(rays)], dim=1)
    entry, last = _reach(surface, rotation, plane, scale * rays)
    depth = _first_crossing(surface, rotation, plane, entry, last)
    normal = _normals(surface, rotation, plane, depth)
    is_hit = torch.isfinite(depth).reshape(rays, rays).numpy()
    height = (depth * surface.step).reshape(rays, rays).numpy()
    picture = shaded(
        np.where(is_hit, height, np.nan),
        normal.reshape(rays, rays, 3).numpy(),
        half_width=half_width,
        look=look,
    )
    pixels = picture.reshape(size, _RAYS, size, _RAYS, 3).mean(axis=(1, 3))
    return np.asarray(pixels.round(), np.uint8)


def _reach(
    surface: Surface, rotation: Tensor, plane: Float[Tensor, "ray 2"], extent: float
) -> tuple[Float[Tensor, " ray"], Float[Tensor, " ray"]]:
    """Heights in voxels where each ray may first and last meet the surface; -inf, inf if nowhere.

    The surface's voxels are laid on tiles of the picture.
    """
    seen = surface.skin_xyz @ rotation.T
    num = max(1, math.ceil(extent / _TILE))
    top = torch.full((num * num,), -math.inf)
    bottom = torch.full((num * num,), math.inf)
    tile = ((seen[:, :2] + 0.5 * extent) / extent * num).floor().long()
    is_shown = ((tile >= 0) & (tile < num)).all(dim=1)
    index, height = tile[is_shown, 1] * num + tile[is_shown, 0], seen[is_shown, 2]
    top.scatter_reduce_(0, index, height, "amax")
    bottom.scatter_reduce_(0, index, height, "amin")
    # a voxel reaches into the tiles around its own
    top = torch.nn.functional.max_pool2d(top.reshape(1, 1, num, num), 3, 1, 1).flatten()
    bottom = -torch.nn.functional.max_pool2d(-bottom.reshape(1, 1, num, num), 3, 1, 1).flatten()
    place = ((plane + 0.5 * extent) / extent * num).floor().long().clamp(0, num - 1)
    index = place[:, 1] * num + place[:, 0]
    return top[index] + 2.0, bottom[index] - 2.0


def _first_crossing(
    surface: Surface,
    rotation: Tensor,
    plane: Float[Tensor, "ray 2"],
    entry: Float[Tensor, " ray"],
    last: Float[Tensor, " ray"],
) -> Float[Tensor, " ray"]:
    """Height of the surface along each ray, in voxels towards the viewer; NaN where it misses."""
    depth = torch.full((len(plane),), math.nan)
    rays = torch.isfinite(entry).nonzero()[:, 0]
    height = entry[rays]
    above = _sample(surface, rotation, plane[rays], height)
    while len(rays):
        height = height - 1.0
        value = _sample(surface, rotation, plane[rays], height)
        is_hit = (value >= surface.level) & (above < surface.level)
        share = (surface.level - above[is_hit]) / (value[is_hit] - above[is_hit])
        depth[rays[is_hit]] = height[is_hit] + 1.0 - share
        goes_on = ~is_hit & (height > last[rays])
        rays, height, above = rays[goes_on], height[goes_on], value[goes_on]
    return depth


def _normals(
    surface: Surface, rotation: Tensor, plane: Float[Tensor, "ray 2"], depth: Float[Tensor, " ray"]
) -> Float[Tensor, "ray 3"]:
    """Outward unit normals in the camera's frame; 0 where nothing is hit."""
    normal = torch.zeros(len(plane), 3)
    rays = torch.isfinite(depth).nonzero()[:, 0]
    for axis in range(3):
        offset = torch.zeros(3)
        offset[axis] = 1.0
        ends = [
            _sample(surface, rotation, plane[rays] + step[:2], depth[rays] + step[2])
            for step in (offset, -offset)
        ]
        normal[rays, axis] = ends[1] - ends[0]
    return torch.nn.functional.normalize(normal, dim=1)


def _sample(
    surface: Surface, rotation: Tensor, plane: Float[Tensor, "ray 2"], height: Float[Tensor, " ray"]
) -> Float[Tensor, " ray"]:
    """Density at points of the camera's frame, linear between voxels."""
    xyz = torch.cat([plane, height[:, None]], dim=1) @ rotation + surface.centre_zyx.flip(0)
    sides_xyz = torch.tensor(surface.field.shape[::-1], dtype=torch.float32)
    grid = 2.0 * xyz / (sides_xyz - 1.0).clamp(min=1.0) - 1.0
    found = torch.nn.functional.grid_sample(
        surface.field[None, None], grid[None, None, None], align_corners=True
    )
    return found[0, 0, 0, 0]


def _about_y(degrees: float) -> Float[Tensor, "3 3"]:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def _about_x(degrees: float) -> Float[Tensor, "3 3"]:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
