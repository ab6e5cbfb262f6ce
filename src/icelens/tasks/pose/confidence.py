"""How sure a network is, compared with how sure it usually is of the same view.

Some views of a particle are harder than others, so a probability alone says little. It is compared
with those of held-out particles seen from the same direction: as log odds, for probabilities crowd
at one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.geometry.healpix import healpix_cell, num_cells
from icelens.core.geometry.symmetry import symmetry_operators

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

ORDER = 2
"""Cones of about 15 degrees: 192 of them."""
LEAST_IN_CONE = 10
"""Held-out particles that a cone needs to be judged by itself."""
_TO_SIGMA = 1.4826
"""The median absolute deviation of a normal distribution, times this, is its standard deviation."""
_LEAST_SPREAD = 0.1
_LEAST_ODDS = 1e-4
_LARGE_DISTANCE, _LARGE_SHIFT = 0.2, -0.3


@dataclass(frozen=True, eq=False)
class DirectionalScores:
    """How sure a network was of held-out particles, for each direction they are seen from.

    Attributes:
        symmetry: Point group; equivalent directions are one.
        median: `(cone,)` of the log odds, that of all where a cone has too few.
        spread: `(cone,)` their robust standard deviation.
        held_out: Probabilities of all held-out particles, sorted.
    """

    symmetry: str
    median: Floats
    spread: Floats
    held_out: Floats

    @staticmethod
    def of(rotation: Floats, probability: Floats, symmetry: str) -> "DirectionalScores":
        """Measure probabilities `(particle,)` of answers `(particle, 3, 3)`."""
        score = log_odds(probability)
        cone = cones(rotation, symmetry)
        everywhere = np.median(score), _spread(score)
        median = np.full(num_cells(ORDER), everywhere[0])
        spread = np.full(num_cells(ORDER), everywhere[1])
        for number in np.flatnonzero(np.bincount(cone, minlength=len(median)) >= LEAST_IN_CONE):
            inside = score[cone == number]
            median[number], spread[number] = np.median(inside), _spread(inside)
        return DirectionalScores(symmetry, median, spread, np.sort(probability))

    def zscores(self, rotation: Floats, probability: Floats) -> Floats:
        """Standard deviations above the median of the same view."""
        cone = cones(rotation, self.symmetry)
        result: Floats = (log_odds(probability) - self.median[cone]) / self.spread[cone]
        return result

    def to_json(self) -> dict[str, Any]:
        """For a checkpoint's description; those of held-out particles as 201 quantiles."""
        return {
            "symmetry": self.symmetry,
            "median": [round(float(value), 5) for value in self.median],
            "spread": [round(float(value), 5) for value in self.spread],
            "held_out": [
                round(float(value), 5)
                for value in np.quantile(self.held_out, np.linspace(0.0, 1.0, 201))
            ],
        }

    @staticmethod
    def from_json(known: Mapping[str, Any]) -> "DirectionalScores":
        """Read what `to_json` gave."""
        return DirectionalScores(
            str(known["symmetry"]),
            np.asarray(known["median"], np.float64),
            np.asarray(known["spread"], np.float64),
            np.asarray(known["held_out"], np.float64),
        )


def cones(rotation: npt.ArrayLike, symmetry: str) -> Integers:
    """Cell of the direction that each particle is seen from, the same for equivalent ones.

    The direction is the third row of the rotation, which no in-plane turn changes. Of equivalent
    directions the cell with the smallest number counts.
    """
    direction = np.asarray(rotation, np.float64)[..., 2, :]
    operators = symmetry_operators(symmetry).double().numpy()
    # R is equivalent to R S: its third row times S
    equivalents = np.einsum("...a,gab->...gb", direction, operators)
    cell: Integers = healpix_cell(equivalents, ORDER).min(axis=-1)
    return cell


@dataclass(frozen=True)
class JunkThreshold:
    """Where two populations of scores part.

    Attributes:
        threshold: Below it a particle is more likely junk than not.
        false_discovery_rate: Estimated share of junk among the particles above.
        junk_share: Estimated share of junk among all.
    """

    threshold: float
    false_discovery_rate: float
    junk_share: float


def junk_threshold(score: npt.ArrayLike, *, seed: int = 0) -> JunkThreshold | None:
    """Part scores by a mixture of two normal distributions; None if one describes them as well.

    Two are believed only if the Bayesian information criterion prefers them and their means are
    farther apart than twice their mean standard deviation.
    """
    from sklearn.mixture import GaussianMixture

    values = np.asarray(score, np.float64)[:, None]
    # a network that is sure of everything gives one score, which cannot be parted
    if len(np.unique(values)) < 2 * LEAST_IN_CONE:
        return None
    one = GaussianMixture(1, random_state=seed).fit(values)
    two = GaussianMixture(2, random_state=seed, n_init=3).fit(values)
    mean, sigma = two.means_[:, 0], np.sqrt(two.covariances_[:, 0, 0])
    if two.bic(values) >= one.bic(values) or abs(mean[0] - mean[1]) < sigma.sum():
        return None
    junk = int(mean.argmin())
    grid = np.linspace(mean.min(), mean.max(), 1001)
    is_good = two.predict_proba(grid[:, None])[:, 1 - junk] >= 0.5
    threshold = float(grid[is_good.argmax()]) if is_good.any() else float(mean.max())
    above = values[:, 0] >= threshold
    probability = two.predict_proba(values)[:, junk]
    rate = float(probability[above].mean()) if above.any() else 0.0
    return JunkThreshold(threshold, rate, float(two.weights_[junk]))


@dataclass(frozen=True)
class Drift:
    """How far scores of new particles lie from those of held-out ones.

    Attributes:
        distance: Largest difference of the two cumulative distributions (Kolmogorov-Smirnov).
        median_shift: Of the medians, in robust standard deviations of the held-out scores.
        is_large: Whether the new particles are not what the network learnt.
    """

    distance: float
    median_shift: float
    is_large: bool


def drift(probability: npt.ArrayLike, known: DirectionalScores) -> Drift:
    """Compare how sure a network is of new particles with how sure it was of held-out ones.

    With many particles any difference is significant, so the size of it decides, not its
    significance: a fifth of the particles lying elsewhere, and lower.
    """
    from scipy.stats import ks_2samp

    values, held_out = log_odds(probability), log_odds(known.held_out)
    distance = float(ks_2samp(values, held_out).statistic)
    shift = float((np.median(values) - np.median(held_out)) / _spread(held_out))
    return Drift(distance, shift, distance > _LARGE_DISTANCE and shift < _LARGE_SHIFT)


def log_odds(probability: npt.ArrayLike) -> Floats:
    """`ln(p / (1 - p))`, within what single precision and a partition of cells can tell."""
    held: Floats = np.clip(np.asarray(probability, np.float64), _LEAST_ODDS, 1.0 - _LEAST_ODDS)
    odds: Floats = np.log(held / (1.0 - held))
    return odds


def _spread(score: Floats) -> float:
    deviation = np.abs(score - np.median(score))
    return max(_TO_SIGMA * float(np.median(deviation)), _LEAST_SPREAD)
