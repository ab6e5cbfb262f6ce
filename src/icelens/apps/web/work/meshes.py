"""Surfaces of maps for the browser: meshes, their colours by a second map, or a picture."""

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from icelens.apps.web.work.reduced_maps import ReducedMap, reduced_map
from icelens.apps.web.work.surface_nets import Mesh, surface_nets
from icelens.apps.web.worker import Answer
from icelens.core.errors import GeometryError
from icelens.core.plots.isosurface import make_surface, render, view_rotation
from icelens.core.plots.surface_frames import LOOKS
from icelens.core.plots.visible_extent import visible_extent
from icelens.core.volumes.largest_parts import without_dust

LARGEST_BOX = 192


def describe(path: str, box: int = LARGEST_BOX, *, is_dark: bool | None = None) -> Answer:
    """What a form needs before the first mesh: sides, spread, and a level to begin with.

    Args:
        path: Map.
        box: Largest side of the map that is drawn, in voxels.
        is_dark: Whether density is negative; guessed if left out.
    """
    found = reduced_map(Path(path), box)
    used = found.looks_dark if is_dark is None else is_dark
    return Answer(_described(found) | {"level": found.usual_level(is_dark=used), "is_dark": used})


def surface(
    path: str,
    level: float | None = None,
    colour: str | None = None,
    box: int = LARGEST_BOX,
    *,
    is_dark: bool = False,
    hide_dust: bool = True,
) -> Answer:
    """The mesh of a map as bytes: positions xyz, normals xyz, values (if coloured), triangles.

    All are little endian: float32, float32, float32, uint32. Positions are in Å from the centre of
    the map's first voxel (in voxels where the file does not know its pixel size).

    Args:
        path: Map.
        level: Of the surface in the map's values; the usual one if left out.
        colour: Map whose values colour the surface, at the same places in Å.
        box: Largest side of the map that the mesh is made of, in voxels.
        is_dark: Whether density is negative.
        hide_dust: Leave out parts that are far smaller than the largest.
    """
    start = time.perf_counter()
    found = reduced_map(Path(path), box)
    used = found.usual_level(is_dark=is_dark) if level is None else level
    if not np.isfinite(used):
        raise GeometryError("the level must be a number")
    mesh = _mesh(found, used, is_dark=is_dark, hide_dust=hide_dust)
    position = mesh.vertex_zyx[:, ::-1] * np.float32(found.pixel_size) + np.float32(found.offset)
    parts: list[npt.NDArray[Any]] = [
        position.astype("<f4"),
        mesh.normal_zyx[:, ::-1].astype("<f4"),
    ]
    data = _described(found) | {
        "level": used,
        "vertices": len(position),
        "triangles": len(mesh.triangles),
        "is_coloured": colour is not None,
    }
    if colour is not None:
        values, described = _coloured(position, found, Path(colour), box)
        parts.append(values)
        data["colour"] = described
    parts.append(mesh.triangles.astype("<u4"))
    data["seconds"] = round(time.perf_counter() - start, 3)
    return Answer(data, b"".join(np.ascontiguousarray(part).tobytes() for part in parts))


def picture(
    path: str,
    level: float | None = None,
    view: str = "front",
    theme: str = "dark",
    size: int = 480,
    box: int = 128,
    *,
    is_dark: bool = False,
) -> Answer:
    """A PNG of the surface, for browsers that cannot draw meshes.

    Args:
        path: Map.
        level: Of the surface; the usual one if left out.
        view: One of `VIEWS` of core's isosurface.
        theme: `dark` or `light` ground.
        size: Side in px.
        box: Largest side of the map that is drawn, in voxels.
        is_dark: Whether density is negative.
    """
    from PIL import Image

    found = reduced_map(Path(path), box)
    used = found.usual_level(is_dark=is_dark) if level is None else level
    field, used = (-found.field, -used) if is_dark else (found.field, used)
    if not used < float(field.max()):
        raise GeometryError(f"nothing reaches the level {used:.4g}; lower it")
    extent = visible_extent([field], used, found.pixel_size)
    drawn = make_surface(
        field,
        used,
        pixel_size=found.pixel_size,
        centre_zyx=extent.centre_zyx,
        half_width=extent.half_width,
        size=size,
    )
    look = LOOKS["dark" if theme == "dark" else "white"]
    pixels = render(
        drawn, view_rotation(view), half_width=extent.half_width, size=size, look=look
    )  # fmt: skip
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    return Answer({"level": used, "note": found.note}, target.getvalue())


def _mesh(found: ReducedMap, level: float, *, is_dark: bool, hide_dust: bool) -> Mesh:
    field, used = (-found.field, -level) if is_dark else (found.field, level)
    if hide_dust:
        field = without_dust(field, used)
    return surface_nets(field, used)


def _described(found: ReducedMap) -> dict[str, Any]:
    return {
        "shape": list(found.field.shape),
        "pixel_size": found.pixel_size,
        "unit": "Å" if found.is_scaled else "px",
        "low": float(found.field.min()),
        "high": float(found.field.max()),
        "mean": found.mean,
        "std": found.std,
        "note": found.note,
    }


def _coloured(
    position_xyz: npt.NDArray[np.float32], found: ReducedMap, path: Path, box: int
) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
    """Values of a second map at the vertices, and the range in which most of them lie."""
    second = reduced_map(path, box)
    if second.is_scaled != found.is_scaled:
        raise GeometryError(
            f"{path}: one map knows its pixel size and the other does not; write it into its header"
        )
    place_zyx = (position_xyz[:, ::-1] - second.offset) / second.pixel_size
    is_within = all(
        (place_zyx[:, axis].min(initial=0.0) >= -1.0)
        and (place_zyx[:, axis].max(initial=0.0) <= side)
        for axis, side in enumerate(second.field.shape)
    )
    values = ndimage.map_coordinates(second.field, place_zyx.T, order=1, mode="nearest")
    spread = values if len(values) else second.field.ravel()
    low, high = (float(value) for value in np.percentile(spread, (2, 98)))
    note = second.note if is_within else "the surface reaches beyond the map that colours it"
    return values.astype("<f4"), {"low": low, "high": high, "note": note}
