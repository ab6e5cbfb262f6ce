"""Poses that a network and a refinement found for rows of a particle file, kept in one file."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.refinement.pose_table import PoseTable
from icelens.training.checkpoint import read_tensors, save_checkpoint

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NetworkPoses:
    """What the network says, one row per image.

    Attributes:
        rotation: `(row, mode, 3, 3)` reference to image.
        shift_yx: `(row, 2)` in Å, centres the particle.
        probability: `(row, mode)`.
        width: `(row, mode)` in degrees.
    """

    rotation: Floats
    shift_yx: Floats
    probability: Floats
    width: Floats

    def __len__(self) -> int:
        """Number of images."""
        return len(self.rotation)


@dataclass(frozen=True, eq=False)
class FoundPoses:
    """Poses of some rows.

    Attributes:
        rows: Of the particle file.
        network: What the network says.
        zscore: `(row,)` directional z-score; NaN where the model knows none.
        is_kept: `(row,)` whether the particle was used.
        table: The final poses, refined or not.
    """

    rows: Integers
    network: NetworkPoses
    zscore: Floats
    is_kept: npt.NDArray[np.bool_]
    table: PoseTable

    def save(self, path: Path, mark: str) -> None:
        """Write to one file, complete or not at all; `mark` says what it was made with."""
        tensors = {
            "rows": torch.from_numpy(self.rows),
            "zscore": torch.from_numpy(self.zscore),
            "is_kept": torch.from_numpy(self.is_kept),
        }
        for part in ("network", "table"):
            values = getattr(self, part)
            tensors |= {
                f"{part}.{each.name}": torch.from_numpy(getattr(values, each.name))
                for each in fields(values)
            }
        save_checkpoint(path, tensors, {"kind": "poses", "mark": mark})

    @staticmethod
    def read(path: Path) -> "tuple[FoundPoses, str]":
        """Read what `save` wrote, and the mark."""
        stored = read_tensors(path)
        arrays = {name: tensor.numpy() for name, tensor in stored.tensors.items()}
        network = NetworkPoses(
            **{each.name: arrays[f"network.{each.name}"] for each in fields(NetworkPoses)}
        )
        table = PoseTable(**{each.name: arrays[f"table.{each.name}"] for each in fields(PoseTable)})
        found = FoundPoses(arrays["rows"], network, arrays["zscore"], arrays["is_kept"], table)
        return found, str(stored.description.get("mark"))


def joined(parts: Sequence[FoundPoses]) -> FoundPoses:
    """Parts one after the other, in the order of their rows."""
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows, kind="stable")

    def together(name: str) -> Any:  # noqa: ANN401 - arrays of several kinds
        get = attrgetter(name)
        return np.concatenate([get(part) for part in parts])[order]

    network = NetworkPoses(*(together(f"network.{each.name}") for each in fields(NetworkPoses)))
    table = PoseTable(*(together(f"table.{each.name}") for each in fields(PoseTable)))
    return FoundPoses(rows[order], network, together("zscore"), together("is_kept"), table)
