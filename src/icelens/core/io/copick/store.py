"""What a project asks of a place where data lie: a copick root, a plain folder, or a remote one."""

from pathlib import Path
from typing import Protocol, runtime_checkable

from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.io.copick.keys import Features, PicksKey, SegmentationKey, TomogramKey
from icelens.core.io.volume_header import VolumeHeader


@runtime_checkable
class Store(Protocol):
    """Lists and reads; what is listed for a run that is not there is nothing."""

    def run_names(self) -> set[str]:
        """Runs of which anything is here."""
        ...

    def tomograms(self, run: str) -> set[TomogramKey]:
        """Reconstructions of a run."""
        ...

    def tomogram_header(self, run: str, key: TomogramKey) -> VolumeHeader:
        """Shape and sampling, without the values."""
        ...

    def open_tomogram(self, run: str, key: TomogramKey) -> Volume:
        """The finest level, in Å."""
        ...

    def picks(self, run: str) -> set[PicksKey]:
        """Picks of a run."""
        ...

    def read_picks(self, run: str, key: PicksKey) -> Picks:
        """Picks with the species and the run that they are listed under."""
        ...

    def segmentations(self, run: str) -> set[SegmentationKey]:
        """Segmentations of a run."""
        ...

    def read_segmentation(self, run: str, key: SegmentationKey) -> Volume:
        """Labels of the finest level."""
        ...

    def features(self, run: str, key: TomogramKey) -> set[str]:
        """Names of what was computed for a tomogram."""
        ...

    def read_features(self, run: str, key: TomogramKey, name: str) -> Features:
        """All channels."""
        ...


@runtime_checkable
class WritableStore(Store, Protocol):
    """Also writes; everything is written whole or not at all."""

    def write_tomogram(self, run: str, volume: Volume, key: TomogramKey) -> Path:
        """Three levels, each half as fine as the one before."""
        ...

    def write_picks(self, run: str, key: PicksKey, picks: Picks) -> Path:
        """An empty list, too."""
        ...

    def write_segmentation(self, run: str, key: SegmentationKey, labels: Volume) -> Path:
        """Values as uint8."""
        ...

    def write_features(self, run: str, key: TomogramKey, name: str, features: Features) -> Path:
        """All channels in their own type."""
        ...
