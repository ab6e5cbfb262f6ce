"""Compare two transforms under a mask: L2 by Parseval, L1 and Huber in real space, or FSC."""

from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.nn import functional

from icelens.core.fourier.shells import column_weights, shell_sums
from icelens.tasks.restore.settings import LossName

SMALLEST_POWER = 1e-12  # squared power of a shell below which it counts as empty


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
            columns = column_weights(box_size, device=power.device)
            total: Tensor = (power * columns).sum((-3, -2, -1)).mean() / box_size**6
            return total
        voxels = torch.fft.irfftn(difference, s=(box_size,) * 3, dim=(-3, -2, -1))
        if self.name == "l1":
            mean: Tensor = voxels.abs().mean()
            return mean
        distance: Tensor = functional.huber_loss(voxels, torch.zeros_like(voxels))
        return distance


def shell_correlation(
    answer: Complex[Tensor, "*batch n n h"],
    target: Complex[Tensor, "*batch n n h"],
    mask: Float[Tensor, "*#batch n n h"],
) -> Float[Tensor, "*batch shell"]:
    """Correlation in shells 1 to Nyquist, differentiable; 0 where a shell holds no power."""
    n = answer.shape[-2]
    weights = mask**2
    cross = shell_sums((answer * target.conj()).real * weights, n)
    norm = shell_sums(answer.abs() ** 2 * weights, n) * shell_sums(target.abs() ** 2 * weights, n)
    curve: Tensor = cross / norm.clamp(min=SMALLEST_POWER).sqrt()
    return curve[..., 1:].to(mask)
