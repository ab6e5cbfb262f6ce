"""The loss is a cross entropy: least for the truth, blind to symmetry, with honest gradients."""

import math

import pytest
import torch
from torch import nn

from icelens.core.geometry.rotations import random_rotations, rotation_distance
from icelens.core.geometry.so3_functions import invariant_projection, value_at, wigner_at
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.tasks.pose.objective import PoseBatch, PoseObjective, turned_frame
from icelens.training.contract import Loss

DEGREE = 4
CPU = torch.device("cpu")


def drawn(count: int, seed: int = 0) -> torch.Tensor:
    return random_rotations(count, torch.Generator().manual_seed(seed))


def batch(rotation: torch.Tensor, **changes: torch.Tensor) -> PoseBatch:
    count = len(rotation)
    usual = {
        "images": torch.zeros(count, 2, 4, 4),
        "rotation": rotation,
        "shift_yx": torch.zeros(count, 2),
        "weight": torch.ones(count),
        "frame": drawn(1, 9)[0],
    }
    return PoseBatch(**(usual | changes))


def objective(symmetry: str = "C1", **changes: float) -> PoseObjective:
    usual = {"grid_order": 2, "target_width": 0.0, "label_smoothing": 0.0, "shift_weight": 0.0}
    return PoseObjective(DEGREE, symmetry_operators(symmetry), device=CPU, **(usual | changes))


class Saying(nn.Module):
    """Answers with these coefficients and shifts, whatever it is shown."""

    def __init__(self, coefficients: torch.Tensor, shift_yx: torch.Tensor | None = None) -> None:
        super().__init__()
        self.answer = nn.Parameter(torch.view_as_real(coefficients))
        count = coefficients.shape[-1]
        self.shift = nn.Parameter(torch.zeros(count, 2) if shift_yx is None else shift_yx)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        del images
        return [self.answer, self.shift]


def peak(rotation: torch.Tensor, symmetry: str = "C1", height: float = 1.0) -> torch.Tensor:
    degree = 2.0 * torch.arange(DEGREE + 1) + 1.0
    sharp = degree[:, None] * wigner_at(rotation, DEGREE).conj()
    projection = invariant_projection(symmetry_operators(symmetry), DEGREE)
    return height * torch.einsum("mnlb,lkn->mklb", sharp, projection)


def loss(coefficients: torch.Tensor, told: PoseBatch, rule: PoseObjective) -> Loss:
    network = Saying(coefficients)
    return rule(network, network, told)


def value(coefficients: torch.Tensor, told: PoseBatch, rule: PoseObjective) -> float:
    return float(loss(coefficients, told, rule).total.detach())


def at(coefficients: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
    """Values of one function at rotations."""
    same = coefficients.expand(-1, -1, -1, len(rotation))
    return value_at(same, wigner_at(rotation, DEGREE))


def test_the_truth_has_a_lower_loss_than_anything_else() -> None:
    truth = drawn(8)
    told, rule = batch(truth), objective()
    right = value(peak(truth, height=0.2), told, rule)
    flat = value(0.0 * peak(truth), told, rule)
    assert right < flat
    assert flat == pytest.approx(0.0, abs=1e-5)
    for seed in range(1, 6):
        assert value(peak(drawn(8, seed), height=0.2), told, rule) > flat


def test_it_is_the_negative_logarithm_of_the_density_at_the_truth() -> None:
    truth = drawn(1)
    answer = peak(drawn(1, 4), height=0.02)
    everywhere = drawn(5000, 5)
    values = at(answer, everywhere)
    log_mean = torch.logsumexp(values, dim=0) - math.log(len(values))
    expected = float(log_mean - at(answer, truth)[0])
    # a mean over 5000 draws
    assert value(answer, batch(truth), objective()) == pytest.approx(expected, abs=0.1)


def test_the_best_answer_to_scattered_truths_is_their_distribution() -> None:
    answer = peak(drawn(1, 6), height=0.02)
    candidates = drawn(6000, 7)
    density = torch.exp(at(answer, candidates) - at(answer, candidates).max())
    is_drawn = torch.rand(len(density), generator=torch.Generator().manual_seed(8)) < density
    truth = candidates[is_drawn]
    losses = [
        value(factor * answer.expand(-1, -1, -1, len(truth)), batch(truth), objective())
        for factor in (0.6, 1.0, 1.4)
    ]
    assert losses[1] == min(losses)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gradients_are_those_of_small_steps(smoothing: float) -> None:
    truth = drawn(2)
    told = batch(truth, shift_yx=torch.tensor([[1.0, -0.5], [0.2, 2.0]]))
    rule = objective(label_smoothing=smoothing, target_width=5.0, shift_weight=0.25)
    network = Saying(peak(drawn(2, 3), height=0.3), torch.tensor([[0.1, 0.2], [0.3, 0.4]]))
    rule(network, network, told).total.backward()
    generator = torch.Generator().manual_seed(4)
    for parameter in network.parameters():
        direction = torch.randn(parameter.shape, generator=generator)
        slope = float((parameter.grad * direction).sum())
        start, ends = parameter.detach().clone(), []
        for step in (-1e-2, 1e-2):
            with torch.no_grad():
                parameter.copy_(start + step * direction)
                ends.append(float(rule(network, network, told).total))
        with torch.no_grad():
            parameter.copy_(start)
        assert slope == pytest.approx((ends[1] - ends[0]) / 2e-2, rel=2e-2, abs=2e-3)


@pytest.mark.parametrize("symmetry", ["D2", "T"])
def test_equivalent_truths_are_one(symmetry: str) -> None:
    truth, rule = drawn(5), objective(symmetry, target_width=4.0, label_smoothing=0.05)
    answer = peak(drawn(5, 3), symmetry)
    reference = loss(answer, batch(truth), rule)
    for operator in symmetry_operators(symmetry):
        other = loss(answer, batch(truth @ operator), rule)
        assert torch.allclose(other.total, reference.total, atol=1e-4)
        off = other.terms["geo_degs_step"] - reference.terms["geo_degs_step"]
        assert float(off.abs()) < 1e-2


def test_the_frame_of_the_grid_hardly_matters() -> None:
    truth = drawn(4)
    answer = peak(drawn(4, 3), height=0.05)
    losses = [
        value(answer, batch(truth, frame=frame), objective(label_smoothing=0.1))
        for frame in (torch.eye(3), *drawn(4, 11))
    ]
    assert max(losses) - min(losses) < 0.02


def test_a_turned_frame_holds_the_same_function() -> None:
    coefficients, rotation, frame = peak(drawn(6)), drawn(6, 1), drawn(1, 2)[0]
    before = value_at(coefficients, wigner_at(rotation, DEGREE))
    after = value_at(turned_frame(coefficients, frame), wigner_at(rotation @ frame, DEGREE))
    assert torch.allclose(before, after, atol=1e-3)


def test_the_best_cell_is_found_in_any_frame() -> None:
    truth = drawn(6)
    for seed in range(3):
        told = batch(truth, frame=drawn(1, seed)[0])
        off = loss(peak(truth), told, objective()).terms["geo_degs_step"]
        assert float(off) < 10.0  # cells of order 2 are 15 degrees wide
        far = loss(peak(drawn(6, 77)), told, objective()).terms["geo_degs_step"]
        expected = rotation_distance(truth, drawn(6, 77)).mean()
        assert float(far) == pytest.approx(float(expected), abs=12.0)


def test_smoothing_punishes_certainty() -> None:
    truth = drawn(4)
    told = batch(truth)
    sure, surer = peak(truth, height=1.0), peak(truth, height=3.0)
    assert value(surer, told, objective()) < value(sure, told, objective())
    smooth = objective(label_smoothing=0.3)
    assert value(surer, told, smooth) > value(sure, told, smooth)


def test_a_constant_added_to_the_answer_changes_nothing() -> None:
    answer = peak(drawn(3, 1))
    raised = answer.clone()
    raised[0, DEGREE, 0] += 25.0
    for smoothing in (0.0, 0.2):
        rule = objective(label_smoothing=smoothing, target_width=6.0)
        told = batch(drawn(3))
        assert value(raised, told, rule) == pytest.approx(value(answer, told, rule), abs=1e-3)


def test_a_soft_target_is_met_by_a_blunter_peak() -> None:
    truth = drawn(4)
    told = batch(truth)
    hard, soft = objective(), objective(target_width=25.0)
    heights = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6]
    best = [
        min(heights, key=lambda height: value(peak(truth, height=height), told, rule))
        for rule in (hard, soft)
    ]
    assert best[1] < best[0]


def test_images_count_by_their_weight() -> None:
    truth, answer = drawn(2), peak(drawn(2, 5))
    each = [value(answer[..., [n]], batch(truth[[n]]), objective()) for n in range(2)]
    told = batch(truth, weight=torch.tensor([0.5, 1.5]))
    assert value(answer, told, objective()) == pytest.approx(
        0.5 * (0.5 * each[0] + 1.5 * each[1]), rel=1e-4
    )
    ignored = batch(truth, weight=torch.tensor([2.0, 0.0]))
    assert value(answer, ignored, objective()) == pytest.approx(each[0], rel=1e-4)


def test_shifts_cost_their_square() -> None:
    truth = drawn(2)
    told = batch(truth, shift_yx=torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    flat = 0.0 * peak(truth)
    found = loss(flat, told, objective(shift_weight=0.5))
    assert float(found.total.detach()) == pytest.approx(0.5 * 0.5 * 25.0, abs=1e-4)
    assert float(found.terms["shift_px"]) == pytest.approx(2.5)
