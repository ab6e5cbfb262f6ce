"""Vary a crop and the places of its particles together; no label is ever interpolated.

All changes keep the missing wedge where it is: a mirror image has the same wedge, and the small
turns stay within what the wedge's own edge is blurred by. Points are transformed exactly.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy.spatial.transform import Rotation

from icelens.tasks.pick.train_settings import AugmentConfig

_SCALE = 0.05
"""Relative standard deviation of the size that goes with small turns."""
_NOISE_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Crop:
    """A box with the particles near it.

    `image` and `labels` (class numbers, if there are any) are `(z, y, x)`; `centre_zyx_px` is in
    voxels of the box, `kind` counts from 0.
    """

    image: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8] | None
    centre_zyx_px: npt.NDArray[np.float64]
    kind: npt.NDArray[np.int64]

    def mirrored(self, axes: tuple[int, ...]) -> "Crop":
        """The crop seen in mirrors across these axes."""
        if not axes:
            return self
        centre = self.centre_zyx_px.copy()
        for axis in axes:
            centre[:, axis] = self.image.shape[axis] - 1 - centre[:, axis]
        labels = None if self.labels is None else np.flip(self.labels, axes)
        return Crop(np.flip(self.image, axes), labels, centre, self.kind)


@dataclass(frozen=True, eq=False)
class Turn:
    """A small turn and scaling about the middle of a crop of `size` voxels.

    `matrix` takes an offset from the middle in the result to that in the source, both z, y, x.
    """

    size: tuple[int, int, int]
    matrix: npt.NDArray[np.float64]

    @classmethod
    def drawn(cls, size: tuple[int, int, int], angle: float, rng: np.random.Generator) -> "Turn":
        """A turn whose angle about each axis has the standard deviation `angle` in degrees."""
        rotation = Rotation.from_rotvec(np.radians(angle) * rng.standard_normal(3)).as_matrix()
        return cls(size, rotation * np.exp(_SCALE * rng.standard_normal()))

    def source_size(self) -> tuple[int, int, int]:
        """Voxels of the box that the result is cut from: all its corners, and one more."""
        half = (np.array(self.size) - 1) / 2
        reach = np.ceil(np.abs(self.matrix) @ half).astype(int) + 1
        parity = np.array(self.size) % 2
        z, y, x = (2 * reach + parity).tolist()
        return z, y, x

    def applied(self, source: Crop) -> Crop:
        """The result from a crop of `source_size` with the same middle."""
        source_middle = (np.array(source.image.shape) - 1) / 2
        middle = (np.array(self.size) - 1) / 2
        # grid_sample counts from -1 to 1 over source and result, x first
        unit_matrix = (self.matrix * middle / source_middle[:, None])[::-1, ::-1]
        affine = torch.from_numpy(np.insert(unit_matrix, 3, 0.0, axis=1).astype(np.float32))
        unit = F.affine_grid(affine[None], [1, 1, *self.size], align_corners=True)
        image = _sample(source.image, unit, "bilinear")
        labels = None
        if source.labels is not None:
            labels = _sample(source.labels.astype(np.float32), unit, "nearest").astype(np.uint8)
        offset = (source.centre_zyx_px - source_middle) @ np.linalg.inv(self.matrix).T
        return Crop(image, labels, offset + middle, source.kind)


def _sample(
    values: npt.NDArray[np.float32], unit: torch.Tensor, mode: str
) -> npt.NDArray[np.float32]:
    source = torch.from_numpy(np.ascontiguousarray(values))[None, None]
    # all points lie inside (`source_size`), and "border" costs half of "reflection"
    sampled: npt.NDArray[np.float32] = F.grid_sample(
        source, unit, mode=mode, padding_mode="border", align_corners=True
    )[0, 0].numpy()
    return sampled


def drawn_mirrors(settings: AugmentConfig, rng: np.random.Generator) -> tuple[int, ...]:
    """Axes to mirror."""
    if not settings.flips:
        return ()
    return tuple(axis for axis in range(3) if rng.random() < 0.5)


def varied_intensity(
    image: torch.Tensor, settings: AugmentConfig, rng: np.random.Generator
) -> torch.Tensor:
    """The image with other contrast and brightness, and often with more noise."""
    factor = 1 + settings.intensity * rng.uniform(-1, 1)
    shift = settings.intensity * rng.uniform(-1, 1)
    result = (image * factor).add_(shift)
    if settings.noise and rng.random() < _NOISE_SHARE:
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        noise = torch.randn(image.shape, generator=generator, dtype=image.dtype)
        result.add_(noise, alpha=settings.noise * rng.random())
    return result
