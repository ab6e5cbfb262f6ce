"""Read and write OME-Zarr folders: level 0 of the first image, zarr formats 2 and 3.

Metadata follow OME-NGFF 0.4 (zarr format 2) and 0.5 (zarr format 3). Works with the zarr library
of either major version; version 2 of the library knows format 2 only.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError
from icelens.core.io.slabs import release_pages
from icelens.core.io.volume_header import VolumeHeader, isotropic_pixel_size
from icelens.core.io.zarr_library import check_chunks, new_array, new_group

SUFFIX = ".zarr"
_MAX_CHUNK = 128
_ANGSTROM_PER_UNIT = {"angstrom": 1.0, "nanometer": 10.0, "micrometer": 1e4, "millimeter": 1e7}
Array = npt.NDArray[np.generic]
Version = Literal["0.4", "0.5"]
_Opened = tuple[VolumeHeader, Array]


@dataclass(frozen=True)
class ZarrImage:
    """Level 0 of an image: `level` (..., z, y, x) is read where it is indexed.

    `pixel_size` is in Å and None where the metadata do not know it, `origin_zyx` in Å;
    `attributes` are all of the group's.
    """

    path: Path
    level_name: str
    level: Any
    pixel_size: float | None
    origin_zyx: tuple[float, float, float]
    attributes: Mapping[str, Any]

    def values(self, *, may_lack_chunks: bool | None = None) -> Array:
        """All values of the level, decompressed into memory.

        Args:
            may_lack_chunks: Take zeros for chunks that have no file; if left out, only where values
                are whole numbers: label images leave out what is empty, densities are damaged.

        Raises:
            InputFileError: If chunks are missing or damaged.
        """
        if may_lack_chunks is None:
            may_lack_chunks = np.dtype(self.level.dtype).kind not in "fc"
        try:
            if not may_lack_chunks:
                check_chunks(self.path, self.level_name)
            return np.asarray(self.level[...])
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise InputFileError(
                f"{self.path}: chunks cannot be read ({_reason(error)}); copy the folder again"
            ) from error


def is_zarr(path: Path) -> bool:
    """Whether the folder is a zarr group or array of either format."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zarray"))


def read_zarr_header(path: Path) -> VolumeHeader:
    """Shape, type, scale (as Å/px) and translation (as origin in Å) of level 0."""
    return volume_header(open_image(path))


def open_zarr(path: Path, *, may_lack_chunks: bool | None = None) -> _Opened:
    """The header and the values of level 0, decompressed into memory; see `ZarrImage.values`."""
    image = open_image(path)
    header = volume_header(image)
    return header, image.values(may_lack_chunks=may_lack_chunks).reshape(header.shape)


def write_zarr(folder: Path, volume: Volume, *, version: Version = "0.4", name: str = "") -> None:
    """Fill `folder` with a one-level OME-Zarr image, slab by slab.

    Args:
        folder: Made if absent; not atomic by itself (`volumes.write_volume` is).
        volume: Values are stored in their own type.
        version: Of OME-NGFF; 0.4 is read by all, 0.5 needs version 3 of the zarr library.
        name: Of the image in the metadata.
    """
    write_image(
        folder,
        [volume.array],
        pixel_size=volume.pixel_size,
        origin_zyx=volume.origin_xyz[::-1],
        version=version,
        name=name,
    )


def write_image(
    folder: Path,
    levels: Sequence[Array],
    *,
    pixel_size: float,
    origin_zyx: tuple[float, float, float] = (0.0, 0.0, 0.0),
    version: Version = "0.4",
    name: str = "",
    max_chunk: int = _MAX_CHUNK,
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Fill `folder` with an OME-Zarr image, slab by slab.

    Args:
        folder: Made if absent; not atomic by itself.
        levels: (z, y, x) or (channel, z, y, x), each sampled half as finely as the one before and
            averaged, so that its first voxel's centre lies half a finer voxel further in.
        pixel_size: Of level 0, in Å.
        origin_zyx: Centre of level 0's first voxel, in Å.
        version: Of OME-NGFF.
        name: Of the image in the metadata.
        max_chunk: Longest side of a chunk, in voxels.
        attributes: Further attributes of the group (JSON).
    """
    zarr_format: Literal[2, 3] = 2 if version == "0.4" else 3
    group = new_group(folder, zarr_format)
    for number, values in enumerate(levels):
        lead = values.shape[:-3]
        sides = tuple(min(side, max_chunk) for side in values.shape[-3:])
        level = new_array(
            group,
            str(number),
            shape=values.shape,
            chunks=(1,) * len(lead) + sides,
            dtype=values.dtype.newbyteorder("="),
            zarr_format=zarr_format,
        )
        for channel in np.ndindex(*lead):
            for start in range(0, values.shape[-3], sides[0]):
                part = (*channel, slice(start, start + sides[0]))
                level[part] = values[part]
                release_pages(values)
    image = _multiscale(levels, pixel_size, origin_zyx, version, name)
    if version == "0.4":
        group.attrs["multiscales"] = [image]
    else:
        group.attrs["ome"] = {"version": version, "multiscales": [image]}
    group.attrs.update(dict(attributes or {}))


def _multiscale(
    levels: Sequence[Array],
    pixel_size: float,
    origin_zyx: tuple[float, float, float],
    version: str,
    name: str,
) -> dict[str, Any]:
    """The metadata of an image, in Å."""
    num_channel_axes = levels[0].ndim - 3
    axes = [{"name": "c", "type": "channel"}] * num_channel_axes
    axes += [{"name": axis, "type": "space", "unit": "angstrom"} for axis in "zyx"]
    datasets = []
    for number in range(len(levels)):
        side = pixel_size * 2**number
        shift = 0.5 * (side - pixel_size)
        scale = [1.0] * num_channel_axes + [side] * 3
        translation = [0.0] * num_channel_axes + [start + shift for start in origin_zyx]
        steps: list[dict[str, Any]] = [
            {"type": "scale", "scale": scale},
            {"type": "translation", "translation": translation},
        ]
        datasets.append({"path": str(number), "coordinateTransformations": steps})
    image: dict[str, Any] = {"name": name, "axes": axes, "datasets": datasets}
    if version == "0.4":
        image["version"] = version
    return image


def open_image(path: Path) -> ZarrImage:
    """Level 0 of an image on disk, whatever its channels; no value is read.

    Raises:
        InputFileError: If the folder is no readable image.
        MetadataError: If voxels are no cubes.
    """
    return image_in(path, str(path))


def image_in(path: Path, store: Any) -> ZarrImage:  # noqa: ANN401 - zarr is untyped
    """As `open_image`, from any store that the zarr library opens; `path` is named in errors."""
    import zarr

    try:
        node: Any = zarr.open(store, mode="r")
        attributes = dict(node.attrs)
        image = _image(attributes)
        levels = image.get("datasets", [])
        is_group = hasattr(node, "group_keys")
        name = str(levels[0]["path"]) if levels else "0" if is_group else ""
        level = node[name] if name else node
        tuple(level.shape), np.dtype(level.dtype)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise InputFileError(
            f"{path}: not a readable OME-Zarr image ({_reason(error)}), expected a group with "
            "multiscales; check the folder"
        ) from error
    voxel_zyx, origin_zyx = _sampling(image)
    pixel_size = isotropic_pixel_size(path, voxel_zyx[::-1])
    z, y, x = origin_zyx
    return ZarrImage(path, name, level, pixel_size, (z, y, x), attributes)


def volume_header(image: ZarrImage) -> VolumeHeader:
    """What the image says of a volume of one channel."""
    shape = tuple(image.level.shape)
    num_axes = len(shape)
    if num_axes < 3 or math.prod(shape[: num_axes - 3]) != 1:
        raise InputFileError(
            f"{image.path}: level 0 has shape {shape}, expected one channel of z, y, x; choose a "
            "channel"
        )
    if 0 in shape:
        raise InputFileError(
            f"{image.path}: level 0 has shape {shape}, which holds no voxel; make the volume anew"
        )
    z, y, x = shape[num_axes - 3 :]
    origin_xyz = (image.origin_zyx[2], image.origin_zyx[1], image.origin_zyx[0])
    dtype = np.dtype(image.level.dtype)
    return VolumeHeader((z, y, x), image.pixel_size, origin_xyz, dtype, "ome-zarr")


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
