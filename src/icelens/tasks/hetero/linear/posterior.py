"""What images say of the coefficients of a linear model, and the sums that volumes come from."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.fourier.channel_slices import Corners, add_channels, corners_of, read_channels
from icelens.tasks.hetero.linear.particle_batches import Batch
from icelens.tasks.hetero.linear.stage_grid import StageGrid


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Posterior of the coefficients of mean and components, a line for each particle.

    Attributes:
        mean: The first is the contrast, the others the latent.
        covariance: Of all of them.
    """

    mean: Float[Tensor, "particle channel"]
    covariance: Float[Tensor, "particle channel channel"]

    @property
    def second_moment(self) -> Float[Tensor, "particle channel channel"]:
        """Expected products of coefficients."""
        return self.covariance + self.mean[:, :, None] * self.mean[:, None, :]


def place_samples(batch: Batch, frequency_xy: Tensor, grid: StageGrid) -> Corners:
    """Where the samples of a batch lie in the padded transform."""
    padding = grid.padded_size / grid.box_size
    count = batch.values.shape[1]
    return corners_of(batch.axes, frequency_xy[:, :count] * padding, grid.padded_size)


def predicted(
    table: Float[Tensor, "point number"], batch: Batch, corners: Corners
) -> Float[Tensor, "row part channel"]:
    """Images of all channels alone: real and imaginary part of each sample, CTF applied."""
    rows, count = batch.values.shape
    slices = read_channels(table, corners).view(rows, count, -1, 2)
    mates = corners.sign.view(rows, count, 1) * batch.transfer[..., None]
    # parts beside one another: the products of channels are then one matrix product
    parts = torch.empty(rows, 2, count, slices.shape[2], device=table.device)
    torch.mul(slices[..., 0], batch.transfer[..., None], out=parts[:, 0])
    torch.mul(slices[..., 1], mates, out=parts[:, 1])
    return parts.flatten(1, 2)


def normal_equations(
    parts: Float[Tensor, "row part channel"], batch: Batch
) -> tuple[Float[Tensor, "row channel channel"], Float[Tensor, "row channel"]]:
    """Products of the channels' images with one another and with the images."""
    values = torch.cat([batch.values.real, batch.values.imag], dim=1)
    gram = parts.mT @ parts
    return gram, (parts.mT @ values[..., None])[..., 0]


def solve_coefficients(
    gram: Float[Tensor, "particle channel channel"],
    product: Float[Tensor, "particle channel"],
    *,
    independence: float,
    contrast_std: float,
) -> Coefficients:
    """Posterior under a normal prior: contrast 1 with its deviation, latents 0 with 1.

    Args:
        gram: Sums over the images of a particle.
        product: The same with the images.
        independence: Share of the samples that are independent.
        contrast_std: 0 for a contrast of exactly 1.
    """
    # each sample stands for its Friedel mate as well: -log p = sum |residual|^2
    gram, product = 2.0 * independence * gram.double(), 2.0 * independence * product.double()
    size = gram.shape[-1]
    if contrast_std > 0:
        prior = torch.ones(size, dtype=gram.dtype, device=gram.device)
        prior[0] = contrast_std**-2
        right = product.clone()
        right[:, 0] += prior[0]
        covariance = _inverse(gram + torch.diag(prior))
        mean = (covariance @ right[..., None])[..., 0]
        return Coefficients(mean, covariance)
    right = product[:, 1:] - gram[:, 1:, 0]
    inner = _inverse(gram[:, 1:, 1:] + torch.eye(size - 1, dtype=gram.dtype, device=gram.device))
    covariance = torch.zeros_like(gram)
    covariance[:, 1:, 1:] = inner
    mean = torch.ones_like(product)
    mean[:, 1:] = (inner @ right[..., None])[..., 0]
    return Coefficients(mean, covariance)


def _inverse(matrix: Float[Tensor, "particle k k"]) -> Float[Tensor, "particle k k"]:
    if not matrix.shape[-1]:
        return matrix
    return torch.cholesky_inverse(torch.linalg.cholesky(matrix))


class ChannelSums:
    """Sums over images of which all channels' volumes are made.

    Attributes:
        grid: Their sampling.
        num_channels: Mean and components.
        numbers: Per point: the sums of `E[a] CTF X` (real, imaginary) for each channel, then those
            of `E[a a'] CTF^2` for each pair of channels.
    """

    def __init__(self, grid: StageGrid, num_channels: int) -> None:
        """Make empty sums."""
        self.grid = grid
        self.num_channels = num_channels
        self.pairs = torch.triu_indices(num_channels, num_channels, device=grid.device)
        width = 2 * num_channels + self.pairs.shape[1]
        self.numbers = torch.zeros(grid.num_points, width, device=grid.device)

    def insert(
        self,
        batch: Batch,
        corners: Corners,
        mean: Float[Tensor, "row channel"],
        second_moment: Float[Tensor, "row channel channel"],
    ) -> None:
        """Add images with the expected coefficients of their particles."""
        rows, count = batch.values.shape
        channels = self.num_channels
        first, second = self.pairs
        numbers = torch.empty(rows, count, self.numbers.shape[1], device=self.numbers.device)
        weighted = batch.values * batch.transfer
        mates = weighted.imag * corners.sign.view(rows, count)
        of_row = mean.to(numbers)[:, None, :]
        numbers[..., 0 : 2 * channels : 2] = weighted.real[..., None] * of_row
        numbers[..., 1 : 2 * channels : 2] = mates[..., None] * of_row
        products = second_moment[:, first, second].to(numbers)
        torch.mul(
            batch.transfer.square()[..., None],
            products[:, None, :],
            out=numbers[..., 2 * channels :],
        )
        add_channels(self.numbers, corners, numbers.flatten(0, 1))
