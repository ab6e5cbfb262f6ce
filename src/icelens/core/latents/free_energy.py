"""Free energy over one or two coordinates: how rare a state is, told in units of kT."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from icelens.core.errors import GeometryError

Floats = npt.NDArray[np.float64]

_DRAWS = 200
_CLASSES = 12
"""Groups of like uncertainty that particles are spread in."""


@dataclass(frozen=True, eq=False)
class FreeEnergy:
    """`-ln p` of each bin in kT; 0 in the fullest bin, nan in empty ones.

    Populations in the ice are read as those of equilibrium, which they are only if freezing, the
    air-water interface, picking and the selection of particles treated all states alike.

    Attributes:
        edges: Of the bins along each coordinate, `(bin + 1,)` each.
        energy_kT: `(bin,)` or `(bin, bin)`, the first coordinate first.
        error_kT: Standard deviation of `-ln p` over drawn sets of particles. It knows of chance
            alone, not of what latents do to distances.
        count: Particles in each bin, or the sum of their weights.
        widened_kT: The same with each particle spread by its uncertainty; None if that was not
            given. Where both differ by more than the error, the surface is not resolved: posterior
            means are drawn together by the prior and estimates without one are scattered by noise,
            so that the truth may lie on either side of `energy_kT`.
    """

    edges: tuple[Floats, ...]
    energy_kT: Floats
    error_kT: Floats
    count: Floats
    widened_kT: Floats | None = None

    def centres(self) -> tuple[Floats, ...]:
        """Middle of the bins along each coordinate."""
        return tuple(0.5 * (edge[1:] + edge[:-1]) for edge in self.edges)


def free_energy(
    points: Floats,
    *,
    bins: int = 40,
    weights: Floats | None = None,
    deviation: Floats | None = None,
    seed: int = 0,
) -> FreeEnergy:
    """Free energy from where particles lie, with error bars from the bootstrap.

    Args:
        points: `(particle, coordinate)`, 1 or 2 coordinates.
        bins: Along each coordinate, from the 1st to the 99th percentile and a fifth of that to
            either side if there is anything; what lies beyond is not counted.
        weights: `(particle,)`, 0 or more; 1 if None.
        deviation: `(particle, coordinate)` uncertainty of each; rows with nan are not spread.
        seed: Of the bootstrap.

    Raises:
        GeometryError: If there are no points, or not 1 or 2 coordinates.
    """
    if points.ndim != 2 or points.shape[1] not in (1, 2) or not len(points):
        raise GeometryError(
            f"free energy: points have shape {points.shape}, expected (particle, 1 or 2)"
        )
    edges = tuple(_edges(values, bins) for values in points.T)
    weight = np.ones(len(points)) if weights is None else np.asarray(weights, np.float64)
    count = np.histogramdd(points, edges, weights=weight)[0]
    widened = None
    if deviation is not None and np.isfinite(deviation).any():
        widened = _energy(_spread(points, weight, deviation, edges))
    squares = np.histogramdd(points, edges, weights=weight**2)[0]
    error = _bootstrap_error(count, squares, np.random.default_rng(seed))
    return FreeEnergy(edges, _energy(count), error, count, widened)


def _edges(values: Floats, bins: int) -> Floats:
    low, high = np.percentile(values, (1.0, 99.0))
    room = 0.2 * (high - low)
    low, high = max(low - room, values.min()), min(high + room, values.max())
    if high <= low:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def _energy(count: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        energy = -np.log(count / max(float(count.max(initial=0.0)), 1e-300))
    energy[count <= 0] = np.nan
    return np.asarray(energy + 0.0)  # no negative zero


def _bootstrap_error(count: Floats, squares: Floats, rng: np.random.Generator) -> Floats:
    """Standard deviation of `-ln p` when particles are drawn anew, with replacement.

    The weight in a bin then is, to first order, Poisson in units of its mean weight; without
    weights and for many bins that is the bootstrap itself, without an array of particles by draws.
    Bins that come out empty count as half a particle: they would be infinitely high.
    """
    filled = count > 0
    unit = np.where(filled, squares / np.where(filled, count, 1.0), 1.0)
    drawn = rng.poisson(np.where(filled, count / unit, 0.0), (_DRAWS, *count.shape)) * unit
    drawn = np.where(drawn > 0, drawn, 0.5 * unit)
    share = drawn / drawn.reshape(_DRAWS, -1).sum(axis=1).reshape(-1, *[1] * count.ndim)
    return np.asarray(np.where(filled, np.log(share).std(axis=0), np.nan))


def _spread(points: Floats, weight: Floats, deviation: Floats, edges: tuple[Floats, ...]) -> Floats:
    """Histogram in which each particle is a Gaussian as wide as its group of like uncertainty."""
    known = np.where(np.isfinite(deviation), deviation, 0.0)
    size = np.sqrt((known**2).sum(axis=1))
    group = np.searchsorted(np.quantile(size, np.linspace(0, 1, _CLASSES + 1)[1:-1]), size)
    step = [edge[1] - edge[0] for edge in edges]
    total = np.zeros([len(edge) - 1 for edge in edges])
    for number in np.unique(group):
        members = group == number
        width = np.sqrt((known[members] ** 2).mean(axis=0)) / step
        part = np.histogramdd(points[members], edges, weights=weight[members])[0]
        total += gaussian_filter(part, width, mode="constant", truncate=4.0)
    # tails that reach everywhere would make up a surface where no particle is
    return np.where(total >= 0.5, total, 0.0)
