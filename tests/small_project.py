"""A small copick project for tests of pick: noise with labelled places, in two runs."""

import json
from pathlib import Path

import numpy as np

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.io.copick.project import PicksKey, Project, open_project

OBJECTS = [
    {"name": "ribosome", "is_particle": True, "label": 2, "radius": 50.0},
    {"name": "apoferritin", "is_particle": True, "label": 5, "radius": 30.0},
    {"name": "membrane", "is_particle": False, "label": 7},
]
SHAPE = (16, 20, 24)
PIXEL_SIZE = 10.0
CURATION = Source("curation", "0")
RIBOSOMES = np.array([[60.0, 60.0, 60.0], [80.0, 130.0, 170.0]])
FERRITINS = np.array([[62.5, 110.0, 61.0], [85.0, 160.0, 195.0], [30.0, 30.0, 200.0]])


def small_project(folder: Path, objects: list[dict[str, object]] | None = None) -> Project:
    """Runs TS_1 with picks of both particles, and TS_2 with an empty list of ribosomes."""
    path = folder / "project.json"
    content = {"pickable_objects": objects or OBJECTS, "overlay_root": f"local://{folder}/overlay"}
    path.write_text(json.dumps(content))
    project = open_project(path)
    generator = np.random.default_rng(0)
    for run in ("TS_1", "TS_2"):
        values = generator.normal(size=SHAPE).astype(np.float32)
        project.write_tomogram(run, Volume(values, PIXEL_SIZE), "wbp")
    project.write_picks("TS_1", PicksKey("ribosome", CURATION), Picks(RIBOSOMES))
    project.write_picks("TS_1", PicksKey("apoferritin", CURATION), Picks(FERRITINS))
    project.write_picks("TS_2", PicksKey("ribosome", CURATION), Picks(np.empty((0, 3))))
    return project
