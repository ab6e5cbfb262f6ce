"""A root folder in copick's filesystem layout: where everything lies, read and written."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.atomic import atomic_folder
from icelens.core.io.copick.keys import (
    Features,
    PicksKey,
    SegmentationKey,
    TomogramKey,
    picks_file,
    picks_key,
    segmentation_folder,
    segmentation_key,
    spacing_folder,
    spacing_of,
)
from icelens.core.io.copick.pyramid import halved
from icelens.core.io.ome_zarr import (
    Array,
    ZarrImage,
    open_image,
    open_zarr,
    read_zarr_header,
    write_image,
)
from icelens.core.io.picks import read_copick, write_copick
from icelens.core.io.volume_header import CONTRADICTION, VolumeHeader

RUNS = "ExperimentRuns"
_FEATURES = "_features"
_LEVELS = 3
_MAX_CHUNK = 256


@dataclass(frozen=True)
class CopickFolder:
    """One root, static or overlay; the folder need not exist yet."""

    root: Path

    def run_names(self) -> set[str]:
        """Folders of runs."""
        return {path.name for path in _visible(self.root / RUNS) if path.is_dir()}

    def tomograms(self, run: str) -> set[TomogramKey]:
        """Every image of every sampling that is not one of features."""
        return {
            TomogramKey(spacing, path.name.removesuffix(".zarr"))
            for spacing, path in self._images(run)
            if _FEATURES not in path.name
        }

    def tomogram_header(self, run: str, key: TomogramKey) -> VolumeHeader:
        """Shape and sampling of the finest level."""
        return read_zarr_header(self._tomogram(run, key))

    def open_tomogram(self, run: str, key: TomogramKey) -> Volume:
        """The finest level; its own metadata say the sampling, which the folder rounds.

        Raises:
            InputFileError: If chunks are missing.
            MetadataError: If metadata and folder differ by more than 1 %.
        """
        path = self._tomogram(run, key)
        header, array = open_zarr(path, may_lack_chunks=False)
        pixel_size = agreed_pixel_size(path, header.pixel_size, key.pixel_size)
        return Volume(array, pixel_size, header.origin_xyz)

    def write_tomogram(self, run: str, volume: Volume, key: TomogramKey) -> Path:
        """Write float32 in three levels."""
        levels = [np.asarray(volume.array, np.float32)]
        while len(levels) < _LEVELS:
            levels.append(halved(levels[-1]))
        path = self._tomogram(run, key)
        self._mark(path)
        with atomic_folder(path) as folder:
            write_image(
                folder,
                levels,
                pixel_size=volume.pixel_size,
                origin_zyx=volume.origin_xyz[::-1],
                name="/",
                max_chunk=_MAX_CHUNK,
            )
        return path

    def picks(self, run: str) -> set[PicksKey]:
        """Every file of picks whose name has copick's form."""
        names = (path.name for path in _visible(self._run(run) / "Picks", ".json"))
        return {key for key in map(picks_key, names) if key is not None}

    def read_picks(self, run: str, key: PicksKey) -> Picks:
        """Picks of one object, maybe none; the translation of a pose is added to its location."""
        found = read_copick(self._run(run) / "Picks" / picks_file(key), tomogram_id=run)
        return Picks(
            found.position_zyx,
            found.rotation,
            (key.name,) * len(found),
            found.score,
            found.tomogram_id,
        )

    def write_picks(self, run: str, key: PicksKey, picks: Picks) -> Path:
        """Write picks of one object."""
        path = self._run(run) / "Picks" / picks_file(key)
        self._mark(path)
        write_copick(
            path,
            picks,
            user_id=key.source.user_id,
            session_id=key.source.session_id,
            species=key.name,
            run_name=run,
        )
        return path

    def segmentations(self, run: str) -> set[SegmentationKey]:
        """Every segmentation whose name has copick's form."""
        names = (path.name for path in _visible(self._run(run) / "Segmentations", ".zarr"))
        return {key for key in map(segmentation_key, names) if key is not None}

    def read_segmentation(self, run: str, key: SegmentationKey) -> Volume:
        """Labels; chunks without a file are background.

        Raises:
            InputFileError: If a value is no whole number from 0.
        """
        path = self._run(run) / "Segmentations" / segmentation_folder(key)
        header, array = open_zarr(path, may_lack_chunks=True)
        check_labels(path, array)
        pixel_size = agreed_pixel_size(path, header.pixel_size, key.pixel_size)
        return Volume(array, pixel_size, header.origin_xyz)

    def write_segmentation(self, run: str, key: SegmentationKey, labels: Volume) -> Path:
        """Write one level of uint8.

        Raises:
            MetadataError: If a value is no whole number from 0 to 255.
        """
        path = self._run(run) / "Segmentations" / segmentation_folder(key)
        values = labels.array.astype(np.uint8)
        if not np.array_equal(values, labels.array):
            raise MetadataError(
                f"{path}: holds values that are no whole numbers from 0 to 255; labels of more "
                "objects do not fit a segmentation"
            )
        self._mark(path)
        with atomic_folder(path) as folder:
            write_image(
                folder,
                [values],
                pixel_size=labels.pixel_size,
                origin_zyx=labels.origin_xyz[::-1],
                name="/",
                max_chunk=_MAX_CHUNK,
            )
        return path

    def features(self, run: str, key: TomogramKey) -> set[str]:
        """Names of the images beside a tomogram."""
        start, end = f"{key.tomogram_type}_", f"{_FEATURES}.zarr"
        return {
            path.name.removeprefix(start).removesuffix(end)
            for spacing, path in self._images(run)
            if spacing == key.pixel_size and path.name.startswith(start) and path.name.endswith(end)
        }

    def read_features(self, run: str, key: TomogramKey, name: str) -> Features:
        """All channels; an image of one channel may lack that axis, and its sampling."""
        path = self._features(run, key, name)
        image = open_image(path)
        return features_of(image, image.values(may_lack_chunks=False), key.pixel_size)

    def write_features(self, run: str, key: TomogramKey, name: str, features: Features) -> Path:
        """Write all channels, one to a chunk."""
        path = self._features(run, key, name)
        self._mark(path)
        with atomic_folder(path) as folder:
            write_image(
                folder,
                [features.array],
                pixel_size=features.pixel_size,
                origin_zyx=features.origin_zyx,
                name="/",
                max_chunk=_MAX_CHUNK,
                attributes={"icelens": dict(features.attributes)},
            )
        return path

    def _run(self, run: str) -> Path:
        return self.root / RUNS / run

    def _tomogram(self, run: str, key: TomogramKey) -> Path:
        folder = self._run(run) / spacing_folder(key.pixel_size)
        return folder / f"{key.tomogram_type}.zarr"

    def _features(self, run: str, key: TomogramKey, name: str) -> Path:
        folder = self._run(run) / spacing_folder(key.pixel_size)
        return folder / f"{key.tomogram_type}_{name}{_FEATURES}.zarr"

    def _images(self, run: str) -> Iterator[tuple[float, Path]]:
        """Images of all samplings, each with its sampling."""
        for folder in _visible(self._run(run)):
            spacing = spacing_of(folder.name)
            if folder.name.startswith("VoxelSpacing") and spacing is not None:
                for path in _visible(folder, ".zarr"):
                    yield spacing, path

    def _mark(self, path: Path) -> None:
        """Make the folders above `path`, with the marks that copick leaves in its own.

        Raises:
            InputFileError: If the root cannot be written.
        """
        run = self.root / RUNS / path.relative_to(self.root / RUNS).parts[0]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            for folder in (run, path.parent):
                mark = folder / ".meta"
                if (folder == run or folder.name.startswith("VoxelSpacing")) and not mark.exists():
                    mark.write_text("meta", encoding="utf-8")
        except OSError as error:
            raise InputFileError(
                f"{self.root}: cannot write here ({error.strerror}); make the overlay writable or "
                "name another overlay_root"
            ) from error


def features_of(image: ZarrImage, array: Array, pixel_size: float) -> Features:
    """Features from an image, which may lack the axis of channels, and its sampling in Å.

    Raises:
        InputFileError: If it has other axes.
    """
    if array.ndim not in (3, 4):
        raise InputFileError(
            f"{image.path}: features of shape {array.shape}, expected (channel, z, y, x)"
        )
    return Features(
        array[None] if array.ndim == 3 else array,
        pixel_size if image.pixel_size is None else image.pixel_size,
        image.origin_zyx,
        dict(image.attributes.get("icelens", {})),
    )


def check_labels(path: Path, array: Array) -> None:
    """Refuse densities and probabilities in the place of labels.

    Raises:
        InputFileError: If a value is no whole number from 0.
    """
    if array.dtype.kind in "ub":
        return
    values = array.astype(np.float64)
    is_label = (values >= 0) & (values == np.floor(values))
    if not is_label.all():
        raise InputFileError(
            f"{path}: holds values such as {values[~is_label][0]:g}, expected labels, which are "
            "whole numbers from 0; write it as labels"
        )


def agreed_pixel_size(path: Path, found: float | None, expected: float) -> float:
    """The sampling that the metadata say, if it is what the name says."""
    if found is None:
        return expected
    if abs(found - expected) > CONTRADICTION * expected:
        raise MetadataError(
            f"{path}: the metadata say {found:g} Å/px but the name says {expected:g} Å/px; "
            "correct one of them"
        )
    return found


def _visible(folder: Path, suffix: str = "") -> list[Path]:
    """What is in a folder, in the order of names, without hidden files; nothing if it is absent."""
    if not folder.is_dir():
        return []
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise InputFileError(
            f"{folder}: cannot be read ({error.strerror}); check its permissions"
        ) from error
    return [path for path in inside if not path.name.startswith(".") and path.name.endswith(suffix)]
