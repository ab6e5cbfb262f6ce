"""Whether latents mirror the microscope rather than the molecule."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import f as f_distribution
from scipy.stats import rankdata

Floats = npt.NDArray[np.float64]

_LEAST_SHARE = 0.05
"""Of a component's variance, from which a cause is worth a warning."""
_LEAST_SURPRISE = 1e-4
"""Probability, below which it is no chance; many pairs are tried."""
_MOST_GROUPS = 50
_MOST_PARTICLES = 50_000
"""Particles that are asked: a share of 5 % of them shows without the others."""


@dataclass(frozen=True)
class Confounder:
    """One cause that might explain one component.

    Attributes:
        component: Number of the principal component, from 1.
        cause: Name of the cause.
        share: Part of the variance of the component's ranks that it explains, 0 to 1, less what
            chance alone would.
        probability: Of as great a share by chance.
    """

    component: int
    cause: str
    share: float
    probability: float

    @property
    def is_suspicious(self) -> bool:
        """Whether it is worth a warning."""
        return self.share >= _LEAST_SHARE and self.probability < _LEAST_SURPRISE


def confounders(
    coordinates: Floats, causes: Mapping[str, Floats], *, seed: int = 0
) -> list[Confounder]:
    """Regress each component's ranks on each cause.

    Args:
        coordinates: `(particle, component)`.
        causes: By name, `(particle, term)` numbers that may explain a component together, such as
            those of `curve_terms`, `view_terms`, `turn_terms` and `group_terms`.
        seed: Of the draw of particles, where there are very many.
    """
    asked: slice | npt.NDArray[np.int64] = slice(None)
    if len(coordinates) > _MOST_PARTICLES:
        rng = np.random.default_rng(seed)
        asked = np.sort(rng.choice(len(coordinates), _MOST_PARTICLES, replace=False))
    found = []
    for number, values in enumerate(coordinates[asked].T, start=1):
        ranks = np.asarray(rankdata(values), np.float64)
        for name, terms in causes.items():
            share, probability = explained_share(ranks, terms[asked])
            found.append(Confounder(number, name, share, probability))
    return found


def explained_share(values: Floats, terms: Floats) -> tuple[float, float]:
    """Share of variance that a linear regression explains, adjusted for its terms, and F test.

    Args:
        values: `(particle,)`.
        terms: `(particle, term)`; terms that do not vary or repeat others are left out.
    """
    centred = values - values.mean()
    total = float(centred @ centred)
    left, size, _ = np.linalg.svd(terms - terms.mean(axis=0), full_matrices=False)
    basis = left[:, size > 1e-9 * max(float(size.max(initial=0.0)), 1.0)]
    rank, rest = basis.shape[1], len(values) - basis.shape[1] - 1
    if total <= 0 or rank == 0 or rest < 1:
        return 0.0, 1.0
    share = min(float(((basis.T @ centred) ** 2).sum()) / total, 1.0)
    adjusted = max(1.0 - (1.0 - share) * (len(values) - 1) / rest, 0.0)
    ratio = share / rank / max((1.0 - share) / rest, 1e-300)
    return adjusted, float(f_distribution.sf(ratio, rank, rest))


def curve_terms(values: Floats) -> Floats:
    """A number that acts by its rank, rising or through a bend: `(particle, 2)`."""
    ranks = np.asarray(rankdata(values), np.float64) / max(len(values), 1) - 0.5
    return np.stack([ranks, ranks**2], axis=1)


def view_terms(direction: Floats) -> Floats:
    """A viewing direction by harmonics of degree 1 and 2, `(particle, 8)`, from `(particle, 3)`."""
    x, y, z = direction.T
    return np.stack([x, y, z, x * y, y * z, z * x, x**2 - y**2, 3 * z**2 - 1], axis=1)


def turn_terms(angle: Floats) -> Floats:
    """An angle in degrees, once and twice round: `(particle, 4)`."""
    turn = np.deg2rad(angle)
    return np.stack([np.cos(turn), np.sin(turn), np.cos(2 * turn), np.sin(2 * turn)], axis=1)


def group_terms(group: npt.NDArray[np.int64]) -> Floats:
    """Which of several groups: `(particle, group)` of 0 and 1; small ones of very many are one."""
    names, place, size = np.unique(group, return_inverse=True, return_counts=True)
    order = np.argsort(-size, kind="stable")
    number = np.empty(len(names), np.int64)
    number[order] = np.minimum(np.arange(len(names)), _MOST_GROUPS - 1)
    return np.eye(min(len(names), _MOST_GROUPS))[number[place]]
