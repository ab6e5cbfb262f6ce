"""Count true, false and missed picks of one class, by the rule of a challenge or one to one."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from icelens.core.metrics.matching import close_pairs, match_points
from icelens.core.metrics.precision_recall import f_beta

Rule = Literal["czii", "one-to-one"]
"""How true picks are counted; see `count_detections`."""


@dataclass(frozen=True)
class Counts:
    """Picks that are true or false, and particles that were missed.

    `duplicates` are false picks within the distance of a particle: a surer or closer one had it.
    """

    true: int = 0
    false: int = 0
    missed: int = 0
    duplicates: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Counts of two tomograms together."""
        return Counts(
            self.true + other.true,
            self.false + other.false,
            self.missed + other.missed,
            self.duplicates + other.duplicates,
        )

    @property
    def num_truth(self) -> int:
        """Particles there are."""
        return self.true + self.missed

    @property
    def num_found(self) -> int:
        """Picks there are."""
        return self.true + self.false

    @property
    def precision(self) -> float | None:
        """Share of the picks that are true, 0 without picks; None where there is no particle."""
        if not self.num_truth:
            return None
        return self.true / self.num_found if self.num_found else 0.0

    @property
    def recall(self) -> float | None:
        """Share of the particles that were found; None where there is none."""
        return self.true / self.num_truth if self.num_truth else None

    def f_beta(self, beta: float) -> float | None:
        """Precision and recall as one number; None where there is no particle."""
        if self.precision is None or self.recall is None:
            return None
        return f_beta(self.precision, self.recall, beta)


def count_detections(
    truth_zyx: Float[np.ndarray, "truth 3"],
    found_zyx: Float[np.ndarray, "found 3"],
    distance: float,
    rule: Rule,
) -> Counts:
    """Count the picks of one class in one tomogram.

    `czii` is the rule of the CZII challenge (2024), taken as it is: true are the *distinct
    particles* with at least one pick within the distance, false as many picks as there are beyond
    that number, missed the other particles. Two picks on a particle are one true and one false. A
    pick within reach of two particles finds both, and then `false` may be negative; particles
    would have to overlap for that. `one-to-one` counts the pairs of `match_points`, where a pick
    finds one particle at most.

    Args:
        truth_zyx: True positions in Å.
        found_zyx: Picked positions in Å.
        distance: Farthest that a pick may lie from its particle, in Å; the limit itself counts.
        rule: What is a true pick.

    Raises:
        GeometryError: If the distance is not positive.
    """
    particle, pick, _ = close_pairs(truth_zyx, found_zyx, distance)
    num_pairs = len(match_points(truth_zyx, found_zyx, distance))
    true = len(np.unique(particle)) if rule == "czii" else num_pairs
    return Counts(
        true=true,
        false=len(found_zyx) - true,
        missed=len(truth_zyx) - true,
        duplicates=len(np.unique(pick)) - num_pairs,
    )
