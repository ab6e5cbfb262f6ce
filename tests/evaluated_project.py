"""A small copick project whose picks are known to be true, missed or false."""

import json
from pathlib import Path

import numpy as np

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.io.copick.project import PicksKey, Project, open_project

TRUTH = Source("curation", "0")
FOUND = Source("icelens", "1")
PIXEL_SIZE = 10.0
SHAPE = (16, 40, 40)
OBJECTS = (
    {"name": "ribosome", "label": 1, "radius": 60.0, "is_particle": True, "metadata": {}},
    {"name": "ferritin", "label": 2, "radius": 40.0, "is_particle": True,
     "metadata": {"score_weight": 2}},
    {"name": "membrane", "label": 3, "is_particle": False},
)  # fmt: skip

Rows = list[tuple[float, float, float]]


def new_project(folder: Path, objects: tuple[dict[str, object], ...] = OBJECTS) -> Project:
    """An empty project."""
    (folder / "overlay").mkdir()
    content = {
        "config_type": "filesystem",
        "name": "toy",
        "description": "",
        "version": "1.0",
        "pickable_objects": [{"color": [1, 2, 3, 255], **each} for each in objects],
        "overlay_root": f"local://{folder / 'overlay'}",
    }
    path = folder / "project.json"
    path.write_text(json.dumps(content))
    return open_project(path)


def write(
    project: Project,
    run: str,
    name: str,
    source: Source,
    rows: Rows,
    score: list[float] | None = None,
) -> None:
    """Picks of one object at (z, y, x) in Å."""
    picks = Picks(
        np.array(rows, np.float64).reshape(-1, 3),
        species=(name,) * len(rows),
        score=np.array(score or []),
        tomogram_id=(run,) * len(rows),
    )
    project.write_picks(run, PicksKey(name, source), picks)


def write_tomogram(project: Project, run: str, tomogram_type: str = "wbp") -> None:
    """Noise."""
    noise = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    project.write_tomogram(run, Volume(noise, PIXEL_SIZE), tomogram_type)


def scored_project(folder: Path) -> Project:
    """Two runs: of 4 ribosomes 3 are found, with 2 false picks; of 2 ferritins 1, with none."""
    project = new_project(folder)
    for run in ("TS_1", "TS_2"):
        write(project, run, "ribosome", TRUTH, [(50, 50, 50), (50, 200, 200)])
        write(project, run, "ferritin", TRUTH, [(100, 300, 100)])
        write_tomogram(project, run)
    write(project, "TS_1", "ribosome", FOUND, [(54, 50, 50), (50, 203, 200), (50, 60, 50)],
          [0.9, 0.8, 0.3])  # fmt: skip
    write(project, "TS_1", "ferritin", FOUND, [(100, 300, 100)], [0.7])
    write(project, "TS_2", "ribosome", FOUND, [(50, 50, 50), (100, 300, 110)], [0.6, 0.4])
    write(project, "TS_2", "ferritin", FOUND, [])
    return project
