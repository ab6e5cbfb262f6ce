"""The divergence from the prior has the right sign, and its weight the published course."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from icelens.tasks.hetero.latent_weight import LatentWeight, divergence_from_prior


def test_divergence_is_that_of_gaussians() -> None:
    mean, log_variance = torch.randn(50, 8), torch.randn(50, 8)
    expected = kl_divergence(
        Normal(mean, (0.5 * log_variance).exp()), Normal(torch.zeros(8), torch.ones(8))
    ).sum(1)
    found = divergence_from_prior(mean, log_variance)
    assert torch.allclose(found, expected, rtol=1e-5)
    assert (found > 0).all()


def test_divergence_is_zero_at_the_prior_alone_and_grows_with_the_mean() -> None:
    still = torch.zeros(1, 8)
    assert float(divergence_from_prior(still, still)) == 0.0
    # the reference gives -16 here
    assert float(divergence_from_prior(still + 2.0, still)) == pytest.approx(16.0)
    far = [float(divergence_from_prior(still + step, still)) for step in (0.5, 1.0, 2.0, 4.0)]
    assert far == sorted(far)
    for log_variance in (-1.0, 1.0):
        assert float(divergence_from_prior(still, still + log_variance)) > 0


def test_a_latent_that_is_known_exactly_costs_its_place_and_has_a_gradient() -> None:
    mean = torch.tensor([[1.0, -2.0]], requires_grad=True)
    found = divergence_from_prior(mean, torch.full((1, 2), -torch.inf))
    assert float(found.detach()) == pytest.approx(2.5)
    found.sum().backward()
    assert mean.grad is not None
    assert mean.grad.tolist() == [[1.0, -2.0]]


@pytest.mark.parametrize(
    ("schedule", "images", "expected"),
    [
        ("a", 0, 0.001),
        ("a", 5e5, 7.5005),
        ("a", 2e6, 15.0),
        ("b", 0, 5.0),
        ("b", 2e5, 5.0),
        ("b", 5e5, 10.0),
        ("b", 9e5, 15.0),
        ("c", 5e5, 11.5),
        ("c", 8e5, 18.0),
        ("d", 1e6, 5.0),
        ("d", 3e6, 11.5),
        ("d", 5e6, 18.0),
    ],
)
def test_schedules_are_those_published(schedule: str, images: float, expected: float) -> None:
    weight = LatentWeight(schedule=schedule)
    assert weight.at(images) == pytest.approx(expected)
    assert float(weight.penalty(torch.tensor(2.0), images)) == pytest.approx(2.0 * expected)


def test_the_ramp_rises_to_its_weight_and_stays() -> None:
    weight = LatentWeight(weight=3.0, warmup=100.0)
    assert [weight.at(seen) for seen in (0, 50, 100, 1e9)] == [0.0, 1.5, 3.0, 3.0]
    assert LatentWeight(weight=2.0).at(0) == 2.0


def test_a_target_pulls_the_divergence_from_both_sides() -> None:
    weight = LatentWeight(target=4.0, control=0.5)
    for divergence, slope in ((1.0, -3.0), (4.0, 0.0), (6.0, 2.0)):
        at = torch.tensor(divergence, requires_grad=True)
        penalty = weight.penalty(at, 0.0)
        assert float(penalty.detach()) == pytest.approx(0.5 * (divergence - 4.0) ** 2)
        penalty.backward()
        assert at.grad is not None
        assert float(at.grad) == pytest.approx(slope)
    assert math.isfinite(weight.at(0))
