"""Gradients reach all that learns, poses stay poses, and halves stay apart."""

from dataclasses import replace

import pytest
import torch
from hetero_networks import batch, network
from hetero_world import BOX
from torch import Tensor

from icelens.core.fourier.shift import shift_images
from icelens.core.fourier.transforms import image_rfft
from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.tasks.hetero.network.hetero_network import HeteroNetwork, ImageBatch


def loss_of(made: HeteroNetwork, own: ImageBatch) -> Tensor:
    slices, mean, log_variance = made(own)
    error = torch.view_as_real(own.values) - own.transfer[..., None] * slices
    known = torch.where(torch.isneginf(log_variance), 0.0, log_variance)
    return error.square().mean() + 1e-3 * (mean.square().sum() + known.sum())


@pytest.mark.parametrize("start", ["nothing", "map", "linear"])
@pytest.mark.parametrize("model", ["vae", "autodecoder", "homogeneous"])
def test_gradients_reach_everything_and_are_finite_at_the_identity(model: str, start: str) -> None:
    is_one = model == "homogeneous"
    made = network(
        model=model,
        latent_dim=0 if is_one else 2,
        start="map" if is_one and start == "linear" else start,
        num_components=2 if start == "linear" and not is_one else 0,
        has_poses=True,
    )
    for name, parameter in made.named_parameters():
        # those that start at zero keep others from learning in the first step
        if not parameter.any() and name not in ("turns", "shifts"):
            torch.nn.init.normal_(parameter, std=0.1)
    identity = torch.eye(3).expand(10, 3, 3)
    for axes in (None, identity):
        made.zero_grad()
        loss_of(made, batch(made, axes=axes)).backward()
        for name, parameter in made.named_parameters():
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.abs().sum() > 0, name
    assert made.turns.grad is not None
    assert (made.turns.grad.abs().sum(1) > 0).all()


def test_learnt_poses_stay_rotations_and_shifts() -> None:
    made = network(has_poses=True)
    own = batch(made)
    with torch.no_grad():
        made.turns.normal_(std=0.3)
        made.turns[0] = 0.0
    for count in (1, 3, 10):
        turned = made.posed(own.axes[:count], own.image[:count]).detach()
        product = turned @ turned.mT
        assert torch.allclose(product, torch.eye(3).expand(count, 3, 3), atol=1e-5)
        assert torch.allclose(torch.linalg.det(turned), torch.ones(count), atol=1e-5)
    expected = rotation_from_vector(made.learnt_turns.detach()) @ own.axes
    assert torch.allclose(made.posed(own.axes, own.image).detach(), expected, atol=1e-6)
    assert torch.equal(made.posed(own.axes, own.image)[0].detach(), own.axes[0])


def test_learnt_shifts_move_slices_along_x_and_y() -> None:
    made = network(model="homogeneous", latent_dim=0, has_poses=True)
    own = batch(made)
    with torch.no_grad():
        still = torch.view_as_complex(made(own)[0].contiguous())
        made.shifts[:] = torch.tensor([0.3, -0.5])
        moved = torch.view_as_complex(made(own)[0].contiguous())
    shift_xy = made.learnt_shifts[0].detach()
    ramp = shift_images(
        image_rfft(torch.zeros(1, BOX, BOX).index_put_(
            (torch.tensor(0), torch.tensor(BOX // 2), torch.tensor(BOX // 2)), torch.tensor(1.0)
        )),
        shift_xy.flip(0)[None],
    )  # fmt: skip
    assert torch.allclose(moved, still * made.samples.of(ramp), atol=1e-3)


@pytest.mark.parametrize("model", ["homogeneous", "autodecoder"])
def test_half_decoders_never_see_each_others_images(model: str) -> None:
    made = network(model=model, latent_dim=0 if model == "homogeneous" else 2, has_halves=True)
    own = batch(made)
    of_2 = (own.half_set == 2)[own.owner]
    other = torch.where(of_2[:, None], 7.0 * own.values.flip(0), own.values)
    gradients = []
    for values in (own.values, other):
        made.zero_grad()
        loss_of(made, replace(own, values=values, seen=values)).backward()
        gradients.append([[p.grad.clone() for p in each.parameters()] for each in made.decoders])  # type: ignore[union-attr]
    for first, second in zip(gradients[0][0], gradients[1][0], strict=True):
        assert torch.equal(first, second)
    assert any(not torch.equal(a, b) for a, b in zip(gradients[0][1], gradients[1][1], strict=True))


def test_batches_of_one_half_leave_the_other_decoder_alone() -> None:
    made = network(has_halves=True)
    own = batch(made)
    loss_of(made, replace(own, half_set=torch.ones(5, dtype=torch.long))).backward()
    second = made.decoders[1].parameters()
    assert all(each.grad is None or not each.grad.any() for each in second)


def test_latents_are_drawn_with_their_deviation() -> None:
    made = network()
    own = batch(made)
    mean, log_variance = made.latent(own)
    with torch.no_grad():
        at_mean = made(replace(own, noise=0 * own.noise))[0]
        drawn = made(own)[0]
    assert mean.shape == log_variance.shape == (5, 2)
    assert not torch.allclose(at_mean, drawn)


def test_moved_networks_take_their_samples_along() -> None:
    made = network().to(torch.device("meta"))
    assert made.samples.index.device.type == "meta"


def test_learnt_poses_are_exact_in_low_precision_too() -> None:
    made = network(has_poses=True, start="linear", num_components=2)
    own = batch(made)
    with torch.no_grad():
        made.turns.normal_(std=0.3)
        made.shifts.normal_(std=0.3)
    exact = made.posed(own.axes, own.image)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = made.posed(own.axes, own.image)
        slices = made(own)[0]
    assert torch.equal(low, exact)
    assert torch.isfinite(slices).all()


@pytest.mark.parametrize("start", ["nothing", "map"])
def test_poses_are_learnt_in_full_precision_beside_a_network_in_half(start: str) -> None:
    made = network(start=start, has_poses=True)
    own = batch(made)
    with torch.no_grad():
        made.turns.normal_(std=0.1)
        made.shifts.normal_(std=0.1)
    exact = made.posed(own.axes, own.image)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(made.posed(own.axes, own.image), exact)
        slices = made(own)[0]
        slices.square().mean().backward()
    assert made.shifts.grad is not None
    assert torch.isfinite(made.shifts.grad).all()
    whole = made(own)[0]
    assert float(((slices - whole).norm() / whole.norm()).detach()) < 0.05
