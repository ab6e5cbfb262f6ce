"""Encoders: images of a particle to what is known of its latent.

Each image is embedded by itself; the embeddings of a particle's images are averaged, so that any
number of tilts, in any order, gives one latent.
"""

from typing import Protocol

import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor, nn

from icelens.core.fourier.transforms import image_from_rfft
from icelens.core.refinement.samples import DiscSamples
from icelens.tasks.hetero.network.network_settings import EncoderSettings
from icelens.tasks.hetero.network.residual_mlp import ResidualMLP


class ImageEncoder(Protocol):
    """Embeds images; a module."""

    num_features: int

    def __call__(
        self, values: Complex[Tensor, "row sample"], transfer: Float[Tensor, "row sample"]
    ) -> Float[Tensor, "row feature"]:
        """Features of whitened images, told the CTF over the noise."""
        ...


class MLPEncoder(nn.Module):
    """Looks at all samples of the phase-flipped transform at once."""

    def __init__(self, settings: EncoderSettings, samples: DiscSamples) -> None:
        """Make one for images of these samples."""
        super().__init__()
        radius = settings.max_radius or samples.radius
        self._count = samples.count(radius)
        self.num_features = settings.width
        self.network = ResidualMLP(
            2 * self._count, settings.width, width=settings.width, num_layers=settings.num_layers
        )

    def forward(
        self, values: Complex[Tensor, "row sample"], transfer: Float[Tensor, "row sample"]
    ) -> Float[Tensor, "row feature"]:
        """See `ImageEncoder`."""
        seen = values[:, : self._count] * transfer[:, : self._count].sign()
        features: Tensor = self.network(torch.view_as_real(seen).flatten(1))
        return nn.functional.relu(features)


class ConvolutionalEncoder(nn.Module):
    """Looks at the phase-flipped image by convolutions of stride 2, whatever its box."""

    def __init__(self, settings: EncoderSettings, samples: DiscSamples) -> None:
        """Make one for images of these samples."""
        super().__init__()
        self._box_size = samples.box_size
        self.register_buffer("_index", samples.index, persistent=False)
        self.num_features = settings.width
        layers: list[nn.Module] = []
        channels, side = 1, samples.box_size
        while side > 4:
            wider = min(settings.width, max(16, 2 * channels))
            layers += [
                nn.Conv2d(channels, wider, 5, stride=2, padding=2, padding_mode="replicate"),
                nn.LeakyReLU(0.1),
            ]
            channels, side = wider, (side + 1) // 2
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(channels * side * side, settings.width)

    def forward(
        self, values: Complex[Tensor, "row sample"], transfer: Float[Tensor, "row sample"]
    ) -> Float[Tensor, "row feature"]:
        """See `ImageEncoder`."""
        half = self._box_size // 2 + 1
        spectrum = values.new_zeros(len(values), self._box_size * half)
        spectrum[:, self._index] = values * transfer.sign()  # type: ignore[index]
        image = image_from_rfft(spectrum.reshape(-1, self._box_size, half), self._box_size)
        # noise of deviation 1 in each pixel
        image = image * self._box_size
        features: Tensor = self.head(self.layers(image[:, None]).flatten(1))
        return nn.functional.relu(features)


class LatentEncoder(nn.Module):
    """Images of particles to means and log variances of their latents.

    Where a linear model is known, its posterior is what the first latents start from: the network
    says what is to be changed of it.
    """

    def __init__(
        self, images: nn.Module, num_features: int, latent_dim: int, num_components: int
    ) -> None:
        """Put a head on an `ImageEncoder`.

        Args:
            images: Embeds images.
            num_features: Of the embedding.
            latent_dim: Coordinates of a latent.
            num_components: Of the linear model; 0 for none.
        """
        super().__init__()
        self.images = images
        self._num_shared = min(num_components, latent_dim)
        self._latent_dim = latent_dim
        if num_components:
            self.known = nn.Linear(2 * num_components, num_features)
            self.mixed = nn.Linear(num_features, num_features)
        self.mean = nn.Linear(num_features, latent_dim)
        self.log_variance = nn.Linear(num_features, latent_dim)
        if num_components:
            for head in (self.mean, self.log_variance):
                nn.init.zeros_(head.weight)
                nn.init.zeros_(head.bias)

    def forward(
        self,
        values: Complex[Tensor, "row sample"],
        transfer: Float[Tensor, "row sample"],
        owner: Int[Tensor, " row"],
        known: Float[Tensor, "particle component 2"],
    ) -> tuple[Float[Tensor, "particle latent"], Float[Tensor, "particle latent"]]:
        """Mean and log variance.

        Args:
            values: See `ImageEncoder`.
            transfer: See `ImageEncoder`.
            owner: Which particle of the batch each image shows.
            known: Mean and deviation of each particle's coefficients in the linear model.
        """
        features = self.images(values, transfer)
        if len(known) != len(features):
            total = features.new_zeros(len(known), features.shape[1])
            count = torch.bincount(owner, minlength=len(known)).clamp(min=1).to(features)
            features = total.index_add(0, owner, features) / count[:, None]
        log_known = 2.0 * known[..., 1].clamp(min=1e-3).log()
        if known.shape[1]:
            told = torch.cat([known[..., 0], log_known], dim=1)
            features = nn.functional.relu(features + self.known(told))
            features = features + nn.functional.relu(self.mixed(features))
        # latents are coordinates: three digits of a low precision would not do
        with torch.autocast(features.device.type, enabled=False):
            exact = features.float()
            mean, log_variance = self.mean(exact), self.log_variance(exact)
            beyond = (0, self._latent_dim - self._num_shared)
            mean = mean + nn.functional.pad(known[:, : self._num_shared, 0], beyond)
            log_variance = log_variance + nn.functional.pad(
                log_known[:, : self._num_shared], beyond
            )
            return mean, log_variance.clamp(-12.0, 6.0)
