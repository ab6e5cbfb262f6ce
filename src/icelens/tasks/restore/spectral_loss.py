"""Compare two transforms under a mask: L2 by Parseval, L1 and Huber in real space, or FSC."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.nn import functional

LossName = Literal["l2", "l1", "huber", "fsc"]


@dataclass(frozen=True)
class SpectralLoss:
    """A distance between `answer` and `target`, both half transforms of cubic boxes.

    Losses in real space are means over voxels of the masked difference. For L2 Parseval's theorem
    gives that mean from the transforms themselves, without a way back. The FSC loss is one minus
    the mean Fourier shell correlation over the shells up to Nyquist.
    """

    name: LossName

    def __call__(
        self,
        answer: Complex[Tensor, "*batch n n h"],
        target: Complex[Tensor, "*batch n n h"],
        mask: Float[Tensor, "*#batch n n h"],
    ) -> Float[Tensor, ""]:
        """The distance over the masked frequencies; `mask` weighs amplitudes."""
        box_size = answer.shape[-2]
        if self.name == "fsc":
            return 1.0 - shell_correlation(answer, target, mask).mean()
        difference = (answer - target) * mask
        if self.name == "l2":
            power = difference.real**2 + difference.imag**2
            columns = hermitian_weights(box_size, power.device)
            total: Tensor = (power * columns).sum((-3, -2, -1)).mean() / box_size**6
            return total
        voxels = torch.fft.irfftn(difference, s=(box_size,) * 3, dim=(-3, -2, -1))
        if self.name == "l1":
            mean: Tensor = voxels.abs().mean()
            return mean
        distance: Tensor = functional.huber_loss(voxels, torch.zeros_like(voxels))
        return distance


def hermitian_weights(box_size: int, device: torch.device) -> Float[Tensor, " h"]:
    """How often each column of a half transform occurs in the full one."""
    weights = torch.full((box_size // 2 + 1,), 2.0, device=device)
    weights[0] = 1.0
    if box_size % 2 == 0:
        weights[-1] = 1.0
    return weights


def shell_correlation(
    answer: Complex[Tensor, "*batch n n h"],
    target: Complex[Tensor, "*batch n n h"],
    mask: Float[Tensor, "*#batch n n h"],
) -> Float[Tensor, "*batch shell"]:
    """Correlation in shells 1 to Nyquist, differentiable; 0 where a shell holds no power."""
    n = answer.shape[-2]
    axis = torch.fft.fftfreq(n, 1 / n, device=mask.device)
    half = torch.fft.rfftfreq(n, 1 / n, device=mask.device)
    radius = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + half**2).sqrt()
    shell = radius.round().long().clamp(max=n // 2 + 1).flatten()
    weights = mask**2 * hermitian_weights(n, mask.device)

    def summed(values: Tensor) -> Tensor:
        flat = (values * weights).flatten(-3)
        sums = flat.new_zeros(*flat.shape[:-1], n // 2 + 2)
        return sums.index_add(-1, shell, flat)[..., 1 : n // 2 + 1]

    cross = summed((answer * target.conj()).real)
    norm = summed(answer.abs() ** 2) * summed(target.abs() ** 2)
    return cross / norm.clamp(min=1e-12).sqrt()
