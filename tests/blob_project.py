"""A copick project of bright and dark blobs that a tiny network learns in seconds."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.io.copick.project import PicksKey, Project, open_project

PIXEL_SIZE = 10.0
SHAPE = (32, 64, 64)
TRUTH = Source("curation", "0")
OBJECTS: tuple[dict[str, Any], ...] = (
    {"name": "bright", "is_particle": True, "label": 3, "radius": 60.0},
    {"name": "dark", "is_particle": True, "label": 1, "radius": 40.0},
)
SIGN = {"bright": 1.0, "dark": -1.0}
WIDTH = {"bright": 2.5, "dark": 1.7}
"""Standard deviation in voxels."""
SMALL = (16, 32, 32)
"""Of runs that are as large as a crop."""
VOXELS_PER_BLOB = 8192

TINY: dict[str, Any] = {
    "network_settings": {"channels": [8, 16, 24], "blocks": [1, 1, 1]},
    "crop_size": (32, 32, 32),
    "steps": 40,
    "learning_rate": 1e-2,
    "ema_decay": 0.9,
    "centre_weight": 64.0,
    "validations": 2,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
}
"""Settings of a training of seconds."""
SHORT = {**TINY, "steps": 2, "validations": 1, "crop_size": SMALL}
"""Settings of a training on small runs that ends before anything is learnt."""


def blob(shape: Sequence[int], centre_zyx_px: Sequence[float], width_px: float) -> np.ndarray:
    """A Gaussian of height one."""
    z, y, x = (
        np.exp(-0.5 * ((np.arange(side) - place) / width_px) ** 2)
        for side, place in zip(shape, centre_zyx_px, strict=True)
    )
    return np.einsum("z,y,x->zyx", z, y, x)


def centroid(values: np.ndarray) -> np.ndarray:
    """Centre of mass in voxels."""
    grid = np.indices(values.shape).reshape(3, -1)
    weight = values.reshape(-1).astype(np.float64)
    return grid @ weight / weight.sum()


def empty_project(folder: Path, objects: Sequence[dict[str, Any]] = OBJECTS) -> Project:
    """A project without runs."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{folder.name}.json"
    content = {
        "config_type": "filesystem",
        "name": folder.name,
        "pickable_objects": list(objects),
        "overlay_root": f"local://{folder / 'overlay'}",
    }
    path.write_text(json.dumps(content))
    return open_project(path)


def places(shape: Sequence[int], count: int, rng: np.random.Generator) -> np.ndarray:
    """Places between voxels, none closer than nine voxels to another, three from the border."""
    found: list[np.ndarray] = []
    while len(found) < count:
        place = rng.uniform(3, np.array(shape) - 4)
        if all(np.linalg.norm(place - other) > 9 for other in found):
            found.append(place)
    return np.array(found)


def blobs(seed: int, shape: tuple[int, int, int] = SHAPE) -> tuple[np.ndarray, dict[str, Any]]:
    """Noise with blobs of both kinds, and where they are in voxels."""
    rng = np.random.default_rng(seed)
    values = 0.3 * rng.normal(size=shape)
    count = int(np.prod(shape)) // VOXELS_PER_BLOB
    all_places = places(shape, count - count % len(SIGN), rng)
    truth = dict(zip(SIGN, np.split(all_places, len(SIGN)), strict=True))
    for name, centres in truth.items():
        for centre in centres:
            values += SIGN[name] * 2 * blob(shape, centre, WIDTH[name])
    return values.astype(np.float32), truth


def add_run(project: Project, run: str, seed: int, shape: tuple[int, int, int] = SHAPE) -> None:
    """A run with its tomogram and true picks."""
    values, truth = blobs(seed, shape)
    project.write_tomogram(run, Volume(values, PIXEL_SIZE), "wbp")
    for name, centres in truth.items():
        project.write_picks(run, PicksKey(name, TRUTH), Picks(centres * PIXEL_SIZE))


def blob_project(folder: Path, num_runs: int = 3, shape: tuple[int, int, int] = SHAPE) -> Project:
    """Runs TS_1, TS_2 ... of one sampling."""
    project = empty_project(folder)
    for number in range(num_runs):
        add_run(project, f"TS_{number + 1}", number, shape)
    return project
