"""Particles whose latents lie far outside the others."""

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, norm

Floats = npt.NDArray[np.float64]

_KEPT = 0.9
"""Share of the particles that mean and covariance are taken from. A state of more than a tenth of
the particles is part of them, hence no outlier."""
_ROUNDS = 50
_MOST_SIGMA = 37.0
"""Beyond it probabilities are too small for a number."""


def outlier_sigma(latent: Floats, *, kept: float = _KEPT) -> Floats:
    """How far out each particle lies `(particle,)`, in standard deviations of a Gaussian.

    Mahalanobis distances from the mean and covariance of the innermost share, found by repeating
    (the concentration steps of Rousseeuw & Van Driessen, Technometrics 41, 212, 1999), and scaled
    so that this share of a Gaussian lies as far out as it should. They are told as the number of
    standard deviations that is as unlikely in one dimension, so that one limit serves latents of
    any dimension: 3 leaves out 0.27 % of a Gaussian.

    Args:
        latent: `(particle, latent_dim)`, finite.
        kept: The innermost share.
    """
    num_particles = len(latent)
    num_kept = max(int(np.ceil(kept * num_particles)), 1)
    inner = np.arange(num_particles)
    squared, rank = _squared_distances(latent, inner)
    for _ in range(_ROUNDS):
        if rank == 0:
            return np.where(squared > 0, _MOST_SIGMA, 0.0)
        chosen = np.sort(np.argpartition(squared, num_kept - 1)[:num_kept])
        if len(chosen) == len(inner) and (chosen == inner).all():
            break
        inner = chosen
        squared, rank = _squared_distances(latent, inner)
    edge = float(np.partition(squared, num_kept - 1)[num_kept - 1])
    if edge <= 0:
        return np.where(squared > 0, _MOST_SIGMA, 0.0)
    scaled = squared * chi2.ppf(min(kept, 1 - 1e-9), rank) / edge
    return np.asarray(np.minimum(norm.isf(0.5 * chi2.sf(scaled, rank)), _MOST_SIGMA))


def _squared_distances(latent: Floats, inner: npt.NDArray[np.int64]) -> tuple[Floats, int]:
    """Mahalanobis distances from those inside, and in how many dimensions these differ."""
    part = latent[inner]
    mean = part.mean(axis=0)
    centred = part - mean
    variance, axes = np.linalg.eigh(centred.T @ centred / max(len(part) - 1, 1))
    greatest = float(variance.max())
    flat = variance <= 1e-12 * greatest
    if greatest <= 0:
        return np.asarray(((latent - mean) ** 2).sum(axis=1)), 0
    along = (latent - mean) @ axes
    squared = (along[:, ~flat] ** 2 / variance[~flat]).sum(axis=1)
    if flat.any():
        # who leaves the plane in which all others lie is infinitely far out
        off = np.abs(along[:, flat]).max(axis=1) > 1e-5 * np.sqrt(greatest)
        squared = np.where(off, 1e6, squared)
    return np.asarray(squared), int((~flat).sum())
