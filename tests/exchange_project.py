"""A small copick project of turned particles in two runs, for tests of export and extract."""

import json
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.io.copick.project import PicksKey, Project, open_project

PIXEL_SIZE = 10.0
SHAPE = (40, 56, 64)
RUNS = ("TS_1", "TS_2")
SOURCE = ("icelens", "1")
OBJECTS = [
    {"name": "ribosome", "is_particle": True, "label": 2, "radius": 150.0, "color": [255, 0, 0, 1]},
    {"name": "apoferritin", "is_particle": True, "label": 5, "radius": 60.0},
    {"name": "membrane", "is_particle": False, "label": 7},
]
ARM = 4.0
"""Voxels from the middle of a particle to the smaller blob that lies on its own x axis."""


def make_project(folder: Path) -> Path:
    """Two runs: ribosomes turned at random, one apoferritin in the first run, dark as measured."""
    path = folder / "project.json"
    root = {"overlay_root": f"local://{folder}/overlay", "config_type": "filesystem"}
    path.write_text(json.dumps({"name": "test", "pickable_objects": OBJECTS, **root}))
    project = open_project(path)
    random = np.random.default_rng(3)
    for run in RUNS:
        picks = ribosomes(run, random)
        density = sum(
            particle(*each) for each in zip(picks.position_zyx, picks.rotation, strict=True)
        )
        dark = (5.0 - density).astype(np.float32)
        project.write_tomogram(run, Volume(dark, PIXEL_SIZE), "wbp")
        write(project, run, picks)
    lone = Picks(np.array([[200.0, 280.0, 320.0]]), species=("apoferritin",), tomogram_id=("TS_1",))
    write(project, "TS_1", lone)
    return path


def write(project: Project, run: str, picks: Picks, source: tuple[str, str] = SOURCE) -> None:
    """Write picks of one object."""
    project.write_picks(run, PicksKey(picks.species[0], Source(*source)), picks)


def ribosomes(run: str, random: np.random.Generator) -> Picks:
    """Four well separated picks between voxels."""
    corners = np.array([[20, 14, 16], [20, 14, 46], [20, 40, 16], [20, 40, 46]])
    return Picks(
        (corners + random.uniform(-0.5, 0.5, (4, 3))) * PIXEL_SIZE,
        Rotation.random(4, rng=random).as_matrix(),
        ("ribosome",) * 4,
        np.array([0.2, 0.4, 0.6, 0.8]),
        (run,) * 4,
    )


def particle(position_zyx: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """A blob, and a smaller one on the particle's own x axis."""
    centre = position_zyx / PIXEL_SIZE
    arm_zyx = (rotation @ [ARM, 0.0, 0.0])[::-1]
    return blob(centre) + 0.5 * blob(centre + arm_zyx)


def blob(centre_zyx: np.ndarray) -> np.ndarray:
    """A Gaussian of 1.3 voxels."""
    axes = [
        np.exp(-((np.arange(n) - c) ** 2) / 3.38) for n, c in zip(SHAPE, centre_zyx, strict=True)
    ]
    return np.einsum("z,y,x->zyx", *axes)
