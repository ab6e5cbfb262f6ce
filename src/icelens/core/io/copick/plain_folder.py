"""A plain folder as a project: tomograms, tables of coordinates, and a table of objects.

    DIR/TS_1.mrc, DIR/denoised/TS_1.mrc     run TS_1, types raw and denoised
    DIR/*.star, DIR/*.csv, DIR/picks/*      coordinates, told apart by tomogram and species
    DIR/picks/TS_1/ribosome.json            coordinates of one species in one run (copick)
    DIR/objects.csv                         name, radius and maybe label, weight, is_particle

What is written goes into the same folder in copick's layout.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io import mrc, ome_zarr, tiff
from icelens.core.io.copick.coordinate_tables import PICKS_FOLDER, run_of, tables_of
from icelens.core.io.copick.keys import (
    Features,
    PicksKey,
    SegmentationKey,
    TomogramKey,
    copick_name,
)
from icelens.core.io.copick.layout import RUNS
from icelens.core.io.copick.object_table import OBJECTS_FILE, objects_of
from icelens.core.io.volume_header import VolumeHeader
from icelens.core.io.volumes import open_volume, read_header

RAW = "raw"
FOLDER = Source("folder", "0")
"""Source of coordinates that a plain folder holds."""

_NO_TOMOGRAMS = {RUNS, PICKS_FOLDER, "labels", "masks", "mask", "tilts", "Objects"}
_SUFFIXES = (*mrc.SUFFIXES, ".mrc.gz", *tiff.SUFFIXES, ome_zarr.SUFFIX)
# Halves lie in folders of their own, with the word in their names as well.
_HALF = re.compile(r"[_-](evn|even|odd|half_?[12])\Z", re.IGNORECASE)


def open_plain_folder(path: Path) -> tuple[tuple[PickableObject, ...], "PlainFolder"]:
    """Find the tomograms and coordinates of a folder, and the objects they make.

    Raises:
        InputFileError: If there is no tomogram, or a table cannot be read.
        MetadataError: If two files are the same tomogram, or objects clash.
    """
    files = dict(_tomogram_files(path))
    if not files and not (path / RUNS).is_dir():
        raise InputFileError(
            f"{path}: no tomogram in it ({', '.join(_SUFFIXES)}), nor in its folders; expected a "
            "copick configuration (JSON) or a folder of tomograms"
        )
    extents = {run: (file, read_header(file)) for (run, _), file in reversed(files.items())}
    picks = tables_of(path, extents)
    species = {key for of_run in picks.values() for key in of_run}
    return objects_of(path / OBJECTS_FILE, species), PlainFolder(path, files, picks)


@dataclass(frozen=True)
class PlainFolder:
    """Reads a plain folder: `files` by run and type, `coordinates` by run and species."""

    path: Path
    files: Mapping[tuple[str, str], Path]
    coordinates: Mapping[str, Mapping[str, Picks]]

    def run_names(self) -> set[str]:
        """Runs with a tomogram; coordinates of others belong to no run."""
        return {run for run, _ in self.files}

    def tomograms(self, run: str) -> set[TomogramKey]:
        """A key for each file of the run.

        Raises:
            MetadataError: If a header does not know its pixel size.
        """
        return {
            TomogramKey(_pixel_size(file, read_header(file)), kind)
            for (name, kind), file in self.files.items()
            if name == run
        }

    def tomogram_header(self, run: str, key: TomogramKey) -> VolumeHeader:
        """The file's header."""
        return read_header(self.files[run, key.tomogram_type])

    def open_tomogram(self, run: str, key: TomogramKey) -> Volume:
        """A memory map, where the format allows."""
        return open_volume(self.files[run, key.tomogram_type])

    def picks(self, run: str) -> set[PicksKey]:
        """All species of the run."""
        return {PicksKey(name, FOLDER) for name in self.coordinates.get(run, {})}

    def read_picks(self, run: str, key: PicksKey) -> Picks:
        """Coordinates of one species."""
        return self.coordinates[run][key.name]

    def segmentations(self, run: str) -> set[SegmentationKey]:
        """None: they are in copick's layout."""
        del run
        return set()

    def read_segmentation(self, run: str, key: SegmentationKey) -> Volume:
        """There is none."""
        raise InputFileError(f"{self.path}: run {run} holds no {key}")

    def features(self, run: str, key: TomogramKey) -> set[str]:
        """None: they are in copick's layout."""
        del run, key
        return set()

    def read_features(self, run: str, key: TomogramKey, name: str) -> Features:
        """There are none."""
        raise InputFileError(f"{self.path}: {key} of run {run} has no {name}")


def _tomogram_files(path: Path) -> Iterator[tuple[tuple[str, str], Path]]:
    """Each tomogram with its run and type, by type and run; a file found twice is refused."""
    places = [(RAW, path)]
    for folder in sorted(path.iterdir()):
        is_other = folder.name in _NO_TOMOGRAMS or folder.name.startswith(".")
        if folder.is_dir() and not is_other and not ome_zarr.is_zarr(folder):
            places.append((copick_name(folder.name), folder))
    seen: dict[tuple[str, str], Path] = {}
    for kind, folder in places:
        for file in sorted(folder.iterdir()):
            if not file.name.lower().endswith(_SUFFIXES) or file.name.startswith("."):
                continue
            run = run_of(file.name)
            run = run if folder == path else _HALF.sub("", run)
            if (run, kind) in seen:
                raise MetadataError(
                    f"{file}: is tomogram {kind} of run {run}, and so is {seen[run, kind]}; "
                    "rename or move one"
                )
            seen[run, kind] = file
            yield (run, kind), file


def _pixel_size(file: Path, header: VolumeHeader) -> float:
    """The sampling, rounded as in a project."""
    if header.pixel_size is None:
        raise MetadataError(
            f"{file}: the header does not know the pixel size (0, 1 or absent); write it into the "
            "header, or make a project with `icelens pick import --voxel-size`"
        )
    return round(header.pixel_size, 3)
