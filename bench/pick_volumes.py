"""What the measurements of pick work on: a tomogram of noise with picks, and an untrained model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.pickable import PickableObject
from icelens.core.data.volume import Volume
from icelens.core.io.copick.project import open_project
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.network import SegmentationNetwork
from icelens.training.checkpoint import save_checkpoint

FULL_SHAPE, QUICK_SHAPE = (184, 630, 630), (184, 320, 320)
"""Of a tomogram of the CZII challenge, and a quarter of it, (z, y, x)."""
PIXEL_SIZE, TYPE = 10.0, "wiener"
HALF_UNET: dict[str, Any] = {
    "architecture": "half-unet",
    "channels": [32, 64, 96, 96],
    "blocks": [1, 1, 1, 1],
}
"""Half-unet with the channels of the reference's default."""
OBJECTS = tuple(
    PickableObject(name, label, radius, metadata={"score_weight": 1.0})
    for label, (name, radius) in enumerate(
        {
            "apoferritin": 60.0,
            "beta-amylase": 65.0,
            "beta-galactosidase": 90.0,
            "ribosome": 150.0,
            "thyroglobulin": 130.0,
            "virus-like-particle": 135.0,
        }.items(),
        start=1,
    )
)
"""The six objects of the challenge with its radii in Å."""


def noise(shape: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """White noise `(z, y, x)`."""
    return np.random.default_rng(1).standard_normal(shape, np.float32)


def noisy_tomogram(shape: tuple[int, int, int], picks_each: int = 60) -> LabelledTomogram:
    """Noise with picks of every object anywhere, as training holds it in memory."""
    kind = np.repeat(np.arange(len(OBJECTS)), picks_each)
    centre = np.random.default_rng(2).uniform(0, 1, (len(kind), 3)) * (np.array(shape) - 1)
    return LabelledTomogram(
        "TS_01", (noise(shape).astype(np.float16),), PIXEL_SIZE, centre, kind, None
    )


def write_project(folder: Path, shape: tuple[int, int, int]) -> Path:
    """A project with one run of noise; returns its configuration."""
    path = folder / "project.json"
    objects = [
        {"name": each.name, "is_particle": True, "label": each.label, "radius": each.radius}
        for each in OBJECTS
    ]
    content = {"pickable_objects": objects, "overlay_root": f"local://{folder.resolve()}/overlay"}
    path.write_text(json.dumps(content))
    open_project(path).write_tomogram("TS_01", Volume(noise(shape), PIXEL_SIZE), TYPE)
    return path


def write_model(path: Path, network: SegmentationNetwork) -> None:
    """A checkpoint as `icelens pick train` would make it."""
    description: dict[str, Any] = {
        "task": "pick",
        "network": network.settings,
        "stride": network.stride,
        "objects": [
            {"name": each.name, "label": each.label, "radius": each.radius, "weight": 1.0}
            for each in OBJECTS
        ],
        "voxel_size": PIXEL_SIZE,
        "tomogram_types": [TYPE],
        "targets": {"kind": "centres", "radius_scale": 0.7, "crop_size": [96, 96, 96]},
        "thresholds": {},
    }
    save_checkpoint(path, network.state_dict(), description)
