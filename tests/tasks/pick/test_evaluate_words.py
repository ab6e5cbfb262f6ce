"""The table lines up, and what the numbers hide is said."""

import numpy as np

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.metrics.detection import score_detections
from icelens.tasks.pick.evaluate_input import Evaluated
from icelens.tasks.pick.evaluate_words import aligned, hints, score_table, summary

RIBOSOME = PickableObject("ribosome", 1, 150.0)
VIRUS = PickableObject("virus-like-particle", 2, 135.0, metadata={"score_weight": 2})


def at(*z: float, name: str = "ribosome") -> Picks:
    positions = np.array([[value, 500.0, 500.0] for value in z]).reshape(-1, 3)
    return Picks(positions, species=(name,) * len(z))


def said(truth: Picks, found: Picks) -> list[str]:
    objects = (RIBOSOME, VIRUS)
    sides = {"a": truth}, {"a": found}
    score = score_detections(*sides, objects)
    return list(hints(score, Evaluated(*sides, objects, {}, (), ())))


def test_columns_line_up_and_absent_scores_are_dashes():
    score = score_detections({"a": at(0, 1000)}, {"a": at(3)}, (RIBOSOME, VIRUS))
    header, *lines = aligned(*score_table(score))
    assert header.split()[:3] == ["object", "particles", "picks"]
    assert lines[0].index("1.000") + 5 == header.index("precision") + len("precision")
    assert lines[1].split() == ["virus-like-particle", *["0"] * 5, *["–"] * 5, "2"]
    assert "3.0" in lines[0]


def test_summary_names_rule_distance_and_what_was_averaged():
    score = score_detections({"a": at(0)}, {"a": at(3)}, (RIBOSOME, VIRUS))
    assert summary(score) == (
        "weighted F4 1.000, mean average precision 1.000 over 1 object in 1 run "
        "(rule czii, distance 0.5 x radius)"
    )


def test_picks_in_voxels_are_suspected():
    (hint,) = [text for text in said(at(1000, 2000), at(100, 200)) if "no pick is true" in text]
    assert "reach to (z, y, x) = (2000, 500, 500) Å, picks to (200, 500, 500) Å" in hint


def test_shift_of_all_picks_is_said_and_noise_is_not():
    noise = np.random.default_rng(0).normal(0, 5, 40)
    z = np.arange(40) * 1000.0
    assert any("(+5." in text for text in said(at(*z), at(*(z + 5.5 + 0.1 * noise))))
    assert not any("beside" in text for text in said(at(*z), at(*(z + noise - noise.mean()))))


def test_perfect_picks_need_no_hint_but_the_absent_class():
    (hint,) = said(at(0, 1000), at(0, 1000))
    assert hint.startswith("no particle of virus-like-particle (0 false picks)")
