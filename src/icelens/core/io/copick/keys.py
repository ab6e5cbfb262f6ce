"""Names of what a project holds, and the file names copick gives them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.pickable import Source
from icelens.core.errors import GeometryError, MetadataError

# copick joins names by underscores and puts them into file names, so they hold none of these.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1F\x7F\s_]')


@dataclass(frozen=True)
class TomogramKey:
    """One reconstruction of a run: `pixel_size` in Å as the project names it, to 0.001 Å."""

    pixel_size: float
    tomogram_type: str

    def __str__(self) -> str:
        """As copick writes it: `wbp@10`."""
        return f"{self.tomogram_type}@{self.pixel_size:g}"


@dataclass(frozen=True)
class PicksKey:
    """Picks of the object `name`, made by `source`."""

    name: str
    source: Source

    def __str__(self) -> str:
        """As one types it: `ribosome,curation,0`."""
        return f"{self.name},{self.source}"


@dataclass(frozen=True)
class SegmentationKey:
    """A segmentation; a multilabel one holds the labels of objects, the others 0 and 1."""

    pixel_size: float
    name: str
    source: Source
    is_multilabel: bool

    def __str__(self) -> str:
        """As one types it, with the sampling: `targets,icelens,1@10`."""
        return f"{self.name},{self.source}@{self.pixel_size:g}"


@dataclass(frozen=True, eq=False)
class Features:
    """Numbers of several channels at each point of a grid: `array` (channel, z, y, x).

    `pixel_size` is in Å, `origin_zyx` the position of voxel (0, 0, 0) in Å from the centre of the
    tomogram's; `attributes` are carried along (JSON).
    """

    array: npt.NDArray[np.generic]
    pixel_size: float
    origin_zyx: tuple[float, float, float] = (0.0, 0.0, 0.0)
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what has no channels or no sampling."""
        if self.array.ndim != 4 or 0 in self.array.shape:
            raise GeometryError(
                f"expected features (channel, z, y, x) with no empty axis, got {self.array.shape}"
            )
        if not (np.isfinite(self.pixel_size) and self.pixel_size > 0):
            raise MetadataError(f"pixel size must be positive, got {self.pixel_size} Å/px")


def copick_name(text: str) -> str:
    """The name with what copick forbids (blanks, underscores, signs of paths) replaced by `-`.

    Raises:
        MetadataError: If nothing is left of it.
    """
    name = _FORBIDDEN.sub("-", text).strip("-")
    if not name:
        raise MetadataError(f"{text!r} cannot be a name; use letters, digits, . and -")
    return name


def check_name(text: str, what: str) -> str:
    """The name itself, if copick allows it.

    Raises:
        MetadataError: If it holds forbidden characters, with the name to use instead.
    """
    if text != copick_name(text):
        raise MetadataError(
            f"{what} {text!r} holds characters that file names of copick have no room for; "
            f"call it {copick_name(text)!r}"
        )
    return text


def spacing_folder(pixel_size: float) -> str:
    """Folder of the tomograms of one sampling."""
    return f"VoxelSpacing{pixel_size:.3f}"


def picks_file(key: PicksKey) -> str:
    """File of picks."""
    return f"{key.source.user_id}_{key.source.session_id}_{key.name}.json"


def picks_key(file_name: str) -> PicksKey | None:
    """What the file of picks holds by its name, None if that is not of copick's form."""
    words = file_name.removesuffix(".json").split("_", 2)
    if len(words) != 3 or not all(words):
        return None
    return PicksKey(words[2], Source(words[0], words[1]))


def segmentation_folder(key: SegmentationKey) -> str:
    """Folder of a segmentation."""
    source = key.source
    kind = "-multilabel" if key.is_multilabel else ""
    return f"{key.pixel_size:.3f}_{source.user_id}_{source.session_id}_{key.name}{kind}.zarr"


def segmentation_key(folder_name: str) -> SegmentationKey | None:
    """What the folder of a segmentation holds by its name, None if that is not of copick's form."""
    words = folder_name.removesuffix(".zarr").split("_", 3)
    pixel_size = spacing_of(words[0])
    if len(words) != 4 or not all(words) or pixel_size is None:
        return None
    name = words[3].removesuffix("-multilabel")
    return SegmentationKey(pixel_size, name, Source(words[1], words[2]), name != words[3])


def spacing_of(text: str) -> float | None:
    """The sampling in a folder's name, None if it is no positive number."""
    try:
        value = float(text.removeprefix("VoxelSpacing"))
    except ValueError:
        return None
    return value if np.isfinite(value) and value > 0 else None
