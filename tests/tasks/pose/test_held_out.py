"""What is said of held-out particles is what is true of them."""

import numpy as np
import pytest
import torch
from torch import nn

from icelens.core.events import Event, Message
from icelens.core.geometry.rotations import random_rotations
from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.tasks.pose.batches import LabelledImages
from icelens.tasks.pose.distribution import Modes
from icelens.tasks.pose.held_out import HeldOut, Judge, in_words, judge
from icelens.tasks.pose.model import Answer

COUNT = 100


def known(rotation: torch.Tensor) -> LabelledImages:
    """Images that hold their own number."""
    count = len(rotation)
    images = torch.arange(float(count))[:, None, None, None].expand(count, 2, 4, 4)
    return LabelledImages(images.half(), rotation, torch.zeros(count, 2), torch.ones(count))


class Knowing:
    """Answers with given rotations, 3 px off, half sure."""

    def __init__(self, rotation: torch.Tensor) -> None:
        self.rotation = rotation

    def __call__(self, images: torch.Tensor, *, top_k: int = 1) -> Answer:
        del top_k
        rotation = self.rotation[images[:, 0, 0, 0].long()]
        half = torch.full((len(images), 1), 0.5)
        shift_yx = torch.tensor([[3.0, 0.0]]).expand(len(images), 2)
        return Answer(Modes(rotation[:, None], half, 4.0 * half), shift_yx)


def truth() -> torch.Tensor:
    return random_rotations(COUNT, torch.Generator().manual_seed(0))


def turned(degrees: torch.Tensor) -> torch.Tensor:
    axis = nn.functional.normalize(torch.randn(COUNT, 3), dim=1)
    return rotation_from_vector(axis * torch.deg2rad(degrees)[:, None]) @ truth()


def test_errors_are_in_degrees_and_angstrom() -> None:
    degrees = torch.linspace(0.1, 30.0, COUNT)
    found = judge(Knowing(turned(degrees)), known(truth()), "C1", pixel_size=2.5)
    assert np.allclose(found.error, degrees, atol=0.05)
    assert np.allclose(found.shift_error, 7.5)
    assert np.allclose(found.probability, 0.5)
    assert np.allclose(found.width, 2.0)
    assert np.allclose(found.truth, truth())
    summary = found.summary()
    assert summary["val_median_geo_degs"] == pytest.approx(15.05, abs=0.1)
    assert summary["val_geo_degs"] == pytest.approx(float(degrees.mean()), abs=0.1)
    assert summary["val_share_within_5"] == pytest.approx(0.17, abs=0.011)
    assert summary["val_share_within_10"] == pytest.approx(0.33, abs=0.011)
    # right within 12 degrees for 40 %, said for 50 %
    assert summary["val_calibration_error"] == pytest.approx(0.6, abs=0.2)


@pytest.mark.parametrize("symmetry", ["C4", "D2", "O"])
def test_equivalent_answers_are_right(symmetry: str) -> None:
    operators = symmetry_operators(symmetry)
    chosen = operators[torch.arange(COUNT) % len(operators)]
    found = judge(Knowing(truth() @ chosen), known(truth()), symmetry, pixel_size=1.0)
    assert float(found.error.max()) < 0.1
    wrong = judge(Knowing(truth() @ chosen), known(truth()), "C1", pixel_size=1.0)
    assert float(np.median(wrong.error)) > 60.0


def test_the_judge_gives_the_mean_error_and_says_it() -> None:
    told: list[Event] = []
    reader = Knowing(turned(torch.full((COUNT,), 7.0)))
    judging = Judge(known(truth()), "C1", 2.0, lambda network: reader, told.append)
    assert judging(nn.Identity()) == pytest.approx(7.0, abs=0.01)
    (message,) = [event.text for event in told if isinstance(event, Message)]
    assert "median error 7.00 degrees (mean 7.00)" in message
    assert judging.latest is not None
    assert judging.latest["val_share_within_10"] == 1.0


def test_one_particle_is_enough_for_a_summary() -> None:
    one = np.ones(1)
    held_out = HeldOut(one, one, one, one, np.eye(3)[None], np.eye(3)[None])
    assert np.isfinite(list(held_out.summary().values())).all()
    assert "100% within 5" in in_words(held_out.summary())
