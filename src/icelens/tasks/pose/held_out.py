"""Judge a network on particles that it did not learn from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from icelens.core.events import Message, OnEvent
from icelens.core.geometry.rotations import rotation_distance
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.metrics.calibration import calibration_error
from icelens.tasks.pose.batches import LabelledImages
from icelens.tasks.pose.distribution import SAME_MODE
from icelens.tasks.pose.model import PoseReader

_AT_ONCE = 64

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Answers for images with known poses, one per row.

    Attributes:
        error: Degrees between the best rotation and the truth, up to symmetry.
        shift_error: Å in the plane.
        probability: Of the best mode.
        width: Of the best mode, in degrees.
        rotation: The best one.
        truth: The true one.
    """

    error: Floats
    shift_error: Floats
    probability: Floats
    width: Floats
    rotation: Floats
    truth: Floats

    def summary(self) -> dict[str, float]:
        """The figures that reports and curves show."""
        return {
            "val_geo_degs": float(self.error.mean()),
            "val_median_geo_degs": float(np.median(self.error)),
            "val_share_within_5": float((self.error <= 5.0).mean()),
            "val_share_within_10": float((self.error <= 10.0).mean()),
            "val_shift_error": float(np.median(self.shift_error)),
            "val_calibration_error": calibration_error(self.probability, self.error <= SAME_MODE),
        }


def judge(reader: PoseReader, data: LabelledImages, symmetry: str, *, pixel_size: float) -> HeldOut:
    """Let a network answer for images with known poses."""
    operators = symmetry_operators(symmetry)
    columns: list[list[torch.Tensor]] = [[] for _ in range(5)]
    for start in range(0, len(data), _AT_ONCE):
        part = data.take(torch.arange(start, min(start + _AT_ONCE, len(data))))
        answer = reader(part.images)
        best = answer.modes.rotation[:, 0].cpu()
        error = rotation_distance(best[:, None] @ operators, part.rotation[:, None]).amin(dim=1)
        off = (answer.shift_yx.cpu() - part.shift_yx).norm(dim=1) * pixel_size
        found = (error, off, answer.modes.probability[:, 0], answer.modes.width[:, 0], best)
        for column, values in zip(columns, found, strict=True):
            column.append(values.cpu())
    columns.append([data.rotation])
    arrays = [torch.cat(column).double().numpy() for column in columns]
    return HeldOut(*arrays)


@dataclass(eq=False)
class Judge:
    """Called by the training loop; the mean error in degrees is its score, lower is better."""

    data: LabelledImages
    symmetry: str
    pixel_size: float
    make_reader: Callable[[nn.Module], PoseReader]
    on_event: OnEvent
    latest: Mapping[str, float] | None = None

    def __call__(self, network: nn.Module) -> float:
        """Mean angular error on the held-out images."""
        reader = self.make_reader(network)
        held_out = judge(reader, self.data, self.symmetry, pixel_size=self.pixel_size)
        self.latest = held_out.summary()
        self.on_event(Message(f"held out: {in_words(self.latest, is_calibrated=False)}"))
        return self.latest["val_geo_degs"]


def in_words(summary: Mapping[str, float], *, is_calibrated: bool = True) -> str:
    """The figures as a sentence; before probabilities are calibrated, nothing about them."""
    words = (
        f"median error {summary['val_median_geo_degs']:.2f} degrees (mean "
        f"{summary['val_geo_degs']:.2f}), {summary['val_share_within_5']:.0%} within 5 and "
        f"{summary['val_share_within_10']:.0%} within 10 degrees, shift "
        f"{summary['val_shift_error']:.2f} Å"
    )
    if not is_calibrated:
        return words
    return f"{words}, calibration error {summary['val_calibration_error']:.3f}"
