"""Pictures and volumes of a training run while it goes on; nothing of the run is disturbed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import nn

from icelens.core.data.tomograms import TomogramRow
from icelens.core.data.volume import Volume
from icelens.core.events import OnEvent, Saved, ignore
from icelens.core.io.atomic import atomic_path
from icelens.core.io.volumes import open_volume
from icelens.core.plots.slices import orthogonal_slices, power_spectra
from icelens.tasks.restore.restorer import Restorer, prepare_network

LARGEST_PICTURE = 512  # voxels along a side of a drawn slice; larger tomograms are thinned out


@dataclass(frozen=True)
class Previews:
    """Predicts chosen tomograms with the averaged network now and then, and at the end."""

    restorer: Restorer
    rows: Sequence[TomogramRow]
    folder: Path
    every: int
    num_steps: int
    on_event: OnEvent

    def __call__(self, network: nn.Module, step: int) -> None:
        """Write `preview/<tomogram>_step_<step>.mrc` with its pictures, if it is time."""
        if step % self.every and step != self.num_steps:
            return
        ready = prepare_network(network, self.restorer.compute)
        restorer = replace(self.restorer, network=ready)
        for row in self.rows:
            paths = restorer.files(row)
            target = self.folder / f"{tomogram_name(paths[0])}_step_{step:06d}.mrc"
            restorer.restore_to_file(row, target, on_event=ignore)
            self.on_event(Saved(target, "preview"))
            for picture in draw(paths[0], target, row.pixel_size):
                self.on_event(Saved(picture, "picture"))


def draw(before: Path, after: Path, pixel_size: float) -> list[Path]:
    """Slices and power spectra before and after, as PNG beside `after`."""
    volumes = {
        "before": thinned(open_volume(before, pixel_size=pixel_size, pixel_size_from="metadata")),
        "restored": thinned(open_volume(after, pixel_size=pixel_size)),
    }
    written = []
    for name, figure in (
        ("slices", orthogonal_slices(volumes, pixel_size)),
        ("power", power_spectra(volumes, pixel_size)),
    ):
        path = after.with_name(f"{after.stem}_{name}.png")
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="png")
        written.append(path)
    return written


def thinned(volume: Volume) -> npt.NDArray[np.float32]:
    """The middle of a volume, no more than `LARGEST_PICTURE` voxels along a side, as float32."""
    parts = []
    for size in volume.shape:
        begin = max(0, (size - LARGEST_PICTURE) // 2)
        parts.append(slice(begin, begin + min(size, LARGEST_PICTURE)))
    return np.asarray(volume.array[tuple(parts)], np.float32)


def tomogram_name(path: Path) -> str:
    """What a tomogram is called: its file without suffixes and without the half's token."""
    name = path.name
    for suffix in (".gz", ".mrc", ".mrcs", ".rec", ".map", ".st", ".tif", ".tiff", ".zarr"):
        name = name.removesuffix(suffix)
    for token in ("EVN", "ODD", "EVEN", "even", "odd", "evn", "half1", "half2"):
        for joint in ("_", "-", "."):
            name = name.removesuffix(joint + token)
    return name
