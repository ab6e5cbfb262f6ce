"""Class maps of a whole tomogram: windows, mirrored views and several models averaged."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.volume import Volume
from icelens.core.errors import CheckpointError
from icelens.core.events import OnEvent, ignore
from icelens.core.io.copick.keys import Features
from icelens.core.volumes.sliding_window import sliding_window
from icelens.tasks.pick.labelled import standardised
from icelens.tasks.pick.model import Model, mean_thresholds
from icelens.training.device import Compute, autocast

MIRRORS = tuple(
    tuple(axis for axis, is_flipped in zip((2, 3, 4), flips, strict=True) if is_flipped)
    for flips in sorted(product((False, True), repeat=3), key=lambda flips: (sum(flips) % 2, flips))
)
"""Views of a tomogram that keep its missing wedge: first those that keep the hand, too."""
_CPU_WINDOW, _GPU_WINDOW = (128, 160, 160), (192, 256, 256)


@dataclass(frozen=True)
class WindowPlan:
    """How a tomogram is cut for a network; `window` None takes what suits network and device."""

    window: tuple[int, int, int] | None = None
    overlap: float = 0.25


def class_maps(
    models: Sequence[Model],
    volume: Volume,
    compute: Compute,
    *,
    name: str,
    num_views: int,
    plan: WindowPlan,
    on_event: OnEvent = ignore,
) -> Features:
    """Probabilities of the objects at every point of the networks' output grid.

    Args:
        models: Of the same objects and output grid; their answers are averaged.
        volume: Tomogram in any grey scale; it is standardised as in training.
        compute: Where and how precisely to compute.
        name: Of the tomogram, for messages.
        num_views: Mirrored copies to average, 1 to 8.
        plan: Windows.
        on_event: Hears the progress.

    Returns:
        Features `(channel, z, y, x)` float16 on the grid of the networks' output.

    Raises:
        CheckpointError: If the models do not belong together.
    """
    check_same_kind(models)
    first = models[0]
    for model in models:
        model.network.to(compute.device).eval()
    stride = first.network.stride
    array = sliding_window(
        standardised(volume, name),
        lambda windows: _averaged(models, windows.to(compute.device), num_views, compute),
        window=_fitting_window(first, plan, compute),
        overlap=plan.overlap,
        stride=stride,
        num_channels=len(first.objects),
        multiple_of=first.network.box_multiple,
        on_event=on_event,
    )
    shift = (stride - 1) / 2 * volume.pixel_size
    names = [each.name for each in first.objects]
    attributes = {
        "objects": names,
        "thresholds": mean_thresholds(models),
        "finds_centres": first.finds_centres,
    }
    return Features(array, volume.pixel_size * stride, (shift,) * 3, attributes)


def check_same_kind(models: Sequence[Model]) -> None:
    """Refuse models whose answers cannot be averaged.

    Raises:
        CheckpointError: If objects or grids differ.
    """
    first = models[0]
    for model in models[1:]:
        expected = [each.name for each in first.objects]
        found = [each.name for each in model.objects]
        if found != expected:
            raise CheckpointError(
                f"{model.path}: knows {', '.join(found)}, expected {', '.join(expected)} as "
                f"{first.path}; give models of the same objects"
            )
        if model.network.stride != first.network.stride:
            raise CheckpointError(
                f"{model.path}: answers for every {model.network.stride} voxels, {first.path} for "
                f"every {first.network.stride}; segment with each and compare"
            )


@torch.inference_mode()
def _averaged(
    models: Sequence[Model], windows: Float[Tensor, "w 1 z y x"], num_views: int, compute: Compute
) -> Float[Tensor, "w channel z_out y_out x_out"]:
    """The mean probabilities over mirrors and models, without the background."""
    total: Tensor | None = None
    for axes in MIRRORS[:num_views]:
        seen = windows.flip(axes)
        for model in models:
            with autocast(compute):
                scores = model.network(seen)
            answer = scores.float().softmax(dim=1)[:, 1:].flip(axes)
            total = answer if total is None else total.add_(answer)
    assert total is not None, "there is at least one view and one model"
    return total / (num_views * len(models))


def _fitting_window(model: Model, plan: WindowPlan, compute: Compute) -> tuple[int, int, int]:
    """Large windows for networks without a level at full resolution, the crop size for others."""
    if plan.window is not None:
        return plan.window
    if model.network.settings["architecture"] != "half-unet" and model.crop_size is not None:
        return model.crop_size
    return _GPU_WINDOW if compute.device.type == "cuda" else _CPU_WINDOW
