"""A phantom like the tomograms of the CZII challenge: five species, simulated, Wiener-filtered."""

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.command import CommandError, Usage, run_icelens
from icelens.core.data.pickable import PickableObject, Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.io.copick.project import PicksKey, Project, open_project
from icelens.core.io.volumes import open_volume

SHARED_MAPS = Path(os.environ.get("ICELENS_SHARED_DATA", "../shared/data")) / "maps_10A"
PIXEL_SIZE, TYPE, TRUTH = 10.0, "wiener", Source("curation", "0")


@dataclass(frozen=True)
class Species:
    """A map of `SHARED_MAPS` and what the challenge says of it: radius in Å, weight."""

    map_name: str
    radius: float
    weight: float


SPECIES = {
    "apoferritin": Species("6pxm", 60.0, 1.0),
    "beta-galactosidase": Species("1f4a", 90.0, 2.0),
    "ribosome": Species("6qzp", 150.0, 1.0),
    "thyroglobulin": Species("7n4y", 130.0, 2.0),
    "virus-like-particle": Species("8tux", 135.0, 1.0),
}
OBJECTS = tuple(
    PickableObject(name, label, each.radius, metadata={"score_weight": each.weight})
    for label, (name, each) in enumerate(SPECIES.items(), start=1)
)
TRAINING, HIDDEN = ("TS_1", "TS_2", "TS_3"), ("TS_4", "TS_5")
DEFOCUS = dict(zip((*TRAINING, *HIDDEN), (28000, 35000, 42000, 31000, 38500), strict=True))
"""Underfocus of each run in Å."""


@dataclass(frozen=True)
class Phantom:
    """Size of the tomograms (z, y, x), molecules in each, and contrast of the specimen."""

    shape: tuple[int, int, int] = (64, 192, 192)
    particles: int = 71
    signal: float = 0.2


def make_project(folder: Path, phantom: Phantom) -> tuple[Path, Usage]:
    """Simulate five tomograms, filter them, and make a project; returns it with what that cost.

    Raises:
        CommandError: If the maps are not at hand, or a command fails.
    """
    maps = [SHARED_MAPS.resolve() / f"{each.map_name}.mrc" for each in SPECIES.values()]
    absent = [str(path) for path in maps if not path.exists()]
    if absent:
        raise CommandError(
            f"no {', '.join(absent)}; name their folder's parent by ICELENS_SHARED_DATA"
        )
    path = folder / "project.json"
    path.write_text(json.dumps(_configuration(folder)))
    project = open_project(path)
    side = ",".join(str(each) for each in phantom.shape)
    spent = Usage(0.0, 0.0, 0)
    for number, (run, defocus) in enumerate(DEFOCUS.items(), start=1):
        for command in (
            f"simulate tomograms --maps {','.join(shlex.quote(str(each)) for each in maps)} "
            f"--shape {side} --pixel-size {PIXEL_SIZE} --particles {phantom.particles} --count 1 "
            f"--seed {100 + number} --recording.defocus {defocus} "
            f"--recording.signal {phantom.signal} --output simulated_{run}",
            f"restore deconvolve --star simulated_{run}/tomograms.star --output filtered_{run}",
        ):
            spent = _sum(spent, run_icelens(command, folder))
        _take_over(project, run, folder / f"simulated_{run}", folder / f"filtered_{run}")
    return path, spent


def write_fewer_picks(project: Project, count: int, seed: int) -> Source:
    """Keep about `count` picks of the training runs, as many of each object; returns their source.

    The other particles stay in the tomograms without a label, as where somebody stopped picking.
    """
    source = Source(f"some{count}", "0")
    rng = np.random.default_rng(seed)
    for each in OBJECTS:
        of_run = {run: project.read_picks(run, PicksKey(each.name, TRUTH)) for run in TRAINING}
        owner = np.repeat(np.array(TRAINING), [len(picks) for picks in of_run.values()])
        chosen = np.zeros(len(owner), bool)
        wanted = min(round(count / len(OBJECTS)), len(owner))
        chosen[rng.permutation(len(owner))[:wanted]] = True
        for run, picks in of_run.items():
            project.write_picks(
                run, PicksKey(each.name, source), picks.select(chosen[owner == run])
            )
    return source


def _configuration(folder: Path) -> dict[str, object]:
    objects = [
        {
            "name": each.name,
            "is_particle": True,
            "label": each.label,
            "radius": each.radius,
            "metadata": dict(each.metadata),
        }
        for each in OBJECTS
    ]
    overlay = f"local://{folder.resolve()}/overlay"
    return {"name": "phantom", "pickable_objects": objects, "overlay_root": overlay}


def _take_over(project: Project, run: str, simulated: Path, filtered: Path) -> None:
    """The filtered tomogram and the true picks of one simulated run."""
    array = open_volume(filtered / "TS_01_deconvolved.mrc", pixel_size=PIXEL_SIZE).array
    project.write_tomogram(run, Volume(array, PIXEL_SIZE), TYPE)
    truth = open_project(simulated)
    for name, species in SPECIES.items():
        (key,) = [key for key in truth.picks("TS_01") if key.name == species.map_name]
        places = truth.read_picks("TS_01", key).position_zyx
        words = ((name,) * len(places), (run,) * len(places))
        picks = Picks(places, species=words[0], tomogram_id=words[1])
        project.write_picks(run, PicksKey(name, TRUTH), picks)


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.cpu_seconds + other.cpu_seconds,
        one.wall_seconds + other.wall_seconds,
        max(one.peak_bytes, other.peak_bytes),
    )
