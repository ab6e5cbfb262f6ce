"""What a checkpoint of pick says about its model: written and read here alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import CheckpointError
from icelens.tasks.pick.train_settings import LearningConfig
from icelens.training.checkpoint import Checkpoint, load_checkpoint

if TYPE_CHECKING:
    from icelens.tasks.pick.network import SegmentationNetwork


def describe(
    config: LearningConfig,
    objects: Sequence[PickableObject],
    network: "SegmentationNetwork",
    pixel_size: float,
) -> dict[str, Any]:
    """What a prediction must know of the training; stored in the checkpoint."""
    return {
        "task": "pick",
        "network": network.settings,
        "stride": network.stride,
        "objects": [
            {
                "name": each.name,
                "label": each.label,
                "radius": each.radius,
                "weight": each.weight,
                "is_particle": each.is_particle,
            }
            for each in objects
        ],
        "voxel_size": pixel_size,
        "tomogram_types": list(config.tomogram_type),
        "targets": {
            "kind": "centres" if config.learns_centres else "spheres",
            "radius_scale": config.radius_scale,
            "crop_size": list(config.crop_size),
        },
        "thresholds": {},
    }


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in a model folder or file, if it is one of pick.

    Raises:
        CheckpointError: If it is not, or damaged.
    """
    checkpoint = load_checkpoint(path)
    known = checkpoint.description
    if known.get("task") != "pick" or "network" not in known or "objects" not in known:
        raise CheckpointError(
            f"{checkpoint.path}: a checkpoint of {known.get('task', 'an unknown task')}, expected "
            "one of pick; give a model that `icelens pick train` made"
        )
    return checkpoint


def objects_of(checkpoint: Checkpoint) -> tuple[PickableObject, ...]:
    """Objects that a model was trained for, in the order of its channels.

    Raises:
        CheckpointError: If their list is damaged.
    """
    try:
        return tuple(_object(each) for each in checkpoint.description["objects"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{checkpoint.path}: its description is damaged ({type(error).__name__}: {error}); "
            "copy it again or train again"
        ) from error


def _object(described: Mapping[str, Any]) -> PickableObject:
    """One object; where an older file does not say so, what has no radius is no particle."""
    radius, weight = described.get("radius"), described.get("weight", 1.0)
    return PickableObject(
        name=str(described["name"]),
        label=int(described["label"]),
        radius=None if radius is None else float(radius),
        is_particle=bool(described.get("is_particle", radius is not None)),
        metadata={"score_weight": weight},
    )
