"""Mean boxes of each object, as cut out and turned by the picks' angles, to be looked at."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.volumes.crop import Box
from icelens.core.volumes.rotate import rotate

TURNED_AT_MOST = 200
"""Boxes that are turned for the picture of one object; more would only make it slower."""
SHOWN_AT_MOST = 4


@dataclass
class Averages:
    """Running sums of each object's boxes."""

    sums: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    turned_sums: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    turned_counts: dict[str, int] = field(default_factory=dict)

    def add(self, species: str, box: Box, rotation: npt.NDArray[np.float64]) -> None:
        """Take in a box whose particle is turned by `rotation`."""
        # An odd box turns about its centre voxel; an even one loses its first planes for that.
        first = 1 - box.shape[0] % 2
        odd = box[first:, first:, first:]
        self.counts[species] = self.counts.get(species, 0) + 1
        self.sums[species] = self.sums.get(species, np.zeros(odd.shape)) + odd
        num_turned = self.turned_counts.get(species, 0)
        if np.allclose(rotation, np.eye(3)) or num_turned >= TURNED_AT_MOST:
            return
        undo = torch.from_numpy(np.array(rotation, np.float32).T.copy())
        turned = rotate(torch.from_numpy(odd.copy())[None], undo[None])[0].numpy()
        self.turned_counts[species] = num_turned + 1
        self.turned_sums[species] = self.turned_sums.get(species, np.zeros(odd.shape)) + turned

    def shown(self) -> dict[str, npt.NDArray[np.float64]]:
        """Means of the most frequent objects, with their number in the name."""
        often = sorted(self.counts, key=lambda name: -self.counts[name])[:SHOWN_AT_MOST]
        shown = {}
        for name in often:
            shown[f"{name} ({self.counts[name]})"] = self.sums[name] / self.counts[name]
            number = self.turned_counts.get(name, 0)
            if number:
                shown[f"{name}, turned ({number})"] = self.turned_sums[name] / number
        return shown
