"""Projects not on a local disk (S3, ssh, smb, data portal, croissant), read by copick itself."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import IcelensError, InputFileError
from icelens.core.io.copick.config import check_objects, object_from_json
from icelens.core.io.copick.keys import Features, PicksKey, SegmentationKey, TomogramKey
from icelens.core.io.copick.layout import CopickFolder, agreed_pixel_size, features_of
from icelens.core.io.copick.store import Store, WritableStore
from icelens.core.io.ome_zarr import ZarrImage, image_in, volume_header
from icelens.core.io.picks import checked_picks
from icelens.core.io.volume_header import VolumeHeader

Opened = tuple[tuple[PickableObject, ...], Store, WritableStore]


def open_remote(path: Path, overlay_root: Path | None) -> Opened:
    """Objects, what is read, and what is written of a project that copick reaches.

    Args:
        path: Its configuration.
        overlay_root: Where results go, if that is on a local disk.

    Raises:
        InputFileError: If copick is not installed, or cannot open the project.
        MetadataError: If objects clash.
    """
    try:
        import copick
    except ImportError as error:
        raise InputFileError(
            f"{path}: the project is not on a local disk, which needs the copick package; "
            "install it with pip install 'icelens[copick]'"
        ) from error
    with _reached(path):
        root = copick.from_file(str(path))
        entries = [each.model_dump(exclude_none=True) for each in root.config.pickable_objects]
    objects = tuple(object_from_json(entry) for entry in entries)
    check_objects(objects)
    reader = RemoteReader(path, root)
    writer = CopickFolder(overlay_root) if overlay_root else RemoteOverlay(path, root)
    return objects, reader, writer


@dataclass(frozen=True)
class RemoteReader:
    """Reads what copick lists; `root` is copick's own object."""

    path: Path
    root: Any

    def run_names(self) -> set[str]:
        """All runs."""
        with _reached(self.path):
            return {str(run.name) for run in self.root.runs}

    def tomograms(self, run: str) -> set[TomogramKey]:
        """All samplings and types."""
        return set(self._tomograms(run))

    def tomogram_header(self, run: str, key: TomogramKey) -> VolumeHeader:
        """From the metadata of the finest level."""
        return volume_header(self._image(self._tomograms(run)[key]))

    def open_tomogram(self, run: str, key: TomogramKey) -> Volume:
        """The finest level, copied here; every chunk must be there."""
        return self._volume(self._tomograms(run)[key], key.pixel_size, may_lack_chunks=False)

    def picks(self, run: str) -> set[PicksKey]:
        """All picks."""
        return set(self._picks(run))

    def read_picks(self, run: str, key: PicksKey) -> Picks:
        """Positions with the translations of their poses."""
        with _reached(self.path):
            points = self._picks(run)[key].points or []
            poses = np.array([point.transformation for point in points]).reshape(-1, 4, 4)
            places = [[p.location.x, p.location.y, p.location.z] for p in points]
            scores = [1.0 if point.score is None else point.score for point in points]
        position_xyz = np.reshape(np.asarray(places, np.float64), (-1, 3)) + poses[:, :3, 3]
        return checked_picks(
            self.path,
            position_zyx=position_xyz[:, ::-1],
            rotation=poses[:, :3, :3],
            species=(key.name,) * len(points),
            score=np.array(scores),
            tomogram_id=(run,) * len(points),
        )

    def segmentations(self, run: str) -> set[SegmentationKey]:
        """Those of one label and of several."""
        return set(self._segmentations(run))

    def read_segmentation(self, run: str, key: SegmentationKey) -> Volume:
        """Labels, copied here."""
        return self._volume(self._segmentations(run)[key], key.pixel_size, may_lack_chunks=True)

    def features(self, run: str, key: TomogramKey) -> set[str]:
        """Features of a tomogram."""
        return set(self._features(run, key))

    def read_features(self, run: str, key: TomogramKey, name: str) -> Features:
        """All channels, copied here."""
        image = self._image(self._features(run, key)[name])
        self._check(image)
        return features_of(image, image.values(may_lack_chunks=True), key.pixel_size)

    def _tomograms(self, run: str) -> dict[TomogramKey, Any]:
        with _reached(self.path):
            found = self.root.get_run(run)
            return {
                TomogramKey(round(spacing.voxel_size, 3), each.tomo_type): each
                for spacing in (found.voxel_spacings if found else ())
                for each in spacing.tomograms
            }

    def _picks(self, run: str) -> dict[PicksKey, Any]:
        with _reached(self.path):
            found = self.root.get_run(run)
            return {
                PicksKey(each.pickable_object_name, Source(each.user_id, each.session_id)): each
                for each in (found.picks if found else ())
            }

    def _segmentations(self, run: str) -> dict[SegmentationKey, Any]:
        with _reached(self.path):
            found = self.root.get_run(run)
            return {
                SegmentationKey(
                    round(each.voxel_size, 3),
                    each.name,
                    Source(each.user_id, each.session_id),
                    is_multilabel=bool(each.is_multilabel),
                ): each
                for each in (found.get_segmentations() if found else ())
            }

    def _features(self, run: str, key: TomogramKey) -> dict[str, Any]:
        tomogram = self._tomograms(run).get(key)
        with _reached(self.path):
            return {each.feature_type: each for each in (tomogram.features if tomogram else ())}

    def _image(self, holder: Any) -> ZarrImage:  # noqa: ANN401 - an object of copick
        with _reached(self.path):
            return image_in(self.path, holder.zarr())

    def _volume(self, holder: Any, pixel_size: float, *, may_lack_chunks: bool) -> Volume:  # noqa: ANN401
        image = self._image(holder)
        header = volume_header(image)
        if not may_lack_chunks:
            self._check(image)
        with _reached(self.path):
            array = image.values(may_lack_chunks=True).reshape(header.shape)
        used = agreed_pixel_size(self.path, header.pixel_size, pixel_size)
        return Volume(array, used, header.origin_xyz)

    def _check(self, image: ZarrImage) -> None:
        """Refuse an image that lacks chunks; here zarr can say it of any store."""
        with _reached(self.path):
            num, found = image.level.nchunks, image.level.nchunks_initialized
        if found < num:
            raise InputFileError(
                f"{self.path}: {num - found} of {num} chunks of {image.level.path} are missing; "
                "upload the image again"
            )


@dataclass(frozen=True)
class RemoteOverlay(RemoteReader):
    """Writes to a local folder first and uploads what is complete."""

    def write_tomogram(self, run: str, volume: Volume, key: TomogramKey) -> Path:
        """Upload three levels."""
        with self._uploaded() as folder:
            return folder.write_tomogram(run, volume, key).relative_to(folder.root)

    def write_picks(self, run: str, key: PicksKey, picks: Picks) -> Path:
        """Upload picks of one object."""
        with self._uploaded() as folder:
            return folder.write_picks(run, key, picks).relative_to(folder.root)

    def write_segmentation(self, run: str, key: SegmentationKey, labels: Volume) -> Path:
        """Upload labels."""
        with self._uploaded() as folder:
            return folder.write_segmentation(run, key, labels).relative_to(folder.root)

    def write_features(self, run: str, key: TomogramKey, name: str, features: Features) -> Path:
        """Upload all channels."""
        with self._uploaded() as folder:
            return folder.write_features(run, key, name, features).relative_to(folder.root)

    @contextmanager
    def _uploaded(self) -> Iterator[CopickFolder]:
        """A local root; the files written into it go to the overlay, and copick lists anew."""
        with tempfile.TemporaryDirectory(prefix="icelens-") as temporary:
            yield CopickFolder(Path(temporary))
            with _reached(self.path):
                system, root = self.root.fs_overlay, self.root.root_overlay
                for file in sorted(Path(temporary).rglob("*")):
                    if file.is_file():
                        target = f"{root}/{file.relative_to(temporary).as_posix()}"
                        system.makedirs(target.rpartition("/")[0], exist_ok=True)
                        system.pipe_file(target, file.read_bytes())
                self.root.refresh()


@contextmanager
def _reached(path: Path) -> Iterator[None]:
    """Tell what went wrong on the way to the files in one line; each backend has its own errors."""
    try:
        yield
    except IcelensError:
        raise
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputFileError(
            f"{path}: cannot be reached through copick ({reason}); check the roots, the network "
            "and your credentials"
        ) from error
