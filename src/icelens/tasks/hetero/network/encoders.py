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
    """Images of particles to means and log variances of their latents."""

    def __init__(self, images: nn.Module, num_features: int, latent_dim: int) -> None:
        """Put a head on an `ImageEncoder`."""
        super().__init__()
        self.images = images
        self.mean = nn.Linear(num_features, latent_dim)
        self.log_variance = nn.Linear(num_features, latent_dim)

    def forward(
        self,
        values: Complex[Tensor, "row sample"],
        transfer: Float[Tensor, "row sample"],
        owner: Int[Tensor, " row"],
        num_particles: int,
    ) -> tuple[Float[Tensor, "particle latent"], Float[Tensor, "particle latent"]]:
        """Mean and log variance; `owner` says which particle of the batch an image shows."""
        features = self.images(values, transfer)
        if num_particles != len(features):
            total = features.new_zeros(num_particles, features.shape[1])
            count = torch.bincount(owner, minlength=num_particles).clamp(min=1).to(features)
            features = total.index_add(0, owner, features) / count[:, None]
        # latents are coordinates: three digits of a low precision would not do
        with torch.autocast(features.device.type, enabled=False):
            exact = features.float()
            return self.mean(exact), self.log_variance(exact).clamp(-12.0, 6.0)
