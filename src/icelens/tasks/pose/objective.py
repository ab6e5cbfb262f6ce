"""What a network that finds poses learns: likelihood of the true rotation, and the shift.

The density is `exp(F) / Z` with F band-limited on the rotations. The logarithm of the true pose's
density is known in closed form, smeared by a heat kernel (soft target) and mixed with the mean of F
(label smoothing); Z is a mean over a grid that is turned at random at each step, so that no
rotation lies on it more often than others. Under a point group F is invariant, so equivalent poses
share the target exactly.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from icelens.core.geometry.rotations import rotation_distance
from icelens.core.geometry.so3_functions import (
    RotationGrid,
    heat_kernel,
    value_at,
    wigner_at,
)
from icelens.core.geometry.so3_grid import grid_rotations
from icelens.core.geometry.wigner import wigner_matrices
from icelens.training.contract import Loss


@dataclass(frozen=True, eq=False)
class PoseBatch:
    """Images of one step and what the network should answer.

    Attributes:
        images: Raw and phase-flipped, masked.
        rotation: Reference to image.
        shift_yx: That centres the particle, in px of the images.
        weight: How much each counts, of mean 1.
        frame: Turns the grid that Z is summed on.
    """

    images: Float[Tensor, "item 2 y x"]
    rotation: Float[Tensor, "item 3 3"]
    shift_yx: Float[Tensor, "item 2"]
    weight: Float[Tensor, " item"]
    frame: Float[Tensor, "3 3"]


class PoseObjective:
    """Cross entropy on the rotations plus the squared error of the shift."""

    def __init__(
        self,
        max_degree: int,
        operators: Float[Tensor, "operator 3 3"],
        *,
        grid_order: int,
        target_width: float,
        label_smoothing: float,
        shift_weight: float,
        device: torch.device,
    ) -> None:
        """Prepare the tables.

        Args:
            max_degree: Of the network.
            operators: Of the particle's point group.
            grid_order: Of the grid that Z is summed on.
            target_width: Standard deviation of the soft target about each axis, in degrees.
            label_smoothing: Share of the target that is spread over all rotations.
            shift_weight: Of the squared error of the shift in px.
            device: Where the network computes.
        """
        self._grid = RotationGrid(max_degree, grid_order, device=device)
        self._rotations = torch.from_numpy(grid_rotations(grid_order)).float().to(device)
        self._kernel = heat_kernel(max_degree, target_width).to(device)
        self._operators = operators.to(device)
        self._smoothing = label_smoothing
        self._shift_weight = shift_weight

    def __call__(self, network: nn.Module, teacher: nn.Module, batch: PoseBatch) -> Loss:
        """Loss of a batch, with the error at the best cell of the grid as a term."""
        del teacher
        answer, shift_yx = network(batch.images)
        logits = torch.view_as_complex(answer.contiguous())
        negative, values = self._cross_entropy(logits, batch)
        off = (shift_yx - batch.shift_yx).square().sum(dim=1)
        total = (batch.weight * (negative + self._shift_weight * off)).mean()
        terms = {
            "geo_degs_step": self.best_errors(values.detach(), batch).mean(),
            "shift_px": off.detach().sqrt().mean(),
            "cross_entropy": negative.detach().mean(),
        }
        return Loss(total, terms)

    def best_errors(self, values: Tensor, batch: PoseBatch) -> Float[Tensor, " item"]:
        """Degrees between the truth and the best cell, up to symmetry."""
        best = self._rotations[values.argmax(dim=1)] @ batch.frame.T
        equivalents = best[:, None] @ self._operators
        return rotation_distance(equivalents, batch.rotation[:, None]).amin(dim=1)

    def _cross_entropy(
        self, logits: Complex[Tensor, "m n l item"], batch: PoseBatch
    ) -> tuple[Tensor, Tensor]:
        max_degree = logits.shape[0] - 1
        truth = wigner_at(batch.rotation, max_degree)
        soft = value_at(logits * self._kernel[:, None], truth)
        mean = logits[0, max_degree, 0].real
        values = self._grid(turned_frame(logits, batch.frame))
        log_mean = torch.logsumexp(values, dim=1) - math.log(values.shape[1])
        target = (1.0 - self._smoothing) * soft + self._smoothing * mean
        return log_mean - target, values


def turned_frame(
    logits: Complex[Tensor, "m n l item"], frame: Float[Tensor, "3 3"]
) -> Complex[Tensor, "m n l item"]:
    """Coefficients of `F(R frame^-1)` as a function of R: the value at `R frame` is F at R."""
    inverse = wigner_matrices(logits.shape[0] - 1, frame.T.double().cpu().numpy())
    matrices = torch.from_numpy(inverse).to(logits.device, torch.complex64)
    return torch.einsum("mnlb,lkn->mklb", logits, matrices)
