"""A project: runs with tomograms, picks, segmentations and features, wherever they lie."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from icelens.core.data.index_list import is_share, share_of
from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.copick.config import read_project_file
from icelens.core.io.copick.keys import (
    Features,
    PicksKey,
    SegmentationKey,
    TomogramKey,
    check_name,
)
from icelens.core.io.copick.layout import CopickFolder
from icelens.core.io.copick.store import Store, WritableStore
from icelens.core.io.volume_header import CONTRADICTION, VolumeHeader

__all__ = [
    "Features",
    "PicksKey",
    "Project",
    "SegmentationKey",
    "TomogramKey",
    "open_project",
]

KeyT = TypeVar("KeyT")


@dataclass(frozen=True)
class Project:
    """What one project holds: `static` stores are read, `overlay` is also written.

    Where both hold the same thing, the overlay's is taken. `listed_runs` are the only ones there
    are, unless it is None.
    """

    path: Path
    name: str
    objects: tuple[PickableObject, ...]
    static: tuple[Store, ...]
    overlay: WritableStore
    listed_runs: tuple[str, ...] | None = None

    def find(self, name: str) -> PickableObject:
        """The object of that name.

        Raises:
            MetadataError: If there is none, naming those there are.
        """
        for each in self.objects:
            if each.name == name:
                return each
        known = _listed(each.name for each in self.objects)
        raise MetadataError(f"{self.path}: no object {name}; there are {known}")

    def radius_of(self, each: PickableObject) -> float:
        """The radius of an object in Å.

        Raises:
            MetadataError: If it is missing or impossible, naming the project.
        """
        try:
            return each.known_radius()
        except MetadataError as error:
            raise MetadataError(f"{self.path}: {error}") from error

    def particles(self) -> tuple[PickableObject, ...]:
        """Objects that are particles, by label."""
        chosen = (each for each in self.objects if each.is_particle)
        return tuple(sorted(chosen, key=lambda each: each.label))

    def run_names(self) -> tuple[str, ...]:
        """All runs, in the order of their names."""
        if self.listed_runs is not None:
            return tuple(sorted(self.listed_runs))
        return tuple(sorted(set().union(*(store.run_names() for store in self._stores()))))

    def select_runs(self, names: Sequence[str]) -> tuple[str, ...]:
        """The runs named, in that order; all of them if none is; a share of them for `2/5`.

        Raises:
            MetadataError: If a run is not there, or the project has none.
        """
        known = self.run_names()
        if len(names) == 1 and is_share(names[0]) and known:
            return share_of(names[0], known, name=str(self.path))
        unknown = [name for name in names if name not in known]
        if unknown:
            raise MetadataError(
                f"{self.path}: no run {', '.join(unknown)}; there are {_listed(known)}"
            )
        if not known:
            raise MetadataError(f"{self.path}: holds no run; import tomograms first")
        return tuple(dict.fromkeys(names)) or known

    def tomograms(self, run: str) -> tuple[TomogramKey, ...]:
        """Reconstructions of a run, by sampling and type."""
        found = self._all(lambda store: store.tomograms(run))
        return tuple(sorted(found, key=lambda key: (key.pixel_size, key.tomogram_type)))

    def choose_tomogram(
        self, run: str, pixel_size: float | None, tomogram_type: str | None
    ) -> TomogramKey:
        """The only reconstruction of that sampling (within 1 %) and type; None fits all.

        Raises:
            MetadataError: If none or several fit, naming what there is.
        """
        known = self.tomograms(run)
        fitting = [key for key in known if tomogram_type in (None, key.tomogram_type)]
        if pixel_size is not None:
            offsets = {key: abs(key.pixel_size - pixel_size) for key in fitting}
            near = min(offsets.values(), default=0.0)
            fitting = [
                key
                for key, offset in offsets.items()
                if offset == near and offset <= CONTRADICTION * pixel_size
            ]
        if len(fitting) == 1:
            return fitting[0]
        wanted = f"{tomogram_type or 'any type'} at " + (
            "any voxel size" if pixel_size is None else f"{pixel_size:g} Å"
        )
        if not known:
            raise MetadataError(
                f"{self.path}: run {run} has no tomogram; import one, or leave it out"
            )
        problem = "no" if not fitting else "more than one"
        raise MetadataError(
            f"{self.path}: run {run} has {problem} tomogram of {wanted}; there are "
            f"{_listed(known)}, choose with --voxel-size and --tomogram-type"
        )

    def tomogram_header(self, run: str, key: TomogramKey) -> VolumeHeader:
        """Shape and sampling, without the values."""
        return self._holder(run, key, lambda store: store.tomograms(run)).tomogram_header(run, key)

    def tomogram_shape(self, run: str, key: TomogramKey) -> tuple[int, int, int]:
        """Voxels (z, y, x), without reading the values."""
        return self.tomogram_header(run, key).shape

    def open_tomogram(self, run: str, key: TomogramKey) -> Volume:
        """The finest level; its `pixel_size` is exact, that of the key is rounded to 0.001 Å.

        Raises:
            InputFileError: If there is no such tomogram, or chunks of it are missing.
        """
        return self._holder(run, key, lambda store: store.tomograms(run)).open_tomogram(run, key)

    def write_tomogram(self, run: str, volume: Volume, tomogram_type: str) -> Path:
        """Write a reconstruction in three levels.

        Raises:
            InputFileError: If the overlay cannot be written.
            MetadataError: If the type cannot be part of a file name.
        """
        key = TomogramKey(round(volume.pixel_size, 3), check_name(tomogram_type, "tomogram type"))
        return self.overlay.write_tomogram(run, volume, key)

    def picks(self, run: str) -> tuple[PicksKey, ...]:
        """Picks of a run, by object and source."""
        return tuple(sorted(self._all(lambda store: store.picks(run)), key=str))

    def read_picks(self, run: str, key: PicksKey) -> Picks:
        """Picks of one object and source, maybe none.

        Raises:
            InputFileError: If there are no such picks, naming those there are, or they are damaged.
        """
        return self._holder(run, key, lambda store: store.picks(run)).read_picks(run, key)

    def write_picks(self, run: str, key: PicksKey, picks: Picks) -> Path:
        """Write picks of one object, in the place of earlier ones; an empty list, too.

        Raises:
            InputFileError: If the overlay cannot be written.
            MetadataError: If the picks are of another object or run.
        """
        _check_source_names(key.name, key.source.user_id, key.source.session_id)
        for found, expected, what in (
            (picks.species, key.name, "object"),
            (picks.tomogram_id, run, "run"),
        ):
            others = set(found) - {"", expected}
            if others:
                raise MetadataError(
                    f"{self.path}: picks of {what} {_listed(others)} cannot be written as "
                    f"{expected}; write each {what} by itself"
                )
        return self.overlay.write_picks(run, key, picks)

    def segmentations(self, run: str) -> tuple[SegmentationKey, ...]:
        """Segmentations of a run, by name and source."""
        return tuple(sorted(self._all(lambda store: store.segmentations(run)), key=str))

    def read_segmentation(self, run: str, key: SegmentationKey) -> Volume:
        """Labels of the finest level.

        Raises:
            InputFileError: If there is no such segmentation, naming those there are.
        """
        holder = self._holder(run, key, lambda store: store.segmentations(run))
        return holder.read_segmentation(run, key)

    def write_segmentation(self, run: str, key: SegmentationKey, labels: Volume) -> Path:
        """Write labels as uint8.

        Raises:
            InputFileError: If the overlay cannot be written.
            MetadataError: If a value does not fit, or a name cannot be part of a file name.
        """
        _check_source_names(key.name, key.source.user_id, key.source.session_id)
        return self.overlay.write_segmentation(run, key, labels)

    def features(self, run: str, key: TomogramKey) -> tuple[str, ...]:
        """Names of the features of a tomogram."""
        return tuple(sorted(self._all(lambda store: store.features(run, key))))

    def read_features(self, run: str, key: TomogramKey, name: str) -> Features:
        """All channels of one kind of features.

        Raises:
            InputFileError: If there are no such features, naming those there are.
        """
        holder = self._holder(run, name, lambda store: store.features(run, key))
        return holder.read_features(run, key, name)

    def write_features(self, run: str, key: TomogramKey, name: str, features: Features) -> Path:
        """Write features of a tomogram, which need not be in the overlay.

        Raises:
            InputFileError: If the overlay cannot be written.
            MetadataError: If the name cannot be part of a file name.
        """
        return self.overlay.write_features(run, key, check_name(name, "features"), features)

    def _stores(self) -> tuple[Store, ...]:
        return (*self.static, self.overlay)

    def _all(self, listed: Callable[[Store], set[KeyT]]) -> set[KeyT]:
        return set().union(*(listed(store) for store in self._stores()))

    def _holder(self, run: str, key: KeyT, listed: Callable[[Store], set[KeyT]]) -> Store:
        """The store that has it, the overlay first."""
        for store in reversed(self._stores()):
            if key in listed(store):
                return store
        known = self._all(listed)
        others = f"there are {_listed(known)}" if known else "there is nothing of the kind"
        raise InputFileError(f"{self.path}: run {run} holds no {key}; {others}")


def open_project(path: Path) -> Project:
    """Open the configuration of a copick project (JSON), or a plain folder of tomograms.

    Raises:
        InputFileError: If there is no such file, or it is neither.
        MetadataError: If its objects clash.
    """
    if path.is_dir():
        from icelens.core.io.copick.plain_folder import open_plain_folder

        objects, folder = open_plain_folder(path)
        return Project(path, path.resolve().name, objects, (folder,), CopickFolder(path))
    file = read_project_file(path)
    if file.is_remote or file.overlay_root is None:
        from icelens.core.io.copick.remote_project import open_remote

        objects, reader, writer = open_remote(path, file.overlay_root)
        return Project(path, file.name, objects, (reader,), writer, file.runs)
    static = () if file.static_root is None else (CopickFolder(file.static_root),)
    overlay = CopickFolder(file.overlay_root)
    return Project(path, file.name, file.objects, static, overlay, file.runs)


def _check_source_names(name: str, user_id: str, session_id: str) -> None:
    for text, what in ((name, "name"), (user_id, "user"), (session_id, "session")):
        check_name(text, what)


def _listed(items: Iterable[object]) -> str:
    """At most ten items, in order, as one reads them."""
    texts = sorted(str(item) for item in items)
    more = f" and {len(texts) - 10} more" if len(texts) > 10 else ""
    return (", ".join(texts[:10]) or "none") + more
