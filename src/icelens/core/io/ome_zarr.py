"""Read and write OME-Zarr folders: level 0 of the first image, zarr formats 2 and 3.

Metadata follow OME-NGFF 0.4 (zarr format 2) and 0.5 (zarr format 3). Works with the zarr library
of either major version; version 2 of the library knows format 2 only.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError
from icelens.core.io.slabs import release_pages
from icelens.core.io.volume_header import VolumeHeader, isotropic_pixel_size

SUFFIX = ".zarr"
_MAX_CHUNK = 128
_ANGSTROM_PER_UNIT = {"angstrom": 1.0, "nanometer": 10.0, "micrometer": 1e4, "millimeter": 1e7}
_Opened = tuple[VolumeHeader, npt.NDArray[np.generic]]


def is_zarr(path: Path) -> bool:
    """Whether the folder is a zarr group or array of either format."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zarray"))


def read_zarr_header(path: Path) -> VolumeHeader:
    """Shape, type, scale (as Å/px) and translation (as origin in Å) of level 0."""
    return _open_level_0(path)[0]


def open_zarr(path: Path) -> _Opened:
    """The header and the values of level 0, decompressed into memory."""
    header, level = _open_level_0(path)
    try:
        values = np.asarray(level[...])
    except (OSError, ValueError, RuntimeError) as error:
        raise InputFileError(
            f"{path}: chunks cannot be read ({_reason(error)}); copy the folder again"
        ) from error
    return header, values.reshape(header.shape)


def write_zarr(
    folder: Path, volume: Volume, *, version: Literal["0.4", "0.5"] = "0.4", name: str = ""
) -> None:
    """Fill `folder` with a one-level OME-Zarr image, slab by slab.

    Args:
        folder: Made if absent; not atomic by itself (`volumes.write_volume` is).
        volume: Values are stored in their own type.
        version: Of OME-NGFF; 0.4 is read by all, 0.5 needs version 3 of the zarr library.
        name: Of the image in the metadata.
    """
    import zarr

    chunks = tuple(min(side, _MAX_CHUNK) for side in volume.shape)
    dtype = volume.array.dtype.newbyteorder("=")
    if int(zarr.__version__.split(".", 1)[0]) < 3:
        if version == "0.5":
            raise InputFileError(f"{folder}: OME-Zarr 0.5 needs zarr 3; update zarr or write 0.4")
        group: Any = zarr.open_group(str(folder), mode="w")
        level = group.create_dataset(
            "0", shape=volume.shape, chunks=chunks, dtype=dtype, dimension_separator="/"
        )
    else:
        zarr_format: Literal[2, 3] = 2 if version == "0.4" else 3
        encoding = {"name": "v2" if zarr_format == 2 else "default", "separator": "/"}
        group = zarr.open_group(str(folder), mode="w", zarr_format=zarr_format)
        level = group.create_array(
            "0", shape=volume.shape, chunks=chunks, dtype=dtype, chunk_key_encoding=encoding
        )
    for start in range(0, volume.shape[0], chunks[0]):
        part = slice(start, start + chunks[0])
        level[part] = volume.array[part]
        release_pages(volume.array)
    image = _multiscale(volume, version, name)
    if version == "0.4":
        group.attrs["multiscales"] = [image]
    else:
        group.attrs["ome"] = {"version": version, "multiscales": [image]}


def _multiscale(volume: Volume, version: str, name: str) -> dict[str, Any]:
    """The metadata of one image with one level, in Å."""
    scale = {"type": "scale", "scale": [volume.pixel_size] * 3}
    translation = {"type": "translation", "translation": list(volume.origin_xyz[::-1])}
    axes = [{"name": axis, "type": "space", "unit": "angstrom"} for axis in "zyx"]
    level = {"path": "0", "coordinateTransformations": [scale, translation]}
    image: dict[str, Any] = {"name": name, "axes": axes, "datasets": [level]}
    if version == "0.4":
        image["version"] = version
    return image


def _open_level_0(path: Path) -> tuple[VolumeHeader, Any]:
    """The header and the lazily read array."""
    import zarr

    try:
        node: Any = zarr.open(str(path), mode="r")
        image = _image(node.attrs)
        levels = image.get("datasets", [])
        level = node[levels[0]["path"]] if levels else node
        shape, dtype = tuple(level.shape), np.dtype(level.dtype)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise InputFileError(
            f"{path}: not a readable OME-Zarr image ({_reason(error)}), expected a group with "
            "multiscales; check the folder"
        ) from error
    num_axes = len(shape)
    if num_axes < 3 or math.prod(shape[: num_axes - 3]) != 1:
        raise InputFileError(
            f"{path}: level 0 has shape {shape}, expected one channel of z, y, x; choose a channel"
        )
    voxel_zyx, origin_zyx = _sampling(image)
    pixel_size = isotropic_pixel_size(path, voxel_zyx[::-1])
    z, y, x = shape[num_axes - 3 :]
    origin_xyz = (origin_zyx[2], origin_zyx[1], origin_zyx[0])
    return VolumeHeader((z, y, x), pixel_size, origin_xyz, dtype, "ome-zarr"), level


def _image(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The first image's metadata, empty for a bare array."""
    holder = attributes.get("ome", attributes)
    images = holder.get("multiscales") or [{}]
    return dict(images[0])


def _sampling(image: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    """Sides of a voxel of level 0 and its translation, both z, y, x in Å."""
    units = [axis.get("unit", "") for axis in _spatial(image.get("axes", []))]
    to_angstrom = [_ANGSTROM_PER_UNIT.get(unit, 1.0 if unit == "" else 0.0) for unit in units]
    voxel, origin = [1.0] * 3, [0.0] * 3
    levels = image.get("datasets") or [{}]
    # The image's own transformations follow those of the level.
    for step in (
        *levels[0].get("coordinateTransformations", []),
        *image.get("coordinateTransformations", []),
    ):
        if step.get("type") == "scale":
            factors = step["scale"][-3:]
            voxel = [side * factor for side, factor in zip(voxel, factors, strict=True)]
            origin = [start * factor for start, factor in zip(origin, factors, strict=True)]
        if step.get("type") == "translation":
            shifts = step["translation"][-3:]
            origin = [start + shift for start, shift in zip(origin, shifts, strict=True)]
    if len(to_angstrom) != 3:
        to_angstrom = [1.0] * 3
    return (
        [side * unit for side, unit in zip(voxel, to_angstrom, strict=True)],
        [start * unit for start, unit in zip(origin, to_angstrom, strict=True)],
    )


def _spatial(axes: Sequence[Any]) -> list[Mapping[str, Any]]:
    return [axis for axis in axes if isinstance(axis, Mapping) and axis.get("type") == "space"]


def _reason(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
