"""What the losses reward, and what they must not depend on."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from toy_tomograms import Recalls, blobs, crop_batch, physics

from icelens.core.geometry.rotations import random_rotations
from icelens.core.volumes.rotate import right_angle_rotations, rotate
from icelens.tasks.restore.objective import Denoise, FillWedge, truth_terms
from icelens.tasks.restore.physics import Physics
from icelens.tasks.restore.spectral_loss import SpectralLoss

# An odd box has no Nyquist planes, on which a sample stands for two frequencies: equalities are
# exact up to rounding.
SIDE = 15
SHAPE = (SIDE, SIDE, SIDE)


def fill_wedge(*owners: Physics, **settings: Any) -> FillWedge:
    defaults = {
        "ctf_mode": "none",
        "loss": SpectralLoss("l2"),
        "mw_weight": 20.0,
        "noise_level": 0.0,
        "noise_filter": "none",
        "apply_wedge": True,
    }
    return FillWedge(owners or (physics(),), **{**defaults, **settings})


def filtered(boxes: Tensor, transfer: Tensor) -> Tensor:
    spectrum = torch.fft.rfftn(boxes, dim=(-3, -2, -1)) * transfer
    return torch.fft.irfftn(spectrum, s=SHAPE, dim=(-3, -2, -1))


def measured_pair(truth: Tensor, noise: float) -> Tensor:
    """Two halves `(half, item, z, y, x)` of the truth, without what 60 degrees do not reach."""
    halves = truth + noise * torch.randn(2, *truth.shape)
    return filtered(halves, physics().measured(SHAPE))


def loss_of(objective: Any, network: nn.Module, batch: Any, teacher: nn.Module | None = None):
    with torch.no_grad():
        return float(objective(network, teacher or network, batch).total)


@pytest.mark.parametrize("mw_weight", [0.0, 20.0])
@pytest.mark.parametrize("is_right_angle", [True, False])
def test_truth_is_a_better_answer_than_the_input(mw_weight: float, *, is_right_angle: bool) -> None:
    truth = torch.stack([blobs(SHAPE, 0), blobs(SHAPE, 1)])
    generator = torch.Generator().manual_seed(4)
    turns = right_angle_rotations()[[5, 9]]
    if not is_right_angle:
        turns = random_rotations(2, generator)
    batch = crop_batch(measured_pair(truth, 0.3), turns)
    oracle = Recalls(rotate(truth, turns).expand(2, 2, *SHAPE))
    teacher = Recalls(truth.expand(2, 2, *SHAPE))
    objective = fill_wedge(mw_weight=mw_weight)
    assert loss_of(objective, oracle, batch, teacher) < 0.7 * loss_of(
        objective, Recalls(), batch, teacher
    )


def test_masked_loss_is_blind_to_what_the_teacher_put_into_the_target() -> None:
    truth = blobs(SHAPE)[None]
    batch = crop_batch(measured_pair(truth, 0.0), right_angle_rotations()[[7]])
    student = Recalls(blobs(SHAPE, 8).expand(2, 1, *SHAPE))
    teachers = [Recalls(blobs(SHAPE, seed).expand(2, 1, *SHAPE)) for seed in (2, 3)]
    masked, plain = fill_wedge(), fill_wedge(mw_weight=0.0)
    seen = [loss_of(masked, student, batch, teacher) for teacher in teachers]
    assert seen[0] == pytest.approx(seen[1], rel=1e-5)  # rounding of float32 transforms
    whole = [loss_of(plain, student, batch, teacher) for teacher in teachers]
    assert whole[0] != pytest.approx(whole[1], rel=1e-2)


def test_weight_of_the_hidden_wedge_multiplies_that_term_alone() -> None:
    batch = crop_batch(measured_pair(blobs(SHAPE)[None], 0.3), right_angle_rotations()[[7]])
    light, heavy = (
        fill_wedge(mw_weight=weight)(Recalls(), Recalls(), batch) for weight in (1.0, 50.0)
    )
    assert float(light.terms["hidden"]) > 0
    assert light.terms["shown"] == heavy.terms["shown"]
    expected = heavy.terms["shown"] + 50 * light.terms["hidden"]
    torch.testing.assert_close(heavy.total, expected)


@pytest.mark.parametrize("kind", ["fill", "denoise"])
def test_loss_is_the_mean_over_items_however_the_batch_is_split(kind: str) -> None:
    owners = (physics(60.0), physics(45.0, defocus=20000.0))
    objective = (
        fill_wedge(*owners, noise_level=0.5, noise_filter="ramp", ctf_mode="network")
        if kind == "fill"
        else Denoise(owners, "network", SpectralLoss("l2"))
    )
    network = nn.Conv3d(1, 1, 3, padding=1)
    boxes = torch.randn(2, 3, *SHAPE)
    turns = right_angle_rotations()[[3, 11, 20]]
    fields = {"tomograms": [0, 1, 1], "seeds": [11, 12, 13]}
    whole = loss_of(objective, network, crop_batch(boxes, turns, **fields))
    parts = [
        loss_of(
            objective,
            network,
            crop_batch(
                boxes[:, [i]],
                turns[[i]],
                tomograms=[fields["tomograms"][i]],
                seeds=[fields["seeds"][i]],
            ),
        )
        for i in range(3)
    ]
    assert whole == pytest.approx(sum(parts) / 3, rel=1e-5)  # order of float32 sums


@pytest.mark.parametrize("kind", ["fill", "denoise"])
def test_halves_may_be_swapped(kind: str) -> None:
    objective = (
        fill_wedge() if kind == "fill" else Denoise((physics(),), "none", SpectralLoss("l2"))
    )
    network = nn.Conv3d(1, 1, 3, padding=1)
    boxes, turns = torch.randn(2, 2, *SHAPE), right_angle_rotations()[[1, 2]]
    # an identity as teacher leaves all noise, so that none is drawn
    first = loss_of(objective, network, crop_batch(boxes, turns), nn.Identity())
    second = loss_of(objective, network, crop_batch(boxes.flip(0), turns), nn.Identity())
    assert first == pytest.approx(second, rel=1e-5)


def test_denoising_compares_each_half_with_the_other() -> None:
    boxes = torch.randn(2, 1, *SHAPE)
    objective = Denoise((physics(),), "none", SpectralLoss("l2"))
    batch = crop_batch(boxes)
    assert loss_of(objective, Recalls(boxes.flip(0)), batch) == pytest.approx(0.0, abs=1e-10)
    expected = float((boxes[0] - boxes[1]).square().mean())
    assert loss_of(objective, Recalls(), batch) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("mw_weight", [0.0, 20.0])
def test_each_half_is_compared_with_the_other_not_with_itself(mw_weight: float) -> None:
    halves = measured_pair(blobs(SHAPE)[None], 0.5)
    turn = right_angle_rotations()[[7]]
    turned = torch.stack([rotate(half, turn) for half in halves])
    objective = fill_wedge(mw_weight=mw_weight)
    other, itself = (
        loss_of(objective, Recalls(answer), crop_batch(halves, turn), nn.Identity())
        for answer in (turned.flip(0), turned)
    )
    assert other < 1e-9 < itself


def test_single_map_is_compared_with_itself_and_gets_no_noise_unasked() -> None:
    box = measured_pair(blobs(SHAPE)[None], 0.0)[:1]
    turn = right_angle_rotations()[[7]]
    network = Recalls()
    loss_of(fill_wedge(), network, crop_batch(box, turn), nn.Identity())
    expected = filtered(rotate(box[0], turn), physics().measured(SHAPE))
    torch.testing.assert_close(network.seen[0][:, 0], expected, atol=1e-5, rtol=0)
    oracle = Recalls(rotate(box[0], turn))
    assert loss_of(fill_wedge(), oracle, crop_batch(box, turn), nn.Identity()) < 1e-9


@pytest.mark.parametrize("filter_name", ["none", "ramp", "hamming"])
def test_asked_noise_has_its_spread_and_the_shape_of_the_wedge(filter_name: str) -> None:
    boxes = torch.zeros(1, 8, *SHAPE)
    noisy = fill_wedge(noise_level=0.5, noise_filter=filter_name)
    network = Recalls()
    loss_of(noisy, network, crop_batch(boxes), nn.Identity())
    noise = network.seen[0][:, 0]
    # 8 boxes hold some 15000 independent samples: the spread is known to about 1 %
    assert float(noise.std()) == pytest.approx(0.5, rel=0.05)
    missing = physics().measured(SHAPE) == 0
    spectrum = torch.fft.rfftn(noise, dim=(-3, -2, -1)).abs()
    assert float(spectrum[:, missing].max()) < 1e-4 * float(spectrum.max())


def test_noise_is_new_for_every_box_and_repeats_with_its_seed() -> None:
    network = Recalls()
    for seeds in ([1, 2], [1, 5]):
        batch = crop_batch(torch.zeros(1, 2, *SHAPE), seeds=seeds)
        loss_of(fill_wedge(noise_level=0.5), network, batch, nn.Identity())
    first, second = network.seen
    assert torch.equal(first[0], second[0])
    assert not torch.allclose(first[0], first[1])
    assert not torch.allclose(first[1], second[1])


def test_teacher_is_made_as_noisy_as_the_data() -> None:
    noise = torch.randn(2, 4, *SHAPE)
    network = Recalls()
    silent = Recalls(torch.zeros(2, 4, *SHAPE))
    loss_of(fill_wedge(), network, crop_batch(noise, right_angle_rotations()[[0] * 4]), silent)
    shown = network.seen[0]
    objective = fill_wedge()
    filled = objective._fill(
        torch.zeros_like(noise),
        filtered(noise, physics().measured(SHAPE)),
        physics().measured(SHAPE)[None],
        torch.ones(1),
        [0, 1, 2, 3],
    )
    power = torch.fft.rfftn(filled, dim=(-3, -2, -1)).abs().square().mean((0, 1))
    measured = physics().measured(SHAPE) > 0
    # white noise of the measured region's real-space variance, which is spread over that region
    share = float(measured.float().mean())
    ratio = float(power[~measured].mean() / power[measured].mean())
    assert ratio == pytest.approx(share, rel=0.15)
    assert shown.shape == (8, 1, *SHAPE)


@pytest.mark.parametrize("ctf_mode", ["network", "phase-only"])
@pytest.mark.parametrize("kind", ["fill", "denoise"])
def test_right_answer_has_no_loss_on_noise_free_data(ctf_mode: str, kind: str) -> None:
    owner = physics(mode=ctf_mode)
    truth = blobs(SHAPE)[None]
    plain = owner._plain_ctf(SHAPE)
    recorded = filtered(truth, plain)
    turn = right_angle_rotations()[[7]]
    answer = truth if ctf_mode == "network" else filtered(truth, plain.abs())
    if kind == "denoise":
        objective: Any = Denoise((owner,), ctf_mode, SpectralLoss("l2"))
        batch = crop_batch(recorded.expand(2, 1, *SHAPE))
        oracle = teacher = Recalls(answer.expand(2, 1, *SHAPE))
    else:
        objective = fill_wedge(owner, ctf_mode=ctf_mode)
        boxes = filtered(recorded, owner.measured(SHAPE))
        batch = crop_batch(boxes.expand(2, 1, *SHAPE), turn)
        oracle = Recalls(rotate(answer, turn).expand(2, 1, *SHAPE))
        teacher = Recalls(answer.expand(2, 1, *SHAPE))
    worse = Recalls(torch.zeros(2, 1, *SHAPE))
    # rounding of float32, and of the CTF's curve looked up at 1024 places
    assert loss_of(objective, oracle, batch, teacher) < 1e-6 * loss_of(
        objective, worse, batch, teacher
    )


def test_wiener_mode_compares_with_the_corrected_target() -> None:
    owner = physics(mode="wiener")
    boxes = torch.randn(2, 1, *SHAPE)
    objective = Denoise((owner,), "wiener", SpectralLoss("l2"))
    target = filtered(filtered(boxes, owner.phase_flip(SHAPE)), owner.wiener(SHAPE))
    assert loss_of(objective, Recalls(target.flip(0)), crop_batch(boxes)) < 1e-9


def test_gradients_reach_every_weight_and_are_finite() -> None:
    network = nn.Conv3d(1, 1, 3, padding=1)
    batch = crop_batch(torch.randn(2, 2, *SHAPE), right_angle_rotations()[[3, 4]])
    for name in ("l2", "l1", "huber", "fsc"):
        network.zero_grad()
        fill_wedge(loss=SpectralLoss(name))(network, network, batch).total.backward()
        assert torch.isfinite(network.weight.grad).all()
        assert float(network.weight.grad.abs().max()) > 0


def test_truth_is_scored_where_tilts_measured_and_where_not() -> None:
    truth = torch.randn(2, *SHAPE)
    measured = physics().measured(SHAPE)[None]
    right = truth_terms(torch.stack([truth, truth]), truth, measured)
    assert {name: round(float(value), 4) for name, value in right.items()} == {
        "truth_measured": 1.0,
        "truth_missing": 1.0,
    }
    zero_filled = filtered(truth, measured[0])
    blind = truth_terms(zero_filled[None], truth, measured)
    assert float(blind["truth_measured"]) > 0.9
    assert abs(float(blind["truth_missing"])) < 0.1
