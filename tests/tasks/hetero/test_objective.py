"""The loss is the exact negative log likelihood of images, plus priors of latents and poses."""

from dataclasses import replace

import pytest
import torch
from hetero_networks import batch, network
from torch import nn
from torch.distributions import Normal

from icelens.tasks.hetero.latent_weight import LatentWeight, divergence_from_prior
from icelens.tasks.hetero.objective import HeteroObjective
from icelens.tasks.hetero.sample_choice import SampleChoice


def objective(made: nn.Module, independence: float = 1.0, weight: float = 1.0) -> HeteroObjective:
    return HeteroObjective(
        LatentWeight(weight=weight),
        num_samples=len(made.samples.index),  # type: ignore[union-attr, arg-type]
        independence=independence,
        turn_deviation=0.5,
        shift_deviation=2.0,
    )


def test_loss_is_the_gaussian_likelihood_and_the_divergence() -> None:
    made = network()
    own = batch(made)
    loss = objective(made)(made, made, own)
    with torch.no_grad():
        slices, mean, log_variance = made(own)
        # complex noise of unit power: each part has half of it
        noise = Normal(0.0, 0.5**0.5)
        rest = torch.view_as_real(own.values) - own.transfer[..., None] * slices
        constant = noise.log_prob(torch.zeros(())) * rest.numel()
        expected = constant - noise.log_prob(rest).sum()
        expected = expected + divergence_from_prior(mean, log_variance).sum()
    scale = 10 * len(made.samples.index)
    assert float(loss.total.detach()) == pytest.approx(float(expected) / scale, rel=1e-5)
    assert float(loss.terms["error"]) == pytest.approx(float(rest.square().sum()) / scale, rel=1e-5)
    assert float(loss.terms["divergence"]) > 0


def test_noise_alone_has_an_error_of_one() -> None:
    made = network()
    own = batch(made)
    with torch.no_grad():
        slices = torch.view_as_complex(made(own)[0].contiguous())
    noise = torch.randn(slices.shape, dtype=torch.cfloat)
    loss = objective(made)(made, made, replace(own, values=own.transfer * slices + noise))
    assert float(loss.terms["error"]) == pytest.approx(1.0, abs=0.1)


def test_windowed_images_count_as_far_as_they_are_independent() -> None:
    made = network(model="homogeneous", latent_dim=0)
    own = batch(made)
    full, part = (objective(made, share)(made, made, own) for share in (1.0, 0.25))
    ratio = float((part.total / full.total).detach())
    assert ratio == pytest.approx(0.25)
    assert float(part.terms["error"]) == pytest.approx(float(full.terms["error"]))


def test_a_share_of_the_samples_gives_the_same_loss_on_average() -> None:
    made = network()
    own = batch(made)
    count = len(own.places)
    full = objective(made)(made, made, own).total.detach()
    choice = SampleChoice(made.samples, share=0.3, always=2, first_radius=9, num_steps=0, seed=0)
    losses = []
    for step in range(150):
        places, weight = choice.at(step)
        part = replace(
            own,
            places=places,
            sample_weight=weight,
            values=own.values[:, places],
            transfer=own.transfer[:, places],
        )
        losses.append(objective(made)(made, made, part).total.detach())
    found = torch.stack(losses)
    assert len(places) < count
    assert float(found.mean()) == pytest.approx(
        float(full), abs=4.0 * float(found.std()) / len(found) ** 0.5
    )


def test_learnt_poses_pay_for_their_distance_from_those_given() -> None:
    made = network(has_poses=True)
    own = batch(made)
    own = replace(own, transfer=0 * own.transfer, values=0 * own.values)
    before = objective(made, weight=0.0)(made, made, own).total.detach()
    with torch.no_grad():
        made.turns[3] = torch.tensor([0.5, 0.0, -0.5])
        made.shifts[7] = torch.tensor([0.0, 4.0])
    after = objective(made, weight=0.0)(made, made, own).total.detach()
    # 1 + 1 and 4 halves
    expected = (0.5 * 2.0 + 0.5 * 4.0) / (10 * len(own.places))
    assert float(after - before) == pytest.approx(expected, rel=1e-4)
    few = replace(own, image=own.image % 3)
    assert float(objective(made, weight=0.0)(made, made, few).total.detach()) == 0.0
