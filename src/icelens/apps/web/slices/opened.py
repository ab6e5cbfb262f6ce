"""Volumes kept open between requests: a few, with their greys, read anew when they change."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from icelens.apps.web.slices.greys import Greys, greys_of
from icelens.apps.web.slices.unpacked import LARGEST_UNPACKED, Array, ZarrPlanes, unpacked
from icelens.core.errors import InputFileError
from icelens.core.io.volume_header import VolumeHeader
from icelens.core.io.volumes import read_header

MOST_OPEN = 8
Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, eq=False)
class OpenVolume:
    """A volume from which planes are taken; `stamp` tells this writing of the file from others."""

    header: VolumeHeader
    array: Array | ZarrPlanes
    greys: Greys
    stamp: Stamp

    @property
    def num_bytes(self) -> int:
        """Of the values, wherever they lie."""
        return math.prod(self.header.shape) * self.header.dtype.itemsize


class OpenVolumes:
    """The volumes looked at last; the one looked at longest ago makes room."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: OrderedDict[Path, OpenVolume] = OrderedDict()

    def open(self, path: Path) -> OpenVolume:
        """The volume, from the cache if its file is still the same.

        The file's size is compared each time: a memory map of a file that shrank must not be read.

        Raises:
            InputFileError: If it is missing, truncated, changing, or no volume.
            MetadataError: If its voxels are no cubes.
        """
        stamp = stamp_of(path)
        known = self._kept.pop(path, None)
        if known is None or known.stamp != stamp:
            known = _opened(path, stamp)
        self._kept[path] = known
        while len(self._kept) > MOST_OPEN or self._num_bytes() > LARGEST_UNPACKED:
            if len(self._kept) == 1:
                break
            self._kept.popitem(last=False)
        return known

    def _num_bytes(self) -> int:
        return sum(each.num_bytes for each in self._kept.values())


def stamp_of(path: Path) -> Stamp:
    """What changes when a file or a Zarr folder is written anew.

    Raises:
        InputFileError: If there is no such file.
    """
    try:
        inside = [path / name for name in (".zattrs", "zarr.json", "0", "0/.zarray")]
        looked_at = [path, *(each for each in inside if path.is_dir() and each.exists())]
        found = [each.stat() for each in looked_at]
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}); check that it is still there"
        ) from error
    return tuple((each.st_mtime_ns, each.st_size, each.st_ino) for each in found)


def _opened(path: Path, stamp: Stamp) -> OpenVolume:
    header = read_header(path)
    array = unpacked(path, header)
    greys = greys_of(array)
    if stamp_of(path) != stamp:
        raise InputFileError(f"{path}: is being written; look again when it is finished")
    return OpenVolume(header, array, greys, stamp)
