"""What a network of hetero minimises: the negative log likelihood of images, and of latents."""

import torch
from torch import Tensor, nn

from icelens.tasks.hetero.latent_weight import LatentWeight, divergence_from_prior
from icelens.tasks.hetero.network.hetero_network import ImageBatch
from icelens.training.contract import Loss


class HeteroObjective:
    """Evidence lower bound of images under the physics of the microscope.

    Noise has unit power in each sample, so the error of an image needs no further weight.
    """

    def __init__(
        self,
        latent_weight: LatentWeight,
        *,
        num_samples: int,
        independence: float,
        turn_deviation: float,
        shift_deviation: float,
    ) -> None:
        """Set it up.

        Args:
            latent_weight: How much latents weigh.
            num_samples: Of an image; the loss is in nats for each.
            independence: Share of an image's samples that are independent.
            turn_deviation: How far poses are expected to be off, in units of the network's table.
            shift_deviation: The same of shifts.
        """
        self._latent_weight = latent_weight
        self._num_samples = num_samples
        self._independence = independence
        self._deviations = (turn_deviation, shift_deviation)

    def __call__(self, network: nn.Module, teacher: nn.Module, batch: ImageBatch) -> Loss:
        """Loss of a batch, and the mean square error of a sample: 1 leaves noise alone."""
        del teacher
        slices, mean, log_variance = network(batch)
        error = torch.view_as_real(batch.values) - batch.transfer[..., None] * slices
        squared = (error.square().sum(-1) * batch.sample_weight).sum()
        # nats: of complex noise of unit power, whose neighbours a window made alike
        images = self._independence * squared
        divergence = divergence_from_prior(mean, log_variance)
        latents = self._latent_weight.penalty(divergence, batch.images_seen).sum()
        total = images + latents + self._of_poses(network, batch)
        num_images = len(error)
        return Loss(
            total / (num_images * self._num_samples),
            {
                "error": squared.detach() / (num_images * batch.sample_weight.sum()),
                "divergence": divergence.mean().detach(),
            },
        )

    def _of_poses(self, network: nn.Module, batch: ImageBatch) -> Tensor:
        """Learnt poses stay near those given, by a Gaussian prior."""
        total = batch.noise.new_zeros(())
        for name, table in network.named_parameters():
            for kind, deviation in zip(("turns", "shifts"), self._deviations, strict=True):
                if name.split(".")[-1] == kind:
                    total = total + 0.5 * (table[batch.image] / deviation).square().sum()
        return total
