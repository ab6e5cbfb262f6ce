"""A trained model of poses: its network, what it wants to see, and how sure it usually is."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from icelens.core.errors import CheckpointError, IcelensError
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.tasks.pose.confidence import DirectionalScores
from icelens.tasks.pose.distribution import DistributionReader, Modes
from icelens.tasks.pose.network.build import build_network
from icelens.tasks.pose.network.rotation_network import RotationNetwork
from icelens.tasks.pose.network_images import ImageShape
from icelens.training.checkpoint import Checkpoint, load_checkpoint
from icelens.training.device import Compute, autocast

HALF_FOLDERS = {1: "half_1", 2: "half_2", 0: "all"}
"""Where the network of each half set lies in a model folder; 0 is one for all particles."""
REFERENCE_NAME = "map.mrc"


@dataclass(frozen=True)
class Answer:
    """What a network says of images.

    Attributes:
        modes: The best rotations with probabilities and widths.
        shift_yx: That centres the particle, in px of the network's images.
    """

    modes: Modes
    shift_yx: Float[Tensor, "image 2"]


class PoseReader:
    """A network ready to answer."""

    def __init__(
        self,
        network: nn.Module,
        symmetry: str,
        shape: ImageShape,
        compute: Compute,
        *,
        sharpness: float = 1.0,
    ) -> None:
        self._sharpness = sharpness
        self._network = network.to(compute.device).eval()
        self._compute = compute
        self._mask = shape.mask().to(compute.device)
        operators = symmetry_operators(symmetry)
        degree = int(network.max_degree)  # type: ignore[arg-type]
        self._reader = DistributionReader(degree, operators, device=compute.device)

    @torch.inference_mode()
    def __call__(self, images: Float[Tensor, "image 2 y x"], *, top_k: int = 1) -> Answer:
        """Answer for prepared images (`network_images`), unmasked, in any float precision."""
        masked = images.to(self._compute.device).float() * self._mask
        with autocast(self._compute):
            coefficients, shift_yx = self._network(masked)
        logits = self._sharpness * torch.view_as_complex(coefficients.float().contiguous())
        return Answer(self._reader(logits, top_k), shift_yx.float())


@dataclass(frozen=True, eq=False)
class PoseModel:
    """One network of a model and what is known of it.

    Attributes:
        path: Of the checkpoint.
        network: For evaluation.
        symmetry: Point group it was trained for.
        shape: How images are laid before it.
        half_set: Which particles it learnt from; 0 means all.
        sharpness: Factor on its logits that makes its probabilities honest.
        confidence: What `icelens.tasks.pose.confidence` found on the particles held out.
    """

    path: Path
    network: RotationNetwork
    symmetry: str
    shape: ImageShape
    half_set: int
    sharpness: float
    confidence: Mapping[str, Any]

    @property
    def reference(self) -> Path:
        """The map of the training images, beside the checkpoint."""
        return self.path.parent / REFERENCE_NAME

    @property
    def scores(self) -> DirectionalScores | None:
        """How sure it was of held-out particles; None if that was not measured."""
        known = self.confidence.get("scores")
        return None if known is None else DirectionalScores.from_json(known)


def describe(
    settings: Mapping[str, Any], symmetry: str, shape: ImageShape, half_set: int
) -> dict[str, Any]:
    """What an inference must know of a training; stored in the checkpoint."""
    return {
        "task": "pose",
        "network": dict(settings),
        "symmetry": symmetry,
        "image": asdict(shape),
        "half_set": half_set,
        "confidence": {},
    }


def read_models(folder: Path) -> dict[int, PoseModel]:
    """The models of a folder of `icelens pose train` by half set, or a single checkpoint.

    Raises:
        CheckpointError: If there is none, one is damaged or not of pose, or they do not belong
            together.
    """
    if folder.is_file():
        model = read_model(folder)
        return {model.half_set: model}
    parts = [folder / name for name in HALF_FOLDERS.values()]
    found = [read_model(part) for part in parts if any(part.glob("*.safetensors"))]
    if not found:
        if any(folder.glob("*.safetensors")):
            found = [read_model(folder)]
        else:
            raise CheckpointError(
                f"{folder}: holds no model, expected half_1 and half_2, or all; give the --output "
                "of `icelens pose train`"
            )
    for other in found[1:]:
        if (other.shape, other.symmetry) != (found[0].shape, found[0].symmetry):
            raise CheckpointError(
                f"{other.path}: trained for {other.symmetry} on {other.shape}, but "
                f"{found[0].path} for {found[0].symmetry} on {found[0].shape}; expected networks "
                "of one training, train them together"
            )
    return {model.half_set: model for model in found}


def read_model(path: Path) -> PoseModel:
    """Read one checkpoint, or that of a folder.

    Raises:
        CheckpointError: If it is damaged or not of pose.
    """
    checkpoint = load_checkpoint(path)
    known = checkpoint.description
    if known.get("task") != "pose":
        raise CheckpointError(
            f"{checkpoint.path}: a checkpoint of {known.get('task', 'an unknown task')}, expected "
            "one of pose; give a model that `icelens pose train` made"
        )
    infinite = [name for name, each in checkpoint.tensors.items() if not each.isfinite().all()]
    if infinite:
        raise CheckpointError(
            f"{checkpoint.path}: {infinite[0]} holds numbers that are not finite; copy it again, "
            "or train again with a smaller --learning-rate"
        )
    try:
        return PoseModel(
            path=checkpoint.path,
            network=_network(checkpoint),
            symmetry=str(known["symmetry"]),
            shape=ImageShape(**known["image"]),
            half_set=int(known["half_set"]),
            sharpness=_sharpness(known),
            confidence=_confidence(known),
        )
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise CheckpointError(
            f"{checkpoint.path}: its description is damaged or does not fit its weights "
            f"({type(error).__name__}); copy it again or train again"
        ) from error


def _network(checkpoint: Checkpoint) -> RotationNetwork:
    known = checkpoint.description
    try:
        network = build_network(known["network"], known["symmetry"])
    except IcelensError as error:
        raise CheckpointError(f"{checkpoint.path}: {error}") from error
    network.load_state_dict(dict(checkpoint.tensors))
    return network.eval()


def _sharpness(known: Mapping[str, Any]) -> float:
    sharpness = float(known.get("sharpness") or 1.0)
    if not 0.0 < sharpness < math.inf:
        raise ValueError(f"sharpness is {sharpness:g}")
    return sharpness


def _confidence(known: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of scores, after a look at whether it can be read."""
    confidence = dict(known.get("confidence") or {})
    if confidence.get("scores") is not None:
        DirectionalScores.from_json(confidence["scores"])
    return confidence
