"""Scores of several classes over several tomograms: pooled, weighted, and honest about absence."""

import numpy as np
import pytest

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.metrics.detection import score_detections, weighted_mean
from icelens.core.metrics.detection_counts import Counts

RIBOSOME = PickableObject("ribosome", 1, 150.0)
THYROGLOBULIN = PickableObject("thyroglobulin", 2, 130.0, metadata={"score_weight": 2})
AMYLASE = PickableObject("beta-amylase", 3, 65.0, metadata={"score_weight": 0})
OBJECTS = (RIBOSOME, THYROGLOBULIN, AMYLASE)


def picks(**positions: list[float]) -> Picks:
    """Picks on the z axis, by class."""
    rows = [(z, name) for name, column in positions.items() for z in column]
    return Picks(
        np.array([[z, 0.0, 0.0] for z, _ in rows]).reshape(-1, 3),
        species=tuple(name.replace("_", "-") for _, name in rows),
    )


def test_counts_are_pooled_before_they_are_divided():
    truth = {"a": picks(ribosome=[0, 1000, 2000, 3000]), "b": picks(ribosome=[0])}
    found = {"a": picks(ribosome=[0]), "b": picks(ribosome=[10, 5000, 6000])}
    (score,) = score_detections(truth, found, [RIBOSOME]).classes
    assert score.counts == Counts(true=2, false=2, missed=3)
    assert (score.precision, score.recall) == (0.5, 0.4)
    assert score.by_run == {"a": Counts(1, 0, 3), "b": Counts(1, 2, 0)}


def test_mean_is_weighted_and_leaves_out_weight_zero():
    truth = {"a": picks(ribosome=[0], thyroglobulin=[0, 1000], beta_amylase=[0])}
    found = {"a": picks(ribosome=[0], thyroglobulin=[0])}
    score = score_detections(truth, found, OBJECTS)
    thyroglobulin = 17 * 0.5 / (16 + 0.5)
    assert score.of("beta-amylase").f_beta == 0.0
    assert score.f_beta == pytest.approx((1 + 2 * thyroglobulin) / 3)
    assert score.f_beta_of_run("a") == score.f_beta


def test_class_absent_from_the_truth_stays_out_of_the_mean_and_shows_its_false_picks():
    score = score_detections(
        {"a": picks(ribosome=[0])}, {"a": picks(ribosome=[0], thyroglobulin=[0, 9])}, OBJECTS
    )
    absent = score.of("thyroglobulin")
    assert absent.counts == Counts(false=2)
    assert absent.f_beta is absent.precision is absent.average_precision is absent.curve is None
    assert absent.rms_error is absent.offset_zyx is absent.best_threshold is None
    assert score.f_beta == score.mean_average_precision == 1.0


def test_nothing_to_score_is_no_score():
    score = score_detections({"a": picks()}, {"a": picks(ribosome=[0])}, OBJECTS)
    assert score.f_beta is None
    assert score.f_beta_of_run("a") is None
    assert weighted_mean([]) is None


def test_distance_is_half_the_radius_unless_told():
    truth = {"a": picks(ribosome=[0])}
    assert score_detections(truth, {"a": picks(ribosome=[75])}, [RIBOSOME]).f_beta == 1.0
    assert score_detections(truth, {"a": picks(ribosome=[76])}, [RIBOSOME]).f_beta == 0.0
    wide = score_detections(truth, {"a": picks(ribosome=[76])}, [RIBOSOME], distance_scale=0.8)
    assert wide.f_beta == 1.0
    assert wide.of("ribosome").distance == 120.0


def test_errors_are_in_angstrom_with_their_mean_as_offset():
    truth = {"a": picks(ribosome=[0, 1000]), "b": picks(ribosome=[0])}
    found = {"a": picks(ribosome=[3, 1003]), "b": picks(ribosome=[-3])}
    (score,) = score_detections(truth, found, [RIBOSOME]).classes
    assert score.rms_error == pytest.approx(3.0)
    assert score.offset_zyx == pytest.approx((1.0, 0.0, 0.0))


def test_runs_without_truth_do_not_count_and_are_named():
    truth = {"a": picks(ribosome=[0]), "b": picks(ribosome=[0])}
    found = {"a": picks(ribosome=[0]), "c": picks(ribosome=[0])}
    score = score_detections(truth, found, [RIBOSOME])
    assert score.runs == ("a", "b")
    assert score.runs_without_truth == ("c",)
    assert score.runs_without_picks == ("b",)
    assert score.of("ribosome").counts == Counts(true=1, missed=1)


def test_scores_of_picks_give_curve_threshold_and_average_precision():
    found = picks(ribosome=[0, 1000, 5000])
    scored = Picks(found.position_zyx, species=found.species, score=np.array([0.9, 0.7, 0.1]))
    truth = {"a": picks(ribosome=[0, 1000])}
    (score,) = score_detections(truth, {"a": scored}, [RIBOSOME]).classes
    assert score.average_precision == 1.0
    assert score.best_threshold == pytest.approx(0.4)
    assert score.curve is not None
    np.testing.assert_allclose(score.curve.precision, [1, 1, 2 / 3])


def test_rule_decides_what_one_pick_on_two_particles_is_worth():
    truth, found = {"a": picks(ribosome=[0, 60])}, {"a": picks(ribosome=[30])}
    assert score_detections(truth, found, [RIBOSOME]).of("ribosome").counts.true == 2
    fair = score_detections(truth, found, [RIBOSOME], rule="one-to-one")
    assert fair.of("ribosome").counts == Counts(true=1, missed=1)


def test_missing_radius_is_refused():
    with pytest.raises(
        MetadataError, match=r"object mystery has radius None; give its radius in Å"
    ):
        score_detections({"a": picks()}, {}, [PickableObject("mystery", 1)])


@pytest.mark.parametrize("weight", ["much", -1, None, float("nan")])
def test_weight_that_is_no_number_is_refused(weight):
    item = PickableObject("ribosome", 1, 150.0, metadata={"score_weight": weight})
    with pytest.raises(MetadataError, match="weight to be 0 or a positive number"):
        score_detections({"a": picks()}, {}, [item])


@pytest.mark.parametrize("wrong", [{"distance_scale": 0.0}, {"beta": -1.0}, {"beta": np.inf}])
def test_impossible_scale_or_beta_is_refused(wrong):
    with pytest.raises(GeometryError, match="expected more than 0"):
        score_detections({"a": picks()}, {}, OBJECTS, **wrong)


def test_class_that_was_not_scored_is_named():
    with pytest.raises(MetadataError, match="vlp was not scored; there are ribosome"):
        score_detections({"a": picks()}, {}, [RIBOSOME]).of("vlp")
