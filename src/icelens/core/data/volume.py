"""A 3D density with its sampling: what every reader returns and every writer takes."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from icelens.core.errors import GeometryError, MetadataError


@dataclass(frozen=True)
class Volume:
    """A density `(z, y, x)` with `pixel_size` in Å/px and `origin_xyz` in Å.

    `origin_xyz` is the header's origin, carried along unchanged. The array may be a read-only
    memory map. Inside icelens density is positive (protein bright); `inverted` flips it.
    """

    array: npt.NDArray[np.generic]
    pixel_size: float
    origin_xyz: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        """Refuse what is not a volume."""
        if self.array.ndim != 3 or 0 in self.array.shape:
            raise GeometryError(
                f"expected a volume (z, y, x) with no empty axis, got shape {self.array.shape}"
            )
        if not (np.isfinite(self.pixel_size) and self.pixel_size > 0):
            raise MetadataError(f"pixel size must be positive, got {self.pixel_size} Å/px")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along z, y and x."""
        z, y, x = self.array.shape
        return z, y, x

    def with_array(self, array: npt.NDArray[np.generic]) -> "Volume":
        """The same sampling with other values."""
        return replace(self, array=array)

    def inverted(self) -> "Volume":
        """The volume with its contrast flipped, as float32."""
        return self.with_array(-self.array.astype(np.float32))
