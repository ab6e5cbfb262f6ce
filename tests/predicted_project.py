"""A small project with simulated predictions: probabilities and labels of two kinds of particle."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from icelens.core.data.pickable import Source
from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.io.copick.project import (
    Features,
    PicksKey,
    Project,
    SegmentationKey,
    TomogramKey,
    open_project,
)

PIXEL_SIZE = 10.0
SHAPE = (32, 48, 40)
PREDICTED = Source("icelens", "1")
OBJECTS: tuple[dict[str, Any], ...] = (
    {"name": "ribosome", "is_particle": True, "label": 2, "radius": 80.0},
    {"name": "ferritin", "is_particle": True, "label": 1, "radius": 50.0},
    {"name": "membrane", "is_particle": False, "label": 3},
)
TRUTH = {
    "ribosome": np.array([[100.0, 120.0, 90.0], [150.0, 330.0, 280.0]]),
    "ferritin": np.array([[200.0, 100.0, 300.0], [90.0, 250.0, 130.0], [240.0, 400.0, 95.0]]),
}
"""Positions zyx in Å."""


def new_project(folder: Path, objects: Sequence[Mapping[str, Any]] = OBJECTS) -> Project:
    """A project without predictions: one tomogram in the run TS_1."""
    path = folder / "project.json"
    content = {
        "config_type": "filesystem",
        "pickable_objects": list(objects),
        "overlay_root": f"local://{folder}/overlay",
    }
    path.write_text(json.dumps(content))
    project = open_project(path)
    add_tomogram(project, "TS_1")
    return project


def add_tomogram(project: Project, run: str) -> None:
    """An empty tomogram: nothing here looks at its values."""
    project.write_tomogram(run, Volume(np.zeros(SHAPE, np.float32), PIXEL_SIZE), "wbp")


def probability(positions: np.ndarray, radius: float, *, height: float = 0.9) -> np.ndarray:
    """Blobs of 0.6 radii on the grid of half resolution."""
    coarse = [size // 2 for size in SHAPE]
    grid = np.stack(np.meshgrid(*map(np.arange, coarse), indexing="ij"), axis=-1)
    centres = grid * 2 * PIXEL_SIZE + 0.5 * PIXEL_SIZE
    result = np.zeros(coarse)
    for position in positions:
        away = np.linalg.norm(centres - position, axis=-1)
        result = np.maximum(result, height / (1 + np.exp((away - 0.6 * radius) / 8.0)))
    return result


def write_probabilities(
    project: Project,
    run: str = "TS_1",
    *,
    names: Sequence[str] = ("ferritin", "ribosome"),
    heights: Mapping[str, float] | None = None,
    **attributes: Any,
) -> None:
    """Probabilities as `icelens pick segment` leaves them."""
    radii = {each.name: each.radius or 60.0 for each in project.objects}
    maps = [
        probability(TRUTH.get(name, np.empty((0, 3))), radii.get(name, 60.0),
                    height=(heights or {}).get(name, 0.9))
        for name in names
    ]  # fmt: skip
    half = 0.5 * PIXEL_SIZE
    features = Features(
        np.stack(maps).astype(np.float16),
        2 * PIXEL_SIZE,
        (half, half, half),
        {"objects": list(names)} | attributes,
    )
    key = TomogramKey(PIXEL_SIZE, "wbp")
    project.write_features(run, key, "predict-icelens-1", features)


def write_labels(project: Project, run: str = "TS_1") -> None:
    """Balls of 0.7 radii, as a multilabel segmentation at full resolution."""
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1) * PIXEL_SIZE
    labels = np.zeros(SHAPE, np.uint8)
    for name, positions in TRUTH.items():
        each = project.find(name)
        for position in positions:
            away = np.linalg.norm(grid - position, axis=-1)
            labels[away <= 0.7 * each.known_radius()] = each.label
    key = SegmentationKey(PIXEL_SIZE, "predict", PREDICTED, is_multilabel=True)
    project.write_segmentation(run, key, Volume(labels, PIXEL_SIZE))


def read(project: Project, name: str, run: str = "TS_1", source: Source = PREDICTED) -> Picks:
    """Picks that a job wrote, sorted by position."""
    picks = project.read_picks(run, PicksKey(name, source))
    order = np.lexsort(picks.position_zyx.T[::-1])
    return Picks(
        picks.position_zyx[order], picks.rotation[order], picks.species, picks.score[order],
        picks.tomogram_id,
    )  # fmt: skip
