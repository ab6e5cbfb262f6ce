"""What a network should answer for a crop, drawn from the picks in it at the moment it is needed.

Centres are soft maps, a share of each class at every point; spheres are labels, one class a point.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icelens.core.data.pickable import PickableObject
from icelens.core.volumes.centre_maps import centre_maps
from icelens.core.volumes.spheres import label_spheres
from icelens.tasks.pick.augment import Crop
from icelens.tasks.pick.train_settings import TargetKind

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TargetMaker:
    """Draws targets on the output grid; point j lies at voxel `stride * j + (stride - 1) / 2`.

    `pixel_size` is that of the tomograms, `width` of a centre's Gaussian, both in Å.
    """

    classes: tuple[PickableObject, ...]
    kind: TargetKind
    stride: int
    pixel_size: float
    width: float
    radius_scale: float

    @property
    def num_classes(self) -> int:
        """Classes without the background."""
        return len(self.classes)

    def __call__(self, crop: Crop) -> Floats | Labels:
        """Maps `(class, z, y, x)` or labels `(z, y, x)`."""
        z, y, x = (side // self.stride for side in crop.image.shape)
        shape = (z, y, x)
        centre = (crop.centre_zyx_px - (self.stride - 1) / 2) / self.stride
        near = self._near(centre, shape)
        centre, kind = centre[near], crop.kind[near]
        if self.kind == "centres":
            width = np.full(len(kind), self.width / self.grid_size)
            targets: Floats | Labels = centre_maps(shape, centre, kind, width, self.num_classes)
            if crop.labels is not None:
                targets = np.maximum(targets, self._shares(crop.labels))
        else:
            targets = self._spheres(shape, centre, kind)
            if crop.labels is not None:
                targets = np.where(
                    targets > 0, targets, self._blocks(crop.labels).max(axis=(1, 3, 5))
                )
        return targets

    @property
    def grid_size(self) -> float:
        """Sampling of the output grid in Å."""
        return self.pixel_size * self.stride

    def _radii(self, kinds: Sequence[int]) -> npt.NDArray[np.float64]:
        return np.array([self.classes[kind].known_radius() for kind in kinds], np.float64)

    def _near(
        self, centre: npt.NDArray[np.float64], shape: tuple[int, int, int]
    ) -> npt.NDArray[np.bool_]:
        """Particles that may reach into the grid."""
        reach = 3 * self.width / self.grid_size + 1
        if self.kind == "spheres":
            # continuous classes have no radius and no spheres
            widest = max((each.radius or 0.0 for each in self.classes), default=0.0)
            reach = max(reach, self.radius_scale * widest / self.grid_size)
        is_near = (centre > -reach) & (centre < np.array(shape) + reach)
        return np.asarray(is_near.all(axis=1))

    def _spheres(
        self,
        shape: tuple[int, int, int],
        centre: npt.NDArray[np.float64],
        kind: npt.NDArray[np.int64],
    ) -> Labels:
        radii = np.maximum(self.radius_scale * self._radii(kind.tolist()) / self.grid_size, 1.0)
        return label_spheres(shape, (0, 0, 0), centre, radii, kind + 1)

    def _blocks(self, labels: Labels) -> Labels:
        """The voxels of each point of the grid, as axes 1, 3 and 5."""
        s = self.stride
        z, y, x = (side // s for side in labels.shape)
        blocks: Labels = labels[: z * s, : y * s, : x * s].reshape(z, s, y, s, x, s)
        return blocks

    def _shares(self, labels: Labels) -> Floats:
        """Share of each class in the voxels of every point of the grid."""
        blocks = self._blocks(labels)
        return np.stack(
            [
                (blocks == number).mean(axis=(1, 3, 5), dtype=np.float32)
                for number in range(1, self.num_classes + 1)
            ]
        )
