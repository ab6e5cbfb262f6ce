"""Losses on transforms against the same losses in real space."""

import pytest
import torch
from torch.nn import functional

from icelens.tasks.restore.spectral_loss import SpectralLoss, shell_correlation


def transforms(n: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two batches of boxes, their mask, and the masked difference as voxels."""
    answer, target = torch.randn(2, 3, n, n, n, dtype=torch.float64).unbind(0)
    mask = torch.fft.rfftn(torch.randn(n, n, n, dtype=torch.float64)).abs().clamp(max=1.0)
    difference = torch.fft.rfftn(answer - target, dim=(-3, -2, -1)) * mask
    voxels = torch.fft.irfftn(difference, s=(n, n, n), dim=(-3, -2, -1))
    return answer, target, mask, voxels


def value(name: str, answer: torch.Tensor, target: torch.Tensor, mask: torch.Tensor):
    axes = (-3, -2, -1)
    return SpectralLoss(name)(
        torch.fft.rfftn(answer, dim=axes), torch.fft.rfftn(target, dim=axes), mask
    )


@pytest.mark.parametrize("n", [8, 9])
def test_l2_equals_the_mean_square_of_the_filtered_voxels(n: int) -> None:
    answer, target, mask, voxels = transforms(n)
    # equal by Parseval's theorem; what is left is rounding in float64
    torch.testing.assert_close(value("l2", answer, target, mask), voxels.square().mean())


@pytest.mark.parametrize("n", [8, 9])
def test_gradient_of_l2_agrees_with_real_space(n: int) -> None:
    answer, target, mask, _ = transforms(n)
    answer.requires_grad_()
    value("l2", answer, target, mask).backward()
    found, answer.grad = answer.grad, None
    spectrum = torch.fft.rfftn(answer - target, dim=(-3, -2, -1)) * mask
    torch.fft.irfftn(spectrum, s=(n, n, n), dim=(-3, -2, -1)).square().mean().backward()
    torch.testing.assert_close(found, answer.grad)


def test_l1_and_huber_are_those_of_torch_on_the_filtered_voxels() -> None:
    answer, target, mask, voxels = transforms(8)
    zero = torch.zeros_like(voxels)
    torch.testing.assert_close(value("l1", answer, target, mask), functional.l1_loss(voxels, zero))
    torch.testing.assert_close(
        value("huber", answer, target, mask), functional.huber_loss(voxels, zero)
    )


@pytest.mark.parametrize("name", ["l2", "l1", "huber", "fsc"])
def test_every_loss_is_zero_for_equal_boxes_and_positive_for_others(name: str) -> None:
    answer, target, mask, _ = transforms(8)
    assert abs(float(value(name, answer, answer.clone(), mask))) < 1e-12
    assert float(value(name, answer, target, mask)) > 0.1


def test_fsc_loss_does_not_depend_on_scale_and_has_finite_gradients() -> None:
    answer, target, mask, _ = transforms(8)
    torch.testing.assert_close(
        value("fsc", 3 * answer, target, mask), value("fsc", answer, target, mask)
    )
    empty = torch.zeros_like(answer, requires_grad=True)
    value("fsc", empty, target, mask).backward()
    assert torch.isfinite(empty.grad).all()


def test_shell_of_opposite_sign_correlates_minus_one() -> None:
    spectrum = torch.fft.rfftn(torch.randn(8, 8, 8, dtype=torch.float64))
    curve = shell_correlation(spectrum, -2 * spectrum, torch.ones(8, 8, 5, dtype=torch.float64))
    torch.testing.assert_close(curve, -torch.ones(4, dtype=torch.float64))
