"""The whole network: latents from images or a table, slices of volumes from decoders."""

from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor, nn

from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.refinement.samples import DiscSamples, disc_samples
from icelens.tasks.hetero.network.decoder import Decoder
from icelens.tasks.hetero.network.encoders import LatentEncoder
from icelens.tasks.hetero.network.network_settings import NetworkSettings
from icelens.training.distributed import num_processes

POSE_UNIT = 5.0
"""px: what one unit in the table of shifts is, and in that of turns at the finest shell.

A step of an optimiser moves each weight about as far, but poses are seen only once an epoch: in
units of 1 px they would hardly have moved by the end.
"""


@dataclass(frozen=True, eq=False)
class ImageBatch:
    """Images of some particles.

    Attributes:
        seen: What an encoder sees: all samples, in units of noise.
        seen_transfer: CTF over the deviation of the noise at all samples.
        values: The samples that are compared.
        transfer: CTF over noise there.
        places: Which of all samples those are.
        sample_weight: How many of all samples each stands for.
        axes: Take samples to the volume.
        image: Row of each image, which numbers the table of poses.
        owner: Which particle of the batch each image shows.
        particle: Number of each particle, which is its line in the table of latents.
        half_set: 1 or 2 of each particle.
        noise: Standard normal numbers that draw each particle's latent.
        known: Mean and deviation of each particle's coefficients in a linear model.
        images_seen: Images that came before in the training.
    """

    seen: Complex[Tensor, "row sample"]
    seen_transfer: Float[Tensor, "row sample"]
    values: Complex[Tensor, "row place"]
    transfer: Float[Tensor, "row place"]
    places: Int[Tensor, " place"]
    sample_weight: Float[Tensor, " place"]
    axes: Float[Tensor, "row 3 3"]
    image: Int[Tensor, " row"]
    owner: Int[Tensor, " row"]
    particle: Int[Tensor, " particle"]
    half_set: Int[Tensor, " particle"]
    noise: Float[Tensor, "particle latent"]
    known: Float[Tensor, "particle component 2"]
    images_seen: float = 0.0


class HeteroNetwork(nn.Module):
    """Images to slices of the volumes that they show.

    Inside, latents have a prior of deviation 1; `latent_scale` brings them to what users see, where
    distances of latents are distances of maps as far as the start knows them.
    """

    latent_scale: Tensor

    def __init__(
        self,
        settings: NetworkSettings,
        encoder: LatentEncoder | None,
        decoders: list[Decoder],
    ) -> None:
        """Put one together; `icelens.tasks.hetero.network.build` chooses the parts.

        Args:
            settings: All that a checkpoint stores.
            encoder: None for a table of latents, or one structure.
            decoders: One, or one for each half set.
        """
        super().__init__()
        self.settings = settings
        self.encoder = encoder
        self.decoders = nn.ModuleList(decoders)
        self.samples: DiscSamples = disc_samples(settings.box_size, settings.radius)
        self.register_buffer("latent_scale", torch.ones(settings.latent_dim))
        if settings.model == "autodecoder":
            self.table = nn.Parameter(torch.zeros(settings.num_particles, settings.latent_dim))
        if settings.has_poses:
            # about and along x, y (and z), in units of `POSE_UNIT`
            self.turns = nn.Parameter(torch.zeros(settings.num_images, 3))
            self.shifts = nn.Parameter(torch.zeros(settings.num_images, 2))

    def latent(
        self, batch: ImageBatch
    ) -> tuple[Float[Tensor, "particle latent"], Float[Tensor, "particle latent"]]:
        """Mean and log variance of each particle's latent."""
        if self.encoder is not None:
            found: tuple[Tensor, Tensor] = self.encoder(
                batch.seen, batch.seen_transfer, batch.owner, batch.known
            )
            return found
        if self.settings.model == "autodecoder":
            mean = self.table[batch.particle]
        else:
            mean = batch.noise.new_zeros(len(batch.particle), 0)
        return mean, torch.full_like(mean, -torch.inf)

    def forward(self, batch: ImageBatch) -> list[Tensor]:
        """Slices of the particles' volumes at the places of a batch, and their latents.

        Returns:
            `(row, place, 2)` slices; `(particle, latent)` means and log variances.
        """
        mean, log_variance = self.latent(batch)
        drawn = mean + torch.exp(0.5 * log_variance) * batch.noise if mean.shape[1] else mean
        axes = self.posed(batch.axes, batch.image)
        slices = self._slices(drawn[batch.owner], axes, batch)
        slices = self._shifted(slices, batch.image, batch.places)
        return [slices, mean, log_variance]

    def posed(self, axes: Tensor, image: Tensor) -> Float[Tensor, "row 3 3"]:
        """Axes after the turns that were learnt."""
        if not self.settings.has_poses:
            return axes
        # of full precision: a pose is not known to two digits
        with torch.autocast(axes.device.type, enabled=False):
            return rotation_from_vector(self._turn_unit * self.turns[image]) @ axes

    @property
    def _turn_unit(self) -> float:
        return POSE_UNIT / self.settings.radius

    @property
    def learnt_turns(self) -> Float[Tensor, "image 3"]:
        """Rotation vectors in rad, by which each image's pose is turned after it was given."""
        return self._turn_unit * self.turns

    @property
    def learnt_shifts(self) -> Float[Tensor, "image 2"]:
        """Where particles lie in the images that were centred, along x and y in px of the grid."""
        return POSE_UNIT * self.shifts

    def _slices(
        self, latent: Tensor, axes: Tensor, batch: ImageBatch
    ) -> Float[Tensor, "row place 2"]:
        places = batch.places
        if len(self.decoders) == 1:
            slices: Tensor = self.decoders[0](latent, axes, self.samples, places)
            return slices
        half_set = batch.half_set[batch.owner]
        slices = latent.new_zeros(len(latent), len(places), 2)
        for half, decoder in enumerate(self.decoders, start=1):
            rows = (half_set == half).nonzero().squeeze(1)
            if len(rows):
                own = decoder(latent[rows], axes[rows], self.samples, places)
                slices = slices.index_copy(0, rows, own.to(slices))
            elif torch.is_grad_enabled() and num_processes() > 1:
                # processes add up gradients weight by weight: each needs one, if only of zeros
                slices = slices + 0.0 * decoder(latent[:1], axes[:1], self.samples, places).sum()
        return slices

    def _shifted(
        self, slices: Float[Tensor, "row place 2"], image: Tensor, places: Tensor
    ) -> Float[Tensor, "row place 2"]:
        """Slices moved from where the images were centred to where they are learnt to be."""
        if not self.settings.has_poses:
            return slices
        frequency = self.samples.frequency_xy[:, places] / self.settings.box_size
        with torch.autocast(slices.device.type, enabled=False):
            phase = -2.0 * torch.pi * (POSE_UNIT * self.shifts[image] @ frequency)
        ramp = torch.polar(torch.ones_like(phase), phase)
        moved = torch.view_as_complex(slices.float().contiguous()) * ramp
        return torch.view_as_real(moved)

    def _apply(self, fn, recurse: bool = True) -> "HeteroNetwork":  # type: ignore[no-untyped-def] # noqa: ANN001, FBT001, FBT002
        """Move the samples along with the weights."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        some = next(self.parameters())
        self.samples = disc_samples(
            self.settings.box_size, self.settings.radius, device=some.device
        )
        return self
