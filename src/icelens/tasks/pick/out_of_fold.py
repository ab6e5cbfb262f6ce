"""Scores of runs by networks that never saw them, and thresholds from all folds together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.errors import MetadataError
from icelens.core.metrics.detection import DetectionScore, score_detections
from icelens.tasks.pick.held_out_file import FinishedFold
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.scoring import HeldOut, particle_classes, true_picks
from icelens.tasks.pick.train_report import kept_picks


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """All runs, each picked by the fold that held it out.

    `held_out` pools every pick, sure or not. `at_thresholds` counts those above thresholds chosen
    on all runs. `cross_fitted` counts each run above thresholds chosen on the runs of the other
    folds: nothing in it was chosen by the run it judges. Scores are None without a class of
    particles.
    """

    held_out: HeldOut
    thresholds: Mapping[str, float]
    at_thresholds: DetectionScore | None
    cross_fitted: DetectionScore | None
    by_fold: tuple[DetectionScore | None, ...]
    """Each fold alone, above thresholds chosen on the other folds."""


def pool_folds(
    folds: Sequence[FinishedFold],
    tomograms: Sequence[LabelledTomogram],
    objects: Sequence[PickableObject],
    beta: float,
) -> OutOfFold:
    """Score the picks of all folds together.

    Args:
        folds: Each with the picks of the runs it held out.
        tomograms: All these runs with their truth.
        objects: What was learnt.
        beta: Of the F-beta score that chooses thresholds.

    Raises:
        MetadataError: If two runs have one name.
    """
    _refuse_equal_names(tomograms)
    found = {run: picks for fold in folds for run, picks in fold.picks.items()}
    dice = _mean_dice(folds)
    classes = particle_classes(objects, tomograms)
    if not classes:
        return OutOfFold(HeldOut(None, dice, found), {}, None, None, (None,) * len(folds))
    truth = {each.name: true_picks(each, objects) for each in tomograms}
    held_out = HeldOut(score_detections(truth, found, classes, beta=beta), dice, found)
    thresholds = held_out.thresholds()
    kept = {run: kept_picks(picks, thresholds) for run, picks in found.items()}
    fitted: dict[str, Picks] = {}
    by_fold = []
    for fold in folds:
        own = _kept_by_others(fold, truth, found, classes, beta)
        fitted |= own
        by_fold.append(score_detections(_of(truth, own), own, classes, beta=beta))
    return OutOfFold(
        held_out,
        thresholds,
        score_detections(truth, kept, classes, beta=beta),
        score_detections(truth, fitted, classes, beta=beta),
        tuple(by_fold),
    )


def _kept_by_others(
    fold: FinishedFold,
    truth: Mapping[str, Picks],
    found: Mapping[str, Picks],
    classes: Sequence[PickableObject],
    beta: float,
) -> dict[str, Picks]:
    """The picks of a fold above the thresholds that the other folds choose."""
    others = {run: picks for run, picks in found.items() if run not in fold.picks}
    score = score_detections(_of(truth, others), others, classes, beta=beta)
    thresholds = HeldOut(score, {}, others).thresholds()
    return {run: kept_picks(picks, thresholds) for run, picks in fold.picks.items()}


def _of(truth: Mapping[str, Picks], runs: Mapping[str, Picks]) -> dict[str, Picks]:
    return {run: picks for run, picks in truth.items() if run in runs}


def _mean_dice(folds: Sequence[FinishedFold]) -> dict[str, float]:
    names = dict.fromkeys(name for fold in folds for name in fold.dice)
    return {
        name: float(np.mean([fold.dice[name] for fold in folds if name in fold.dice]))
        for name in names
    }


def _refuse_equal_names(tomograms: Sequence[LabelledTomogram]) -> None:
    names = [each.name for each in tomograms]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise MetadataError(
            f"run {', '.join(twice)} is in several projects under one name, and its picks could "
            "not be told apart; choose runs with --runs, or cross-validate each project alone"
        )
