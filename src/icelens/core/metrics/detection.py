"""Score picks against the truth of several tomograms, per class and as one weighted number."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from jaxtyping import Bool, Float

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.metrics.detection_counts import Counts, Rule, count_detections
from icelens.core.metrics.matching import match_points, true_by_score
from icelens.core.metrics.precision_recall import (
    PrecisionRecall,
    best_threshold,
    f_beta,
    precision_recall,
)


@dataclass(frozen=True, eq=False)
class ClassScore:
    """How well one class of object was found, pooled over all tomograms.

    Precision, recall and F-beta are None for a class without a particle: it has no score, and its
    picks, if any, are in `counts.false`.
    """

    name: str
    weight: float
    distance: float
    """Farthest that a pick may lie from its particle, in Å."""
    beta: float
    counts: Counts
    by_run: Mapping[str, Counts]
    error_zyx: Float[np.ndarray, "pair 3"]
    """Pick minus truth of every one-to-one pair, in Å."""
    score: Float[np.ndarray, " found"]
    is_true: Bool[np.ndarray, " found"]
    """Whether each pick, of `score`, finds a particle that surer ones do not."""

    @property
    def precision(self) -> float | None:
        """Share of the picks that are true."""
        return self.counts.precision

    @property
    def recall(self) -> float | None:
        """Share of the particles that were found."""
        return self.counts.recall

    @property
    def f_beta(self) -> float | None:
        """Precision and recall as one number."""
        return self.counts.f_beta(self.beta)

    @property
    def rms_error(self) -> float | None:
        """Root mean square distance of the pairs in Å; None without pairs."""
        if not len(self.error_zyx):
            return None
        return float(np.sqrt(np.mean(np.sum(self.error_zyx**2, axis=1))))

    @property
    def offset_zyx(self) -> tuple[float, float, float] | None:
        """Mean of pick minus truth in Å, a shift of all picks alike; None without pairs."""
        if not len(self.error_zyx):
            return None
        z, y, x = self.error_zyx.mean(axis=0).tolist()
        return z, y, x

    @property
    def curve(self) -> PrecisionRecall | None:
        """Precision and recall over the score, one to one; None for a class without a particle."""
        if not self.counts.num_truth:
            return None
        return precision_recall(self.score, self.is_true, self.counts.num_truth)

    @property
    def average_precision(self) -> float | None:
        """Area under the curve; None for a class without a particle."""
        return None if self.curve is None else self.curve.average_precision

    @property
    def best_threshold(self) -> float | None:
        """The score from which on F-beta would be greatest; None where no pick is true."""
        if not self.is_true.any():
            return None
        return best_threshold(self.score, self.is_true, self.counts.num_truth, self.beta)

    @property
    def f_beta_at_best(self) -> float | None:
        """F-beta, one to one, of the picks from `best_threshold` on; None where there is none."""
        if self.best_threshold is None:
            return None
        kept = self.is_true[self.score >= self.best_threshold]
        return f_beta(float(kept.mean()), int(kept.sum()) / self.counts.num_truth, self.beta)


@dataclass(frozen=True, eq=False)
class DetectionScore:
    """The scores of all classes and what they were counted by."""

    classes: tuple[ClassScore, ...]
    rule: Rule
    beta: float
    distance_scale: float
    runs: tuple[str, ...]
    """Tomograms that were scored: those with a truth."""
    runs_without_truth: tuple[str, ...]
    """Tomograms with picks that cannot be judged and do not count."""
    runs_without_picks: tuple[str, ...]
    """Tomograms with a truth and no picks: their particles count as missed."""

    @property
    def f_beta(self) -> float | None:
        """Weighted mean over the classes that have particles and a weight; None without any."""
        return weighted_mean([(score.f_beta, score.weight) for score in self.classes])

    @property
    def mean_average_precision(self) -> float | None:
        """Weighted mean of the average precisions, over the same classes."""
        return weighted_mean([(score.average_precision, score.weight) for score in self.classes])

    def f_beta_of_run(self, run: str) -> float | None:
        """The weighted mean of one tomogram alone; None if it has no particle that counts."""
        values = [(score.by_run[run].f_beta(self.beta), score.weight) for score in self.classes]
        return weighted_mean(values)

    def of(self, name: str) -> ClassScore:
        """The score of one class.

        Raises:
            MetadataError: If there is none of that name.
        """
        for score in self.classes:
            if score.name == name:
                return score
        known = ", ".join(score.name for score in self.classes)
        raise MetadataError(f"{name} was not scored; there are {known}")


def score_detections(
    truth: Mapping[str, Picks],
    found: Mapping[str, Picks],
    objects: Sequence[PickableObject],
    *,
    distance_scale: float = 0.5,
    beta: float = 4.0,
    rule: Rule = "czii",
) -> DetectionScore:
    """Score picks against truth, counts pooled over tomograms.

    Errors, average precision and thresholds are one to one under either rule of counting.

    Args:
        truth: True particles by run, of all classes; a run without an entry is not scored.
        found: Picks by run; a run without an entry has none.
        objects: The classes to score; `species` of the picks are their names. Classes of weight 0
            and those without a particle stay out of the means.
        distance_scale: Farthest that a pick may lie from its particle, in radii.
        beta: How much more recall counts than precision.
        rule: How true picks are counted; see `count_detections`.

    Raises:
        GeometryError: If `distance_scale` or `beta` is not positive.
        MetadataError: If a radius is missing, or a weight or a score is no number.
    """
    if not (math.isfinite(distance_scale) and distance_scale > 0):
        raise GeometryError(f"the distance scale is {distance_scale:g}, expected more than 0")
    if not (math.isfinite(beta) and beta > 0):
        raise GeometryError(f"beta is {beta:g}, expected more than 0")
    runs = tuple(sorted(truth))
    classes = [
        _score_class(
            item,
            {run: of_species(truth[run], item.name) for run in runs},
            {run: of_species(found[run], item.name) for run in runs if run in found},
            item.known_radius() * distance_scale,
            beta,
            rule,
        )
        for item in objects
    ]
    return DetectionScore(
        tuple(classes),
        rule,
        beta,
        distance_scale,
        runs,
        runs_without_truth=tuple(sorted(set(found) - set(truth))),
        runs_without_picks=tuple(sorted(set(truth) - set(found))),
    )


def weighted_mean(values: Sequence[tuple[float | None, float]]) -> float | None:
    """Mean of values with their weights; None stays out, and is the mean of nothing."""
    known = [(value, weight) for value, weight in values if value is not None and weight > 0]
    total = math.fsum(weight for _, weight in known)
    return math.fsum(value * weight for value, weight in known) / total if known else None


def _score_class(
    item: PickableObject,
    truth: Mapping[str, Picks],
    found: Mapping[str, Picks],
    distance: float,
    beta: float,
    rule: Rule,
) -> ClassScore:
    nothing = Picks(np.empty((0, 3)))
    by_run, errors, scores, flags = {}, [np.empty((0, 3))], [np.empty(0)], [np.empty(0, bool)]
    for run, true_picks in truth.items():
        picks = found.get(run, nothing)
        points = true_picks.position_zyx, picks.position_zyx
        by_run[run] = count_detections(*points, distance, rule)
        errors.append(match_points(*points, distance).error_zyx)
        scores.append(picks.score)
        flags.append(true_by_score(*points, picks.score, distance))
    return ClassScore(
        item.name,
        checked_weight(item),
        distance,
        beta,
        reduce(add, by_run.values(), Counts()),
        by_run,
        np.concatenate(errors),
        np.concatenate(scores),
        np.concatenate(flags),
    )


def of_species(picks: Picks, name: str) -> Picks:
    """The picks of one class."""
    return picks.select([species == name for species in picks.species])


def checked_weight(item: PickableObject) -> float:
    """The weight of a class in the mean.

    Raises:
        MetadataError: If it is not a number, or negative.
    """
    try:
        weight = item.weight
    except (TypeError, ValueError):
        weight = math.nan
    if not (math.isfinite(weight) and weight >= 0):
        raise MetadataError(
            f"object {item.name} has metadata {dict(item.metadata)}; expected its score_weight or "
            "weight to be 0 or a positive number, correct the project's configuration"
        )
    return weight
