"""Thresholds and scores of all folds together, known from picks made by hand."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.errors import MetadataError
from icelens.tasks.pick.held_out_file import FinishedFold
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.out_of_fold import pool_folds
from icelens.tasks.pick.splits import Split

BALL = PickableObject("ball", 1, 50.0)
CENTRES = np.array([[5.0, 10.0, 10.0], [5.0, 30.0, 30.0]])
FAR = np.array([[5.0, 10.0, 30.0]])


def tomogram(name: str) -> LabelledTomogram:
    empty = np.zeros((10, 40, 40), np.float16)
    return LabelledTomogram(name, (empty,), 10.0, CENTRES, np.zeros(2, np.int64), None)


def finished(run: str, scores: tuple[float, float], false_score: float) -> FinishedFold:
    """Both particles found with `scores`, and one false pick."""
    picks = Picks(
        np.concatenate([CENTRES, FAR]) * 10.0,
        species=("ball",) * 3,
        score=np.array([*scores, false_score]),
    )
    split = Split(("other",), (run,))
    return FinishedFold(Path(run), Path(run), split, {}, {run: picks}, {})


def test_thresholds_are_those_of_all_folds() -> None:
    folds = [finished("A", (0.9, 0.8), 0.3), finished("B", (0.7, 0.6), 0.2)]
    pooled = pool_folds(folds, [tomogram("A"), tomogram("B")], [BALL], 4.0)
    assert 0.3 < pooled.thresholds["ball"] <= 0.6
    assert pooled.at_thresholds is not None
    assert pooled.at_thresholds.f_beta == 1.0


def test_cross_fitted_thresholds_come_from_the_other_folds() -> None:
    folds = [finished("A", (0.9, 0.8), 0.75), finished("B", (0.4, 0.3), 0.05)]
    pooled = pool_folds(folds, [tomogram("A"), tomogram("B")], [BALL], 4.0)
    # A is cut near 0.3, which keeps its false pick; B near 0.8, which loses both its particles
    a, b = (score.of("ball").counts for score in pooled.by_fold if score is not None)
    assert (a.true, a.false, a.missed) == (2, 1, 0)
    assert (b.true, b.false, b.missed) == (0, 0, 2)
    assert pooled.cross_fitted is not None
    counts = pooled.cross_fitted.of("ball").counts
    assert (counts.true, counts.false, counts.missed) == (2, 1, 2)
    assert (pooled.at_thresholds.f_beta or 0) > (pooled.cross_fitted.f_beta or 1)


def test_runs_of_one_name_are_refused() -> None:
    with pytest.raises(MetadataError, match="run A is in several projects"):
        pool_folds([finished("A", (0.9, 0.8), 0.1)], [tomogram("A"), tomogram("A")], [BALL], 4.0)


def test_without_particles_the_overlaps_remain() -> None:
    membrane = PickableObject("membrane", 1, None, is_particle=False)
    fold = FinishedFold(Path("A"), Path("A"), Split(("B",), ("A",)), {}, {}, {"membrane": 0.5})
    pooled = pool_folds([fold], [tomogram("A")], [membrane], 4.0)
    assert pooled.cross_fitted is None
    assert pooled.held_out.dice == {"membrane": 0.5}
