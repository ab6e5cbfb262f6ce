"""Refuse latents that no analysis can use, in one line."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.errors import MetadataError

Floats = npt.NDArray[np.float64]


def checked_latents(latent: npt.ArrayLike, source: Path | str) -> Floats:
    """The latents as `(particle, latent_dim)` of double precision.

    Args:
        latent: One row for each particle.
        source: Where they come from, for messages.

    Raises:
        MetadataError: If there are none, they are no table, or some are not finite.
    """
    values = np.asarray(latent, np.float64)
    if values.ndim != 2 or not values.size:
        raise MetadataError(
            f"{source}: latents have shape {values.shape}, expected one row for each particle and "
            "one column or more; train again"
        )
    is_finite = np.isfinite(values).all(axis=1)
    if not is_finite.all():
        raise MetadataError(
            f"{source}: latents of {int((~is_finite).sum())} of {len(values)} particles are not "
            f"finite, the first is particle {int(np.argmin(is_finite)) + 1} of the table; train "
            "again with a lower learning rate, or take an earlier epoch"
        )
    return values
