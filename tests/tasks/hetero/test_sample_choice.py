"""A share of the samples stands for all of them; coarse ones come first."""

import pytest
import torch

from icelens.core.refinement.samples import disc_samples
from icelens.tasks.hetero.sample_choice import SampleChoice

SAMPLES = disc_samples(24, 11)
NUMBER = len(SAMPLES.index)


def choice(**changes: object) -> SampleChoice:
    usual = {"share": 1.0, "always": 3, "first_radius": 11, "num_steps": 0, "seed": 1}
    return SampleChoice(SAMPLES, **{**usual, **changes})  # type: ignore[arg-type]


def test_all_samples_are_taken_without_a_share() -> None:
    places, weight = choice().at(5)
    assert torch.equal(places, torch.arange(NUMBER))
    assert (weight == 1).all()


def test_a_random_share_gives_the_full_loss_on_average() -> None:
    errors = torch.rand(NUMBER, generator=torch.Generator().manual_seed(0)) * 5.0
    drawn = choice(share=0.2)
    losses = torch.stack(
        [(errors[places] * weight).sum() for places, weight in map(drawn.at, range(800))]
    )
    scatter = float(losses.std()) / 800**0.5
    assert scatter < 0.01 * float(errors.sum())
    assert float(losses.mean()) == pytest.approx(float(errors.sum()), abs=4.0 * scatter)


@pytest.mark.parametrize("share", [0.01, 0.2, 0.7])
def test_weights_always_sum_to_all_samples_and_no_sample_comes_twice(share: float) -> None:
    for step in range(20):
        places, weight = choice(share=share).at(step)
        assert float(weight.sum()) == pytest.approx(NUMBER, rel=1e-5)
        assert len(places.unique()) == len(places)
        sure = SAMPLES.count(3)
        assert torch.equal(places[:sure], torch.arange(sure))
        assert (weight[:sure] == 1).all()


def test_steps_choose_differently_and_each_always_the_same() -> None:
    drawn = choice(share=0.3)
    assert torch.equal(drawn.at(7)[0], drawn.at(7)[0])
    assert not torch.equal(drawn.at(7)[0], drawn.at(8)[0])


def test_the_radius_grows_monotonically_to_that_of_all_samples() -> None:
    growing = choice(first_radius=3, num_steps=40)
    counts = [len(growing.at(step)[0]) for step in range(0, 60, 3)]
    assert counts == sorted(counts)
    assert counts[0] == SAMPLES.count(3)
    assert counts[-1] == NUMBER
    finest = int(SAMPLES.shell[growing.at(20)[0]].max())
    assert finest == 7


def test_a_share_of_a_small_radius_is_drawn_within_it() -> None:
    growing = choice(share=0.2, first_radius=5, num_steps=10)
    places, weight = growing.at(0)
    assert int(SAMPLES.shell[places].max()) <= 5
    assert float(weight.sum()) == pytest.approx(SAMPLES.count(5))
    # coarser than what is always taken
    assert len(choice(share=0.2, first_radius=2, num_steps=10).at(0)[0]) == SAMPLES.count(2)
