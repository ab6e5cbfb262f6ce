"""Convert octopi's `best_model.pth`: the same weights in a safe file that says what they are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import CheckpointError
from icelens.tasks.pick.network import SegmentationNetwork, build_network
from icelens.tasks.pick.octopi_config import OctopiModel, read_model_config
from icelens.training.checkpoint import BEST_NAME, save_checkpoint
from icelens.training.contract import JSON
from icelens.training.restricted_import import read_foreign_checkpoint

__all__ = ["convert", "read_model_config"]

PREFIXES = ("module.", "_orig_mod.")
"""What parallel and compiled modules put before every name."""
SECOND_NAMES = "skip_layers."
"""MONAI's DynUNet names each of its weights a second time under this."""


def convert(
    weights: Path,
    model: OctopiModel,
    output: Path,
    *,
    objects: Sequence[PickableObject] | None = None,
    pixel_size: float | None = None,
) -> tuple[Path, tuple[str, ...]]:
    """Convert a model of octopi; return the new file, in the folder `output`, and some notes.

    Args:
        weights: Octopi's `best_model.pth`, a plain dictionary of tensors.
        model: Its settings, from `read_model_config`.
        output: Folder for the checkpoint.
        objects: Of the project it was trained on; give radii, weights and missing names.
        pixel_size: Of its tomograms (Å), where the settings lack it.

    Raises:
        CheckpointError: If the file is unsafe, damaged, or not of the network in the settings.
        IcelensError: If the settings of the network are impossible.
    """
    network = build_network(model.network, model.num_classes)
    found = _plain_names(read_foreign_checkpoint(weights), weights)
    tensors = _fitted(found, network, weights, model)
    described, notes = _objects(model, objects)
    description: dict[str, JSON] = {
        "task": "pick",
        "network": network.settings,
        "objects": described,
        "voxel_size": model.pixel_size or pixel_size,
        "tomogram_types": list(model.tomogram_types),
        "stride": network.stride,
        "targets": {
            "kind": "spheres",
            "crop_size": None if model.box_size is None else [model.box_size] * 3,
        },
        # octopi takes the likeliest class of each voxel, whatever its probability
        "thresholds": {str(each["name"]): None for each in described},
        "imported_from": f"octopi, {weights.name}",
    }
    if description["voxel_size"] is None:
        notes.append(f"{model.path} has no voxel size; give --voxel-size to have it checked")
    target = output / BEST_NAME
    save_checkpoint(target, tensors, description)
    return target, tuple(notes)


def _plain_names(content: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """Names as MONAI gives them, each weight once.

    Raises:
        CheckpointError: If something is no tensor.
    """
    tensors: dict[str, Tensor] = {}
    for key, value in content.items():
        name = str(key)
        while name.startswith(PREFIXES):
            name = name.partition(".")[2]
        if not isinstance(value, Tensor):
            raise CheckpointError(
                f"{path}: {name} is a {type(value).__name__}, expected weights alone; give the "
                "best_model.pth that octopi wrote"
            )
        if not name.startswith(SECOND_NAMES):
            tensors[name] = value
    return tensors


def _fitted(
    found: Mapping[str, Tensor], network: SegmentationNetwork, path: Path, model: OctopiModel
) -> dict[str, Tensor]:
    """The weights under the names of our network.

    Raises:
        CheckpointError: Naming the first that is missing, too many, of another shape, or not
            finite.
    """
    expected = {name.removeprefix("body."): tensor for name, tensor in network.state_dict().items()}
    for name in [*expected, *sorted(found.keys() - expected.keys())]:
        shape = tuple(found[name].shape) if name in found else "absent"
        needed = tuple(expected[name].shape) if name in expected else "absent"
        if shape != needed:
            raise CheckpointError(
                f"{path}: {name} is {shape}, but {needed} in {network.settings['architecture']} "
                f"with {model.num_classes} classes as {model.path.name} says; give the settings "
                "that belong to these weights"
            )
        if not found[name].isfinite().all():
            raise CheckpointError(f"{path}: {name} has values that are no numbers; train it again")
    return {f"body.{name}": found[name].to(tensor.dtype) for name, tensor in expected.items()}


def _objects(
    model: OctopiModel, known: Sequence[PickableObject] | None
) -> tuple[list[dict[str, JSON]], list[str]]:
    """Describe the object of each channel; say what had to be assumed."""
    notes: list[str] = []
    name_of = {label: name for name, label in model.labels.items()}
    if not name_of and known is not None:
        name_of = {each.label: each.name for each in known if each.label < model.num_classes}
        notes.append(f"{model.path} names no objects; taken by their labels from the project")
    by_name = {each.name: each for each in known or ()}
    described: list[dict[str, JSON]] = []
    for label in range(1, model.num_classes):
        name = name_of.get(label, f"object-{label}")
        if label not in name_of:
            notes.append(f"class {label} has no name in {model.path}; it is called {name}")
        elif known is not None and name not in by_name:
            notes.append(f"{name} is not an object of the project; its radius stays unknown")
        each = by_name.get(name)
        described.append(
            {
                "name": name,
                "label": label,
                "radius": each.radius if each else None,
                "weight": each.weight if each else 1.0,
            }
        )
    if known is None:
        notes.append("radii of the objects are unknown; give --project to have them noted")
    return described, notes
