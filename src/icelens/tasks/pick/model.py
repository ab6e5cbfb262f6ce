"""A trained picker: network, objects, thresholds, and the tomograms it was made for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import CheckpointError
from icelens.tasks.pick.description import objects_of, read_checkpoint
from icelens.tasks.pick.network import SegmentationNetwork, build_network
from icelens.training.checkpoint import Checkpoint

_SAME_SCALE = 0.05
"""Voxel sizes that differ relatively by less show a network particles of one scale."""


@dataclass(frozen=True, eq=False)
class Model:
    """A network for evaluation; output 0 is the background, output i + 1 is `objects[i]`.

    `thresholds` hold the score from which on a pick of an object counts, where it is known.
    """

    path: Path
    network: SegmentationNetwork
    objects: tuple[PickableObject, ...]
    finds_centres: bool
    thresholds: Mapping[str, float]
    voxel_size: float | None
    tomogram_types: tuple[str, ...]
    radius_scale: float
    crop_size: tuple[int, int, int] | None

    def check_voxel_size(self, pixel_size: float, where: str) -> None:
        """Refuse a tomogram of another scale than the model was trained on.

        Raises:
            CheckpointError: If the voxel sizes differ by more than 5 %.
        """
        if self.voxel_size and abs(pixel_size / self.voxel_size - 1) > _SAME_SCALE:
            raise CheckpointError(
                f"{where}: {pixel_size:g} Å/voxel, but {self.path} was trained at "
                f"{self.voxel_size:g}; choose another --voxel-size or rescale the tomogram with "
                f"`icelens tools resize --pixel-size {self.voxel_size:g}`"
            )


def read_model(path: Path) -> Model:
    """Read a model folder or checkpoint.

    Raises:
        CheckpointError: If it is none of pick, damaged, or of another class count than it says.
    """
    checkpoint = read_checkpoint(path)
    known, objects = checkpoint.description, objects_of(checkpoint)
    infinite = [name for name, each in checkpoint.tensors.items() if not each.isfinite().all()]
    if infinite:
        raise CheckpointError(
            f"{checkpoint.path}: {infinite[0]} holds numbers that are not finite, so every answer "
            "would be; copy it again, or train again with a smaller --learning-rate"
        )
    try:
        return Model(
            path=checkpoint.path,
            network=_network(checkpoint, len(objects) + 1),
            objects=objects,
            **_kept_settings(known),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{checkpoint.path}: its description is damaged ({type(error).__name__}: {error}); "
            "copy it again or train again"
        ) from error


def _kept_settings(known: Mapping[str, Any]) -> dict[str, Any]:
    """What a description says beside network and objects, by the fields of `Model`."""
    targets, thresholds = known.get("targets") or {}, known.get("thresholds") or {}
    voxel_size = known.get("voxel_size")
    crop = tuple(int(side) for side in targets.get("crop_size") or ())
    return {
        "finds_centres": targets.get("kind") == "centres",
        "thresholds": {
            str(name): float(value) for name, value in thresholds.items() if value is not None
        },
        "voxel_size": None if voxel_size is None else float(voxel_size),
        "tomogram_types": tuple(str(each) for each in known.get("tomogram_types") or ()),
        "radius_scale": float(targets.get("radius_scale") or 0.7),
        "crop_size": (crop[0], crop[1], crop[2]) if crop else None,
    }


def soup(models: Sequence[Model]) -> Model:
    """One model with the means of weights and thresholds.

    Raises:
        CheckpointError: If the networks differ.
    """
    first = models[0]
    states = [model.network.state_dict() for model in models]
    shapes = [{name: tensor.shape for name, tensor in state.items()} for state in states]
    for model, shape in zip(models, shapes, strict=True):
        if shape != shapes[0]:
            raise CheckpointError(
                f"{model.path}: another network than {first.path}; only weights of one "
                "architecture can be averaged, leave out --soup to average the answers"
            )
    network = build_network(first.network.settings, first.network.num_classes)
    network.load_state_dict(
        {
            name: torch.stack([state[name].double() for state in states]).mean(0).to(tensor.dtype)
            for name, tensor in states[0].items()
        }
    )
    return replace(first, network=network.eval(), thresholds=mean_thresholds(models))


def mean_thresholds(models: Sequence[Model]) -> dict[str, float]:
    """Thresholds of the objects, averaged over the models that know them."""
    means = {}
    for each in models[0].objects:
        known = [model.thresholds[each.name] for model in models if each.name in model.thresholds]
        if known:
            means[each.name] = sum(known) / len(known)
    return means


def _network(checkpoint: Checkpoint, num_outputs: int) -> SegmentationNetwork:
    settings = checkpoint.description["network"]
    if not isinstance(settings, dict):
        raise CheckpointError(
            f"{checkpoint.path}: its network is {settings!r}, expected settings by name; copy it "
            "again or train again"
        )
    network = build_network(settings, num_outputs)
    try:
        network.load_state_dict(dict(checkpoint.tensors))
    except RuntimeError as error:
        name = settings.get("architecture")
        raise CheckpointError(
            f"{checkpoint.path}: its weights do not fit {name} with {num_outputs} outputs; the "
            "file is damaged or was made by another version of icelens"
        ) from error
    return network.eval()
