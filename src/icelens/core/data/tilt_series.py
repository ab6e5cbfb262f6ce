"""How a tomogram was tilted: angles, dose and defocus of each image."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from icelens.core.errors import MetadataError

Floats = npt.NDArray[np.float64]

_PER_TILT = ("dose", "defocus_u", "defocus_v", "astigmatism_angle")


@dataclass(frozen=True, eq=False)
class TiltSeries:
    """What is known of each tilt image; optional fields are None where nobody wrote them.

    `angles` in degrees, in the order of the file; `dose` is what the specimen had received before
    each image, in e/Å²; `defocus_u`, `defocus_v` in Å (underfocus positive) and
    `astigmatism_angle` in degrees; `tilt_axis_angle` in degrees within the image; `pixel_size` of
    the images in Å.
    """

    angles: Floats
    dose: Floats | None = None
    defocus_u: Floats | None = None
    defocus_v: Floats | None = None
    astigmatism_angle: Floats | None = None
    tilt_axis_angle: float | None = None
    pixel_size: float | None = None

    def __post_init__(self) -> None:
        """Refuse angles that no stage reaches and fields of different length."""
        angles = np.asarray(self.angles, np.float64)
        if angles.ndim != 1 or angles.size == 0:
            raise MetadataError(f"expected a list of tilt angles, got shape {angles.shape}")
        if not (np.isfinite(angles).all() and np.abs(angles).max() <= 90):
            raise MetadataError("tilt angles must be numbers from -90 to 90 degrees")
        object.__setattr__(self, "angles", angles)
        for name in _PER_TILT:
            value = getattr(self, name)
            if value is None:
                continue
            values = np.asarray(value, np.float64)
            if values.shape != angles.shape or not np.isfinite(values).all():
                raise MetadataError(
                    f"{angles.size} tilt angles need as many finite values of {name}, "
                    f"got shape {values.shape}"
                )
            object.__setattr__(self, name, values)
        if self.dose is not None and self.dose.min() < 0:
            raise MetadataError(f"dose is negative ({self.dose.min():g} e/Å²)")

    def __len__(self) -> int:
        """Number of tilt images."""
        return self.angles.size

    @property
    def tilt_min(self) -> float:
        """Lowest angle in degrees."""
        return float(self.angles.min())

    @property
    def tilt_max(self) -> float:
        """Highest angle in degrees."""
        return float(self.angles.max())

    @property
    def defocus(self) -> Floats | None:
        """Mean of both defoci for each tilt, in Å, or None if unknown."""
        if self.defocus_u is None:
            return None
        if self.defocus_v is None:
            return self.defocus_u
        mean: Floats = (self.defocus_u + self.defocus_v) / 2
        return mean

    @property
    def defocus_at_zero_tilt(self) -> float | None:
        """Defocus of the image tilted least, in Å, or None if unknown."""
        defocus = self.defocus
        return None if defocus is None else float(defocus[np.abs(self.angles).argmin()])

    def select(self, chosen: npt.NDArray[np.generic]) -> "TiltSeries":
        """The tilts that a boolean mask or a list of positions names, in that order."""
        changed = {
            name: values[chosen]
            for name in ("angles", *_PER_TILT)
            if (values := getattr(self, name)) is not None
        }
        return replace(self, **changed)

    def sorted_by_angle(self) -> "TiltSeries":
        """The same tilts from lowest to highest angle."""
        return self.select(np.argsort(self.angles, kind="stable"))
