"""Area under the FSC curve to the truth: one number for a map, or for a map of every particle."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.fourier.frequencies import shell_frequencies
from icelens.core.metrics.fsc import fourier_shell_correlation

CEILING = 0.5
"""Of two maps that agree at all frequencies: the Nyquist frequency in 1/px."""


def fsc_auc(
    volume: Float[Tensor, "*batch z y x"],
    truth: Float[Tensor, "*batch z y x"],
    mask: Float[Tensor, "z y x"] | None = None,
) -> float:
    """Integral of the FSC over the frequency in 1/px, from 0 to Nyquist.

    The shells from zero (1 by convention) to Nyquist are joined by straight lines; with an odd side
    the last one is held up to 0.5. Equal maps that have power everywhere give 0.5, a map of noise
    half a shell. Without a mask the noise of the solvent counts too; with one, it has to be that of
    the whole particle and the same for all that is compared. Say which it was.

    Args:
        volume: What was found; of a batch the mean is given.
        truth: On the same grid.
        mask: Soft mask in real space.

    Raises:
        GeometryError: If the maps or the mask do not fit each other.

    References:
        Jeon et al., CryoBench, NeurIPS 2024, for the mean over images of the area under the FSC of
        the map decoded at each image's latent.
    """
    curve = fourier_shell_correlation(volume, truth, pixel_size=1.0, mask=mask)
    num_z, num_y, num_x = volume.shape[-3:]
    frequency = shell_frequencies((num_z, num_y, num_x), pixel_size=1.0)
    area = torch.trapezoid(curve.correlation, frequency.to(curve.correlation), dim=-1)
    area = area + (CEILING - float(frequency[-1])) * curve.correlation[..., -1]
    return float(area.mean())


def mean_fsc_auc(
    volumes: Iterable[Float[Tensor, "z y x"]],
    truths: Iterable[Float[Tensor, "z y x"]],
    mask: Float[Tensor, "z y x"] | None = None,
) -> float:
    """Mean of `fsc_auc` over pairs that are made one at a time, such as one for each image.

    Raises:
        GeometryError: If the maps or the mask do not fit each other, or there are none.
    """
    areas = [fsc_auc(volume, truth, mask) for volume, truth in zip(volumes, truths, strict=True)]
    if not areas:
        raise GeometryError("no maps to compare; give at least one with its truth")
    return sum(areas) / len(areas)
