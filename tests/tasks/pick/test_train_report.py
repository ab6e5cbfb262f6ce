"""The report of a training shows runs, scores, thresholds and pictures, whatever was scored."""

from pathlib import Path

import numpy as np
import pytest
from blob_project import blob

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.metrics.detection import score_detections
from icelens.jobs.run import Run
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.scoring import HeldOut, true_picks
from icelens.tasks.pick.splits import Split
from icelens.tasks.pick.train_report import kept_picks, report_training

BIG, SMALL = PickableObject("big", 1, 60.0), PickableObject("small", 2, 40.0)
OBJECTS = (BIG, SMALL)
PLACES = np.array([[4.0, 5, 5], [4.0, 14, 14]])


def tomogram(name: str) -> LabelledTomogram:
    image = sum(blob((8, 20, 20), place, 1.5) for place in PLACES)
    kind = np.array([0, 1])
    return LabelledTomogram(name, (image.astype(np.float16),), 10.0, PLACES, kind, None)


def result(*tomograms: LabelledTomogram, dice: dict[str, float] | None = None) -> HeldOut:
    """The big one is found, the small one missed, and one is false."""
    found = {
        each.name: Picks(
            np.array([[42.0, 50, 50], [40.0, 100, 100]]),
            species=("big", "small"),
            score=np.array([0.9, 0.35]),
            tomogram_id=(each.name,) * 2,
        )
        for each in tomograms
    }
    truth = {each.name: true_picks(each, OBJECTS) for each in tomograms}
    return HeldOut(score_detections(truth, found, OBJECTS), dice or {}, found)


def shown(
    split: Split, held_out: HeldOut, judges: list[LabelledTomogram], tested: HeldOut | None = None
) -> tuple[str, set[str]]:
    run = Run(Path("unused"))
    thresholds = {"big": 0.6}
    tests = [tomogram("TS_9")] if tested else []
    report_training(run, split, judges, held_out, thresholds, tests, tested, OBJECTS)
    return "\n".join(run.report.parts), set(run.report.pictures)


def test_runs_scores_and_pictures_are_shown() -> None:
    judges = [tomogram("TS_2"), tomogram("TS_3")]
    split = Split(("TS_1",), ("TS_2", "TS_3"), ("TS_9",))
    held_out = result(*judges, dice={"membrane": 0.625})
    page, pictures = shown(split, held_out, judges, result(tomogram("TS_9")))
    for words in ("TS_2, TS_3", "Scores on the validation runs", "membrane", "0.625", "0.600",
                  "Scores on the test runs, at those thresholds", "Weighted F4"):  # fmt: skip
        assert words in page
    assert pictures == {"precision_recall", "picks_held_out", "picks_test"}


def test_scores_on_what_was_learnt_from_are_called_so() -> None:
    judges = [tomogram("TS_1")]
    page, pictures = shown(Split(("TS_1",)), result(*judges), judges)
    assert "training runs (too good to be true)" in page
    assert "none" in page
    assert pictures == {"precision_recall", "picks_held_out"}


@pytest.mark.parametrize("dice", [{}, {"membrane": 0.5}])
def test_nothing_but_voxels_to_score_is_a_report_too(dice: dict[str, float]) -> None:
    judges = [tomogram("TS_2")]
    of_voxels = HeldOut(None, dice, {"TS_2": Picks(np.empty((0, 3)))})
    tested = HeldOut(None, dice, {"TS_9": Picks(np.empty((0, 3)))})
    page, pictures = shown(Split(("TS_1",), ("TS_2",), ("TS_9",)), of_voxels, judges, tested)
    assert pictures == set()
    assert "Weighted F4" not in page
    assert ("0.500" in page) == bool(dice)


def test_picks_below_the_threshold_of_their_object_are_left_out() -> None:
    picks = result(tomogram("TS_2")).picks["TS_2"]
    assert kept_picks(picks, {"big": 0.95, "small": 0.1}).species == ("small",)
    assert kept_picks(picks, {"big": 0.9, "small": 0.36}).species == ("big",)
    assert len(kept_picks(picks.select([False, False]), {})) == 0
