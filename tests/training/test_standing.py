import json
import math

import pytest

from icelens.training.contract import TrainingError
from icelens.training.standing import Standing


def test_standing_survives_json_exactly():
    standing = Standing(step=3, rate_factor=0.5).after_validation(0.1).after_validation(1 / 3)
    assert Standing.from_json(json.loads(json.dumps(standing.to_json()))) == standing


def test_three_skips_in_a_row_are_lost_and_a_good_step_forgives():
    standing = Standing()
    for is_finite in (False, False, True, False, False):
        standing = standing.after_step(is_finite=is_finite)
    assert not standing.is_lost
    assert standing.after_step(is_finite=False).is_lost
    assert standing.step == 5


def test_roll_back_halves_the_rate_and_keeps_the_best_score():
    lost = Standing(step=10, best_score=0.2, best_step=9, skips_in_a_row=3)
    back = lost.rolled_back_to(Standing(step=6, num_worse=2))
    assert (back.step, back.rate_factor, back.skips_in_a_row) == (6, 0.5, 0)
    assert (back.best_score, back.best_step, back.num_worse) == (0.2, 9, 2)


def test_sixth_roll_back_gives_up_with_a_remedy():
    standing = Standing()
    for _ in range(5):
        standing = standing.rolled_back_to(Standing())
    with pytest.raises(TrainingError, match="lower --learning-rate"):
        standing.rolled_back_to(Standing())


def test_lower_scores_are_better_and_nan_is_never_best():
    standing = Standing(step=1).after_validation(2.0).after_validation(1.0)
    assert (standing.best_score, standing.num_worse) == (1.0, 0)
    standing = standing.after_validation(1.5).after_validation(math.nan)
    assert (standing.best_score, standing.num_worse) == (1.0, 2)
    assert standing.scores == ((1, 2.0), (1, 1.0), (1, 1.5))
