"""How near hetero comes to the truth of simulated sets, and the floors it has to beat.

`python -m bench.hetero_quality --set mixture --run FOLDER` scores a run on a set of
`bench.hetero_sets`, which is made in `--folder` if it is not there; without `--run` only the floors
are given. AUC-FSC is the mean over 100 spread images of the area under the FSC between the map
found for the image and the map it shows (ceiling 0.5), without a mask and in that of the whole
particle: all states together, widened by 6 px and softened over 6 more.
"""

import argparse
import csv
import math
import shlex
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from bench.command import run_icelens
from bench.figure import Figure
from icelens.core.data.latents import LatentTable
from icelens.core.data.particles import Particles
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.particle_sums import insert_particles
from icelens.core.fourier.wiener import reconstruct_halves
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.volumes import open_volume
from icelens.core.metrics.fsc_auc import fsc_auc
from icelens.core.metrics.latent import adjusted_rand_index, rank_correlation
from icelens.core.optics.image_source import ImageSource
from icelens.core.volumes.masks import density_mask
from icelens.core.volumes.to_box import to_box

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Maps = Iterable[torch.Tensor | npt.NDArray[np.floating]]

SCORED = 100
"""Images whose maps are compared, evenly spread over the set."""
MASK_WIDTH_PX = 6.0
_ONE_THREAD = "--device cpu --threads 1"
RUNS = {
    "linear": f"hetero linear {_ONE_THREAD}",
    "train": f"hetero train --latent-dim 8 --epochs 6 {_ONE_THREAD}",
    "train, one latent": f"hetero train --latent-dim 1 --epochs 12 {_ONE_THREAD}",
}
QUICK_RUNS = {"train": f"hetero train --latent-dim 8 --epochs 1 {_ONE_THREAD}"}
"""Commands that are scored, without their particles and output."""


@dataclass(frozen=True)
class HeteroSet:
    """A simulated set: `state` and `coordinate` (nan where states have no order) of each image."""

    folder: Path
    particles: Particles
    state: Integers
    coordinate: Floats
    maps: torch.Tensor
    mask: torch.Tensor
    pixel_size: float

    def spread(self) -> Integers:
        """Rows of the images that are scored: first images of particles, evenly spread."""
        _, first = np.unique(self.particles.particle, return_index=True)
        first.sort()
        places = np.linspace(0, len(first) - 1, min(SCORED, len(first))).astype(int)
        return first[np.unique(places)]


@dataclass(frozen=True)
class Area:
    """Mean AUC-FSC without and with the mask of the whole particle."""

    plain: float
    masked: float


def read_set(folder: Path) -> HeteroSet:
    """What `icelens simulate states` wrote into a folder."""
    particles = read_particles(folder / "particles.star").particles
    with (folder / "states.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    volumes = [open_volume(path) for path in sorted((folder / "maps").glob("state_*.mrc"))]
    maps = torch.stack([torch.from_numpy(np.array(each.array)) for each in volumes])
    size = float(particles.pixel_size()[0])
    mask = density_mask(maps.amax(dim=0), pixel_size=size, dilation=MASK_WIDTH_PX * size)
    coordinate = [float(line["coordinate"] or math.nan) for line in lines]
    state = np.array([int(line["state"]) for line in lines])
    return HeteroSet(folder, particles, state, np.array(coordinate), maps, mask, size)


def score_volumes(volumes: Maps, states: Sequence[int] | Integers, set_folder: Path) -> Area:
    """Compare maps with the truth of the states (from 0) that they should be.

    Args:
        volumes: Protein bright, in the frame and box of the truth; another sampling is brought to
            it. One at a time is enough.
        states: Of each.
        set_folder: Of the set.
    """
    return _area(volumes, states, read_set(set_folder))


def floors(folder: Path) -> dict[str, Area]:
    """What back-projection reaches: one map of all images, and one of each true state."""
    given = read_set(folder)
    rows = given.spread()
    states = given.state[rows]
    consensus = _reconstructed(given, np.arange(len(given.state)))
    of_state = {
        int(state): _reconstructed(given, np.flatnonzero(given.state == state))
        for state in np.unique(states)
    }
    return {
        "back-projection of all images": _area([consensus] * len(rows), states, given),
        "back-projection by true labels": _area([of_state[s] for s in states], states, given),
    }


def score(
    run_folder: Path, set_folder: Path, *, period: float | None = None
) -> Mapping[str, float]:
    """What a run of hetero found, against the truth of its set.

    Returns:
        `auc`, `masked auc`; with latents also `ARI` of k-means with as many clusters as states, and
        for states in order `rank correlation` with the true coordinate.
    """
    from icelens.tasks.hetero.hetero_run import open_hetero_run

    given, run = read_set(set_folder), open_hetero_run(run_folder)
    model = run.volume_model()
    table = run.latents() if run.latent_dim else None
    rows = given.spread() if table is None else _spread_lines(table)
    latent = np.zeros((len(rows), 0))
    if table is not None:
        latent, rows = table.latent[rows], table.row[rows]
    volumes = model.volumes(torch.from_numpy(latent).float())
    area = _area(volumes, given.state[rows], given)
    found = {"auc": area.plain, "masked auc": area.masked}
    if table is None:
        return found
    return found | latent_scores(
        table.latent, given.state[table.row], given.coordinate[table.row], period=period
    )


def latent_scores(
    latent: Floats, state: Integers, coordinate: Floats, *, period: float | None = None
) -> dict[str, float]:
    """How well latents `(particle, latent_dim)` part the states, and keep their order."""
    from sklearn.cluster import KMeans

    labels = KMeans(len(np.unique(state)), n_init=10, random_state=0).fit_predict(latent)
    found = {"ARI": adjusted_rand_index(labels, state)}
    if np.isfinite(coordinate).all():
        found["rank correlation"] = rank_correlation(latent, coordinate, period=period)
    return found


def figures_of(name: str, folder: Path, runs: Mapping[str, Path]) -> list[Figure]:
    """Rows for the floors of a set, and for runs on it."""
    from bench.hetero_sets import SETS

    plan, found = SETS[name], []
    said = iter(plan.floors)
    for what, area in floors(folder).items():
        for where, value in (("", area.plain), (" in the mask", area.masked)):
            found.append(Figure(f"{name}, {what}: AUC-FSC{where}", value, "", next(said)))
    for run_name, run in runs.items():
        scores = score(run, folder, period=plan.period)
        found += [Figure(f"{name}, {run_name}: {what}", each, "") for what, each in scores.items()]
    return found


def _spread_lines(table: LatentTable) -> Integers:
    return np.unique(np.linspace(0, len(table) - 1, min(SCORED, len(table))).astype(int))


def _area(volumes: Maps, states: Sequence[int] | Integers, given: HeteroSet) -> Area:
    plain, masked = [], []
    for volume, state in zip(volumes, states, strict=True):
        found = _on_grid(torch.as_tensor(volume).float().cpu(), given)
        plain.append(fsc_auc(found, given.maps[state]))
        masked.append(fsc_auc(found, given.maps[state], given.mask))
    return Area(float(np.mean(plain)), float(np.mean(masked)))


def _on_grid(volume: torch.Tensor, given: HeteroSet) -> torch.Tensor:
    """A map of the same width in another number of voxels, brought to those of the truth."""
    side = given.maps.shape[-1]
    return to_box(
        volume,
        pixel_size=given.pixel_size * side / volume.shape[-1],
        box_size=side,
        new_pixel_size=given.pixel_size,
    )


def _reconstructed(given: HeteroSet, rows: Integers) -> torch.Tensor:
    """The map of some images with Wiener weights from the FSC of their halves."""
    source = ImageSource(given.particles, ImageReader(given.particles), torch.device("cpu"))
    sums = []
    for half in (1, 2):
        chosen = rows[given.particles.half_set[rows] == half]
        sums.append(SliceSums(given.maps.shape[-1]))
        insert_particles(
            sums[-1], source, chosen, pixel_size=given.pixel_size, on_done=lambda _: None
        )
    return reconstruct_halves(sums[0], sums[1], pixel_size=given.pixel_size).full


def measure(*, quick: bool) -> list[Figure]:
    """Floors and runs of 8 minutes on one thread; if `quick` one set and one epoch."""
    from bench.hetero_sets import ensure_set

    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for set_name in ("mixture",) if quick else ("mixture", "igg"):
            given = ensure_set(set_name, folder)
            runs, spent = {}, {}
            for run_name, command in (QUICK_RUNS if quick else RUNS).items():
                runs[run_name] = folder / f"{set_name} {run_name}"
                particles = shlex.quote(str(given / "particles.star"))
                output = shlex.quote(str(runs[run_name]))
                words = f"{command} --particles {particles} --output {output}"
                spent[run_name] = run_icelens(words, folder).cpu_seconds
            found += figures_of(set_name, given, runs)
            found += [
                Figure(f"{set_name}, {each}: CPU", seconds, "CPU-s")
                for each, seconds in spent.items()
            ]
    return found


def main() -> None:
    """Print the rows of a set's floors and of a run on it."""
    from bench.hetero_sets import SETS, ensure_set

    parser = argparse.ArgumentParser(prog="python -m bench.hetero_quality", description=__doc__)
    parser.add_argument("--set", choices=list(SETS), default="mixture")
    parser.add_argument("--folder", type=Path, default=Path("hetero_sets"), help="of the sets")
    parser.add_argument("--run", type=Path, action="append", default=[], help="may be repeated")
    given = parser.parse_args()
    torch.set_num_threads(1)
    folder = ensure_set(given.set, given.folder)
    for figure in figures_of(given.set, folder, {run.name: run for run in given.run}):
        print(figure.row(), flush=True)


if __name__ == "__main__":
    main()
