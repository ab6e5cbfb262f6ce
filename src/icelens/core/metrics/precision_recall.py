"""Precision and recall over the score of picks, their F-beta, and the threshold that serves it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from icelens.core.errors import GeometryError
from icelens.core.metrics.matching import check_scores

UNKNOWN_THRESHOLD = 0.5
"""What `best_threshold` says where nothing can be learned: a probability as likely true as not."""


def f_beta(precision: float, recall: float, beta: float) -> float:
    """(1 + beta^2) P R / (beta^2 P + R), 0 if both are 0; recall weighs beta^2 times as much.

    Source: van Rijsbergen, Information Retrieval, 2nd ed. 1979, chapter 7.
    """
    if precision == 0 and recall == 0:
        return 0.0
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Precision and recall of the picks with at least a score, for every score, falling."""

    threshold: Float[np.ndarray, " point"]
    precision: Float[np.ndarray, " point"]
    recall: Float[np.ndarray, " point"]

    @property
    def average_precision(self) -> float:
        """Area under the steps: precision times the gain in recall, summed; 0 without picks.

        Nothing is interpolated, hence a lucky point late in the list lifts nothing before it.
        """
        gain = np.diff(self.recall, prepend=0.0)
        return float(np.sum(self.precision * gain))


def precision_recall(
    score: Float[np.ndarray, " found"], is_true: Bool[np.ndarray, " found"], num_truth: int
) -> PrecisionRecall:
    """The curve over all scores; picks of one score come in together.

    Args:
        score: Of the picks of all tomograms together.
        is_true: Whether each finds a particle, as `true_by_score` says for each tomogram.
        num_truth: Particles in all these tomograms.

    Raises:
        GeometryError: If the lengths differ, or there are more true picks than particles.
        MetadataError: If a score is not finite.
    """
    threshold, num_true, num_picks = _counts_by_score(score, is_true, num_truth)
    return PrecisionRecall(threshold, num_true / num_picks, num_true / max(num_truth, 1))


def best_threshold(
    scores: Float[np.ndarray, " found"],
    is_true: Bool[np.ndarray, " found"],
    num_truth: int,
    beta: float,
    *,
    fallback: float = UNKNOWN_THRESHOLD,
) -> float:
    """The score from which on to keep picks so that F-beta is greatest.

    Any threshold between two neighbouring scores keeps the same picks: the middle of the gap is
    taken, which is farthest from a mistake. Where several gaps are equally good, neighbours count
    as one and the widest wins, of equally wide ones the highest. Below the lowest score nothing
    is known, so that a threshold that keeps all is the lowest score itself.

    Args:
        scores: Of the picks of all held-out tomograms together, more is surer.
        is_true: Whether each finds a particle, as `true_by_score` says for each tomogram.
        num_truth: Particles in these tomograms.
        beta: How much more recall counts than precision.
        fallback: The answer where no pick is true: every threshold is then equally bad.

    Raises:
        GeometryError: If the lengths differ, or there are more true picks than particles.
        MetadataError: If a score is not finite.
    """
    threshold, num_true, num_picks = _counts_by_score(scores, is_true, num_truth)
    if not num_true.any():
        return fallback
    # F-beta written in counts: exact integers decide what is a tie.
    value = (1 + beta**2) * num_true / (beta**2 * num_truth + num_picks)
    is_best = np.isclose(value, value.max(), rtol=1e-12, atol=0.0)
    change = np.flatnonzero(np.diff(is_best.astype(np.int8), prepend=0, append=0))
    firsts, lasts = change[::2], change[1::2] - 1
    below = np.append(threshold[1:], threshold[-1])
    high, low = threshold[firsts], below[lasts]
    widest = int(np.argmax(high - low))
    middle = 0.5 * (high[widest] + low[widest])
    # Between neighbouring floats there is no middle; the higher one still keeps its picks.
    return float(middle if middle > low[widest] else threshold[lasts[widest]])


def _counts_by_score(
    score: Float[np.ndarray, " found"], is_true: Bool[np.ndarray, " found"], num_truth: int
) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """Each score there is, falling; true picks and all picks that have at least that score."""
    if len(score) != len(is_true) or int(is_true.sum()) > num_truth:
        raise GeometryError(
            f"{len(score)} scores for {len(is_true)} picks, {int(is_true.sum())} of them true, and "
            f"{num_truth} particles; expected as many scores as picks and no more true than exist"
        )
    check_scores(score)
    order = np.argsort(-np.asarray(score, np.float64), kind="stable")
    falling = np.asarray(score, np.float64)[order]
    last_of_score = np.flatnonzero(np.diff(falling, append=-np.inf))
    num_true = np.cumsum(is_true[order])[last_of_score].astype(np.float64)
    return falling[last_of_score], num_true, (last_of_score + 1).astype(np.float64)
