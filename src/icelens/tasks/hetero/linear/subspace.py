"""The linear model in the making: mean and components on the grid of a stage."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.tasks.hetero.linear.stage_grid import StageGrid


@dataclass(frozen=True, eq=False)
class Subspace:
    """Mean and components, whose coefficients have a variance of 1.

    Attributes:
        grid: Of the volumes.
        volumes: The mean, then the components.
        white: The noise that `solve_volumes` made them of.
        contrast_std: How much the mean's coefficient varies.
    """

    grid: StageGrid
    volumes: Float[Tensor, "channel s s s"]
    white: Float[Tensor, "channel s s s"]
    contrast_std: float

    @property
    def components(self) -> Float[Tensor, "component s s s"]:
        """All but the mean."""
        return self.volumes[1:]

    def turned(self, turn: Float[Tensor, "component other"]) -> "Subspace":
        """The same with components mixed: column `j` says what the new one `j` is made of."""
        mixture = torch.eye(len(self.volumes)).to(self.volumes)
        mixture[1:, 1:] = turn.to(self.volumes)
        return self.mixed(mixture)

    def mixed(self, mixture: Float[Tensor, "channel other"]) -> "Subspace":
        """The same with channels mixed, the mean among them."""
        return replace(
            self,
            volumes=torch.einsum("kzyx,kl->lzyx", self.volumes, mixture).contiguous(),
            white=torch.einsum("kzyx,kl->lzyx", self.white, mixture).contiguous(),
        )

    def products(self, other: "Subspace") -> Float[Tensor, "component component"]:
        """Inner products of components, in units of the images' density."""
        first, second = (each.components.flatten(1).double() for each in (self, other))
        # a coarse voxel's grey value stands for that of many
        return first @ second.T * (self.grid.box_size / self.grid.full_size) ** 3


def standardised(space: Subspace, mean: Tensor, second_moment: Tensor) -> Subspace:
    """The same distribution of volumes, its coefficients of mean 0 and variance 1 again.

    Args:
        space: Components that were fitted to coefficients.
        mean: `(channel,)` mean of the coefficients.
        second_moment: `(channel, channel)` of the coefficients, mean included.
    """
    spread = second_moment[1:, 1:] - mean[1:, None] * mean[1:]
    tiny = 1e-6 * torch.eye(len(spread)).to(spread)
    mixture = torch.zeros_like(second_moment)
    mixture[0, 0] = mean[0]
    mixture[1:, 1:] = torch.linalg.cholesky(spread + tiny)
    mixture[1:, 0] = mean[1:]
    variance = float((second_moment[0, 0] - mean[0] ** 2) / mean[0].square().clamp(min=1e-6))
    mixed = space.mixed(mixture.to(space.volumes))
    return replace(mixed, contrast_std=max(variance, 0.0) ** 0.5)


def principal_turn(products: Float[Tensor, "component component"]) -> Tensor:
    """Turn of the components after which they are orthogonal, the largest first."""
    vectors: Tensor = torch.linalg.eigh(0.5 * (products + products.T))[1]
    return vectors.flip(1)


def aligning_turn(products: Float[Tensor, "component other"]) -> Tensor:
    """Turn of the others after which they agree best with the components."""
    left, _, right = torch.linalg.svd(products)
    turn: Tensor = (left @ right).T
    return turn
