"""Pictures and volumes of a training run while it goes on; nothing of the run is disturbed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from icelens.core.data.tomograms import TomogramRow
from icelens.core.events import OnEvent, Saved, ignore
from icelens.core.io.atomic import atomic_path
from icelens.core.io.pairs import tomogram_name
from icelens.core.io.volumes import open_volume
from icelens.core.plots.middle import middle_of
from icelens.core.plots.slices import orthogonal_slices, power_spectra
from icelens.tasks.restore.restorer import Restorer, prepare_network


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
        "before": middle_of(
            open_volume(before, pixel_size=pixel_size, pixel_size_from="metadata").array
        ),
        "restored": middle_of(open_volume(after, pixel_size=pixel_size).array),
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
