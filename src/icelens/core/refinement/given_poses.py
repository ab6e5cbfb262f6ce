"""Whether images show the map at the poses that they came with: wrong contrast is told early."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.fourier.shift import shift_images
from icelens.core.fourier.slices import central_slices, slice_source
from icelens.core.optics.image_source import ImageSource
from icelens.core.optics.particle_ctf import slice_axes

Integers = npt.NDArray[np.int64]

_AT_ONCE = 64
_LEAST = 10
_CERTAIN = 4.0
"""Standard errors: less may be chance."""


@dataclass(frozen=True)
class Agreement:
    """How images correlate with slices of a map.

    Attributes:
        mean: Mean correlation coefficient, -1 to 1.
        error: Its standard error.
    """

    mean: float
    error: float

    def complaint(self) -> str | None:
        """A sentence where images and map contradict each other, else nothing."""
        if self.mean > _CERTAIN * self.error:
            return None
        found = f"images correlate with the map by {self.mean:.3f} at the poses they came with"
        if self.mean < -_CERTAIN * self.error:
            return (
                f"{found}: the contrast of one is inverted, protein must be bright in both; "
                "multiply the images, or the map, by -1"
            )
        return (
            f"{found}, which is nothing: refinement looks near them only. Are poses, map and "
            "images of one refinement?"
        )


def agreement_with(
    density: Float[Tensor, "n n n"], source: ImageSource, rows: Integers
) -> Agreement | None:
    """Correlate images with slices of a map at the poses of `source.particles`.

    Args:
        density: Map `(z, y, x)` on the grid of the images.
        source: The images.
        rows: Some of them, that share box and pixel size.

    Returns:
        None for a few images, of which nothing can be said.
    """
    if len(rows) < _LEAST:
        return None
    particles = source.particles
    box_size = int(particles.box_size()[rows[0]])
    pixel_size = float(particles.pixel_size()[rows[0]])
    padded = slice_source(density.to(source.device))
    found = []
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        spectrum, transfer = source.read(part)
        shift = torch.from_numpy(particles.shift_yx[part] / pixel_size).float()
        axes = slice_axes(particles, part, box_size=box_size, pixel_size=pixel_size)
        slices = central_slices(padded, torch.from_numpy(axes).float().to(source.device))
        image = shift_images(spectrum, shift.to(source.device)).flatten(1)
        model = (transfer * slices).flatten(1)
        # the mean of an image is as its program normalised it
        image, model = image[:, 1:], model[:, 1:]
        product = (image * model.conj()).real.sum(1)
        norm = image.abs().square().sum(1) * model.abs().square().sum(1)
        found.append(product / norm.clamp(min=1e-30).sqrt())
    values = torch.cat(found).double()
    return Agreement(float(values.mean()), float(values.std() / len(values) ** 0.5))
