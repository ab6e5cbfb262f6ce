"""UMAP of latents: a picture of many dimensions in two, if `umap-learn` is installed."""

import importlib.util
import warnings

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

HOW_TO_INSTALL = "pip install 'icelens[umap]'"
MOST_EMBEDDED = 100_000
"""Particles that are embedded; memory and time grow faster than their number."""
_FEWEST = 10


def has_umap() -> bool:
    """Whether `umap-learn` can be imported; it is not, because that takes seconds."""
    return importlib.util.find_spec("umap") is not None


def umap_embedding(
    latent: Floats, *, seed: int = 0, neighbours: int = 15, most: int = MOST_EMBEDDED
) -> Floats | None:
    """Coordinates `(particle, 2)`, nan for particles that were not drawn.

    Near points are near in the latents; distances between groups and their sizes mean little.

    Args:
        latent: `(particle, latent_dim)`, finite, with 2 dimensions or more.
        seed: Same seed, same picture.
        neighbours: Of each particle that are kept together.
        most: Of more particles than these, so many are drawn.

    Returns:
        None if there are too few particles or they are all alike.

    Raises:
        ModuleNotFoundError: If `umap-learn` is missing; ask `has_umap` first.
    """
    if len(latent) < _FEWEST or not np.ptp(latent, axis=0).any():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies, and that one seed means one thread
        from umap import UMAP

        chosen = np.arange(len(latent))
        if len(latent) > most:
            drawn = np.random.default_rng(seed).choice(len(latent), most, replace=False)
            chosen = np.sort(drawn)
        model = UMAP(n_neighbors=min(neighbours, len(chosen) - 1), random_state=seed, n_jobs=1)
        coordinates = np.full((len(latent), 2), np.nan)
        coordinates[chosen] = model.fit_transform(latent[chosen])
    return coordinates
