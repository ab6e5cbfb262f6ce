"""False picks are told apart by what they lie on."""

import numpy as np
import pytest

from icelens.core.data.picks import Picks
from icelens.core.metrics.confusion import NOTHING, false_picks_on

DISTANCES = {"large": 75.0, "small": 30.0}


def picks(*rows: tuple[float, str]) -> Picks:
    positions = np.array([[z, 0.0, 0.0] for z, _ in rows]).reshape(-1, 3)
    return Picks(positions, species=tuple(name for _, name in rows))


TRUTH = picks((0, "large"), (1000, "small"), (2000, "other"))


@pytest.mark.parametrize(
    ("pick", "expected"),
    [
        ((5, "large"), {}),
        ((1010, "large"), {("large", "small"): 1}),
        ((60, "small"), {("small", "large"): 1}),
        ((1035, "large"), {("large", NOTHING): 1}),
        ((1030, "large"), {("large", "small"): 1}),
        ((2000, "small"), {("small", NOTHING): 1}),
        ((1000, "other"), {}),
    ],
)
def test_false_pick_lies_on(pick, expected):
    assert false_picks_on({"a": TRUTH}, {"a": picks(pick)}, DISTANCES) == expected


def test_second_pick_of_a_particle_lies_on_its_own_class():
    found = {"a": picks((0, "large"), (9, "large"))}
    assert false_picks_on({"a": TRUTH}, found, DISTANCES) == {("large", "large"): 1}


def test_runs_without_truth_are_left_out():
    assert not false_picks_on({"a": TRUTH}, {"b": picks((5000, "large"))}, DISTANCES)
    assert not false_picks_on({"a": TRUTH}, {"a": picks()}, DISTANCES)
