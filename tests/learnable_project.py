"""A tiny project that a network learns in a few steps, for tests of training on several runs."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.io.copick.project import PicksKey, open_project

SHAPE = (32, 48, 48)
PIXEL_SIZE = 10.0
SOURCE = Source("curation", "0")
TINY: dict[str, Any] = {
    "network_settings": {"channels": [4, 8], "blocks": [1, 1]},
    "crop_size": (16, 32, 32),
    "steps": 4,
    "validations": 2,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
}
"""Settings that train in a moment."""


def learnable_project(folder: Path, num_runs: int = 3) -> Path:
    """Runs TS_1, TS_2 and so on with four bright balls each, two kinds by their size."""
    path = folder / "project.json"
    objects = [
        {"name": "ball", "is_particle": True, "label": 1, "radius": 60.0},
        {"name": "bead", "is_particle": True, "label": 2, "radius": 30.0},
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"pickable_objects": objects, "overlay_root": f"local://{folder}/overlay"})
    )
    project = open_project(path)
    z, y, x = np.mgrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    for number in range(num_runs):
        rng = np.random.default_rng(number)
        values = rng.normal(size=SHAPE).astype(np.float32)
        places = {"ball": [(16, 12, 12), (16, 36, 36)], "bead": [(16, 12, 36), (16, 36, 12)]}
        for name, centres in places.items():
            radius = 5 if name == "ball" else 2
            jittered = np.array(centres) + rng.integers(-3, 4, (2, 3))
            for centre in jittered:
                distance = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
                values[distance <= radius**2] += 6.0
            picks = Picks(jittered * PIXEL_SIZE)
            project.write_picks(f"TS_{number + 1}", PicksKey(name, SOURCE), picks)
        project.write_tomogram(f"TS_{number + 1}", Volume(values, PIXEL_SIZE), "wbp")
    return path
