"""Principal components of latents: the few directions along which particles differ most."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """Directions of greatest variance, the greatest first.

    Attributes:
        mean: `(latent_dim,)` of the latents.
        axes: `(component, latent_dim)` unit vectors at right angles to each other. The largest
            entry of each is positive, so that the same latents give the same signs.
        variance: `(component,)` of the coordinates along them.
        explained: `(component,)` share of all variance, 0 if there is none.
    """

    mean: Floats
    axes: Floats
    variance: Floats
    explained: Floats

    def __len__(self) -> int:
        """Number of components."""
        return len(self.axes)

    def coordinates(self, latent: Floats) -> Floats:
        """Coordinates `(point, component)` of latents `(point, latent_dim)`."""
        return np.asarray((latent - self.mean) @ self.axes.T)

    def latents(self, coordinates: Floats) -> Floats:
        """Latents `(point, latent_dim)` of coordinates `(point, component)`."""
        return np.asarray(self.mean + coordinates @ self.axes)


def principal_components(latent: Floats, count: int | None = None) -> PrincipalComponents:
    """Principal components from the covariance, which is small however many particles there are.

    Args:
        latent: `(particle, latent_dim)`, finite.
        count: How many to keep; all if None.
    """
    mean = latent.mean(axis=0)
    centred = latent - mean
    covariance = centred.T @ centred / max(len(latent) - 1, 1)
    variance, vectors = np.linalg.eigh(covariance)
    order = np.argsort(-variance, kind="stable")
    variance = np.maximum(variance[order], 0.0)
    axes = vectors.T[order]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    axes = axes * np.where(largest < 0, -1.0, 1.0)
    total = float(variance.sum())
    explained = variance / total if total > 0 else np.zeros_like(variance)
    kept = slice(None if count is None else min(count, len(axes)))
    return PrincipalComponents(mean, axes[kept], variance[kept], explained[kept])
