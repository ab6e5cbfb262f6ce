"""Held-out tomograms are scored by particles, and what cannot be judged stays out."""

from pathlib import Path

import numpy as np
import pytest
import torch
from blob_project import blob
from torch import Tensor, nn

from icelens.core.data.pickable import PickableObject
from icelens.core.events import Event, Message
from icelens.tasks.pick.architectures.body import Body
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.model import Model
from icelens.tasks.pick.network import SegmentationNetwork
from icelens.tasks.pick.scoring import HeldOut, Scorer, described, particle_classes, true_picks
from icelens.training.device import choose_compute

BRIGHT = PickableObject("bright", 1, 40.0)
DARK = PickableObject("dark", 2, 40.0, metadata={"score_weight": 3.0})
MEMBRANE = PickableObject("membrane", 3, None, is_particle=False)
PLACES = np.array([[8.0, 8, 8], [8, 24, 8], [8.0, 8, 24]])
SHAPE = (16, 32, 32)


class Thresholder(nn.Module):
    """Says bright or dark by the sign of the density; the last class where it is told."""

    def __init__(self, gain: float, num_classes: int) -> None:
        super().__init__()
        self.gain, self.num_classes = gain, num_classes

    def forward(self, image: Tensor) -> Tensor:
        scores = torch.full((len(image), self.num_classes, *image.shape[2:]), -20.0)
        scores[:, 0] = 0
        scores[:, 1] = self.gain * (image[:, 0] - 2)
        scores[:, 2] = self.gain * (-image[:, 0] - 2)
        if self.num_classes > 3:
            scores[:, 3, :4] = 20.0
        return scores


def model(objects: tuple[PickableObject, ...], gain: float = 3.0) -> Model:
    body = Body(Thresholder(gain, len(objects) + 1), 1, 1)
    network = SegmentationNetwork(body, {"architecture": "half-unet"}, len(objects) + 1)
    return Model(
        path=Path("test"),
        network=network,
        objects=objects,
        finds_centres=True,
        thresholds={},
        voxel_size=10.0,
        tomogram_types=(),
        radius_scale=0.7,
        crop_size=None,
    )


def tomogram(
    name: str = "TS_1", kind: tuple[int, ...] = (0, 0, 1), labels: np.ndarray | None = None
) -> LabelledTomogram:
    image = np.zeros(SHAPE)
    for place, sign in zip(PLACES, (1, 1, -1), strict=True):
        image += sign * blob(SHAPE, place, 1.5)
    known = PLACES[: len(kind)]
    return LabelledTomogram(
        name, (image.astype(np.float16),), 10.0, known, np.array(kind, np.int64), labels
    )


def scorer(
    *tomograms: LabelledTomogram,
    objects: tuple[PickableObject, ...] = (BRIGHT, DARK),
    told: list[Event] | None = None,
) -> Scorer:
    hear = [].append if told is None else told.append
    return Scorer(tomograms, model(objects), choose_compute("cpu", "float32"), 4.0, hear)


def judged(*tomograms: LabelledTomogram, **changes: object) -> HeldOut:
    source = scorer(*tomograms, **changes)
    return source.judged(source.template.network, num_views=1)


def test_perfect_network_scores_one_and_a_blind_one_nothing() -> None:
    told: list[Event] = []
    score = scorer(tomogram(), told=told)
    assert score(score.template.network) == -1.0
    assert score(model((BRIGHT, DARK), gain=-1.0).network) == 0.0
    texts = [event.text for event in told if isinstance(event, Message)]
    assert texts[0] == "held-out score 1.000 (bright 1.00, dark 1.00)"


def test_missed_class_counts_by_its_weight() -> None:
    wrong = tomogram(kind=(0, 0, 0))  # the dark one is said to be bright: found falsely and missed
    result = judged(wrong, tomogram("TS_2"))
    bright, dark = result.classes()
    assert bright.f_beta_at_best < 1
    expected = (bright.f_beta_at_best + 3 * dark.f_beta_at_best) / 4
    assert result.score == pytest.approx(expected)
    assert set(result.thresholds()) == {"bright", "dark"}
    assert all(0 < value <= 1 for value in result.thresholds().values())


def test_class_absent_from_all_runs_stays_out_of_the_score() -> None:
    result = judged(tomogram(kind=(0, 0)))
    assert [each.name for each in result.classes()] == ["bright"]
    assert result.dice == {}
    assert result.score == 1.0
    assert described(result) == "bright 1.00"
    assert result.thresholds().keys() == {"bright"}


def test_continuous_class_is_scored_by_its_overlap() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[:2] = 3  # the network says the first four planes
    objects = (BRIGHT, DARK, MEMBRANE)
    result = judged(tomogram(labels=labels), objects=objects)
    assert result.dice["membrane"] == pytest.approx(2 * 2 / (2 + 4))
    assert result.score == pytest.approx((1 + 3 + 2 / 3) / 5)
    assert "membrane Dice 0.67" in described(result)
    absent = judged(tomogram(labels=np.zeros(SHAPE, np.uint8)), objects=objects)
    assert absent.dice == {}
    assert absent.score == 1.0


def test_particles_known_from_labels_alone_are_scored_by_overlap() -> None:
    labels = np.where(np.abs(tomogram().views[0]) > 0.5, 1, 0).astype(np.uint8)
    result = judged(tomogram(kind=(), labels=labels))
    assert result.particles is None
    assert 0 < result.dice["bright"] < 1
    assert np.isfinite(result.score)


def test_nothing_to_score_is_nothing() -> None:
    result = judged(tomogram(kind=()))
    assert result.score == 0.0
    assert result.thresholds() == {}
    assert described(result) == "nothing to score"


def test_truth_is_in_angstrom_and_particles_are_those_with_picks() -> None:
    picks = true_picks(tomogram(), (BRIGHT, DARK))
    np.testing.assert_allclose(picks.position_zyx, 10 * PLACES)
    assert picks.species == ("bright", "bright", "dark")
    objects = (BRIGHT, DARK, MEMBRANE)
    assert particle_classes(objects, (tomogram(kind=(0, 0)),)) == (BRIGHT,)
