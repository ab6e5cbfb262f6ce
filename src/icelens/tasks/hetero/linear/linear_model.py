"""The finished linear model: maps of latents, latents of images, and its file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.latents import LatentTable, places_of
from icelens.core.errors import CheckpointError, GeometryError
from icelens.core.events import OnEvent, Progress, ignore
from icelens.core.fourier.crop import crop_volumes
from icelens.tasks.hetero.hetero_run import RunFacts
from icelens.tasks.hetero.linear.encode import coefficients_of
from icelens.tasks.hetero.linear.particle_batches import ParticleBatches
from icelens.tasks.hetero.linear.posterior import Coefficients
from icelens.tasks.hetero.linear.stage_grid import StageGrid
from icelens.tasks.hetero.linear.subspace import Subspace
from icelens.tasks.hetero.particle_rows import particle_rows
from icelens.tasks.hetero.prepared_images import PreparedImages
from icelens.training.checkpoint import read_tensors, save_checkpoint

MODEL_NAME = "linear.safetensors"
_VERSION = 2
Integers = npt.NDArray[np.int64]

_PARTICLES_AT_ONCE = 5000


class TriedComponent(NamedTuple):
    """What is known of a component that was tried, whether it was kept or not.

    Attributes:
        gain: What it adds to the log likelihood of a particle of the other half set, in nats.
        score: That over its standard error.
        eigenvalue: Its squared norm in coarse detail.
    """

    gain: float
    score: float
    eigenvalue: float


# the interface of models asks for plain attributes, which frozen ones are not
@dataclass(eq=False)
class LinearModel:
    """`volume = mean + sum of latent * component`; distance of latents is that of volumes.

    The first latent has a variance of 1, the others the smaller ones that their components have.

    Attributes:
        mean: On the images' grid and grey scale.
        components: Orthogonal, all of the norm of the first.
        spread: `(component,)` standard deviation of each latent.
        halves: `(half, channel, n, n, n)` mean and components of each half set, at the latents of
            the model of all images.
        pixel_size: In Å/px.
        radius: Of the finest shell, in cycles per box.
        diameter: Of the sphere that holds the particle, in Å.
        contrast_std: Deviation of the particles' contrast, 0 if it was not looked for.
        tried: All components that were tried, the likeliest first.
        num_significant: Components that are more than noise. The model has these; if there are
            none it has one nevertheless, which is noise.
        power: `(channel, shell)` of a transform that was expected of mean and components.
        tilts: Images of a tilt series that were used, lowest dose first; 0 for all.
    """

    mean: Float[Tensor, "n n n"]
    components: Float[Tensor, "component n n n"]
    spread: Float[Tensor, " component"]
    halves: Float[Tensor, "half channel n n n"]
    pixel_size: float
    radius: int
    diameter: float
    contrast_std: float
    tried: tuple[TriedComponent, ...]
    num_significant: int
    power: Float[Tensor, "channel shell"]
    tilts: int = 0
    has_halves: bool = True

    latent_dim: int = field(init=False)
    box_size: int = field(init=False)

    def __post_init__(self) -> None:
        """Know its own size."""
        self.latent_dim = len(self.components)
        self.box_size = int(self.mean.shape[-1])

    @property
    def eigenvalues(self) -> Float[Tensor, " component"]:
        """Variances of the volumes along the components, in squared density."""
        return (self.components.flatten(1).double() * self.spread[:, None]).square().sum(1)

    @property
    def agreement(self) -> Float[Tensor, " component"]:
        """Correlation of each component between the half sets."""
        own, other = (self.channels(half)[1:].flatten(1).double() for half in (1, 2))
        norms = own.norm(dim=1) * other.norm(dim=1)
        correlation: Tensor = (own * other).sum(1) / norms.clamp(min=1e-300)
        return correlation

    def channels(self, half: int = 0) -> Float[Tensor, "channel n n n"]:
        """Mean and components, of all images or a half set."""
        if half:
            return self.halves[half - 1]
        return torch.cat([self.mean[None], self.components])

    def volumes(
        self,
        latent: Float[Tensor, "state latent_dim"],
        *,
        half: int = 0,
        box_size: int | None = None,
    ) -> Iterator[Float[Tensor, "n n n"]]:
        """Maps of latents, one at a time.

        Args:
            latent: A line for each map.
            half: 0 for the model of all images, 1 or 2 for that of a half set.
            box_size: Side in px of a coarser grid of the same width.

        Raises:
            GeometryError: If latents or box do not fit the model.
        """
        if latent.ndim != 2 or latent.shape[1] != self.latent_dim:
            raise GeometryError(
                f"latents of shape {tuple(latent.shape)} for a model of {self.latent_dim} "
                "components; give one line for each map"
            )
        channels = self.channels(half)
        if box_size is not None:
            channels = crop_volumes(channels, box_size)
        for line in latent.to(channels):
            yield channels[0] + torch.einsum("k,kzyx->zyx", line, channels[1:])

    def encode(self, images: PreparedImages, on_event: OnEvent = ignore) -> LatentTable:
        """Latents of all particles in images, with the standard deviations of their posterior.

        Raises:
            GeometryError: If the images lie on another grid.
        """
        rows = particle_rows(images.particles, tilts=self.tilts, seed=0)
        batches = ParticleBatches(images, rows)
        space = self.subspace(images)
        count = batches.num_particles
        mean = np.zeros((count, self.latent_dim))
        deviation = np.zeros((count, self.latent_dim))
        for start in range(0, count, _PARTICLES_AT_ONCE):
            places = np.arange(start, min(start + _PARTICLES_AT_ONCE, count))
            found = coefficients_of(space, batches, places)
            latent, covariance = self.scaled(found, places)
            mean[places] = latent.cpu().numpy()
            deviation[places] = covariance.diagonal(dim1=1, dim2=2).sqrt().cpu().numpy()
            on_event(Progress("encode", int(places[-1]) + 1, count, "particle"))
        return LatentTable(
            latent=mean,
            particle=rows.particle,
            row=rows.first,
            deviation=deviation,
            half_set=rows.half_set,
        )

    def scaled(
        self, found: Coefficients, places: Integers
    ) -> tuple[
        Float[Tensor, "particle latent_dim"], Float[Tensor, "particle latent_dim latent_dim"]
    ]:
        """Mean and covariance of the latents of some particles, contrast left out."""
        spread = self.spread.to(found.mean)
        covariance = found.covariance[places, 1:, 1:]
        return found.mean[places, 1:] * spread, covariance * spread[:, None] * spread

    def subspace(self, images: PreparedImages) -> Subspace:
        """The model on the grid of images, as the fit has it.

        Raises:
            GeometryError: If the images lie on another grid.
        """
        facts = images.facts
        is_same = abs(facts.pixel_size / self.pixel_size - 1.0) < 1e-3
        if facts.box_size != self.box_size or not is_same:
            raise GeometryError(
                f"images of {facts.box_size} px and {facts.pixel_size:g} Å/px for a model of "
                f"{self.box_size} px and {self.pixel_size:g} Å/px; prepare them on its grid"
            )
        width = self.box_size * self.pixel_size
        radius = min(self.radius, facts.radius)
        share = min(self.diameter / width, 1.0)
        own = StageGrid(self.box_size, radius, share, images.device)
        channels = self.channels().to(images.device)
        channels[1:] *= self.spread.to(channels)[:, None, None, None]
        # components end at the edge of the support, so that nothing is lost
        volumes = own.narrowed(own.resampled(channels))
        return Subspace(own, volumes, torch.zeros_like(volumes), self.contrast_std)

    def save(self, folder: Path) -> None:
        """Write `linear.safetensors`."""
        tensors = {
            "mean": self.mean,
            "components": self.components,
            "spread": self.spread,
            "halves": self.halves,
            "power": self.power,
        }
        description: dict[str, Any] = {
            "kind": "linear model",
            "version": _VERSION,
            "pixel_size": self.pixel_size,
            "radius": self.radius,
            "diameter": self.diameter,
            "contrast_std": self.contrast_std,
            "tried": [list(each) for each in self.tried],
            "num_significant": self.num_significant,
            "tilts": self.tilts,
        }
        save_checkpoint(folder / MODEL_NAME, tensors, description)


def posterior(
    model: LinearModel, images: PreparedImages, image_rows: npt.ArrayLike
) -> tuple[Float[Tensor, "particle latent_dim"], Float[Tensor, "particle latent_dim latent_dim"]]:
    """Mean and covariance of the latents of particles, each named by one of its images' rows.

    All images of a particle count.

    Raises:
        GeometryError: If the images lie on another grid.
    """
    rows = particle_rows(images.particles, tilts=model.tilts, seed=0)
    batches = ParticleBatches(images, rows)
    wanted = images.particles.particle[np.atleast_1d(np.asarray(image_rows, np.int64))]
    places = places_of(wanted, rows.particle)
    found: Coefficients = coefficients_of(model.subspace(images), batches, np.unique(places))
    return model.scaled(found, places)


def read_linear_model(
    folder: Path, facts: RunFacts | None, device: torch.device | str = "cpu"
) -> LinearModel:
    """Read the model of a run.

    Raises:
        CheckpointError: If it is missing, damaged, or of another version or size.
    """
    path = folder / MODEL_NAME
    checkpoint = read_tensors(path, device)
    known = checkpoint.description
    if known.get("kind") != "linear model" or known.get("version") != _VERSION:
        raise CheckpointError(
            f"{path}: holds {known.get('kind', 'something else')} of version "
            f"{known.get('version')}, expected a linear model of version {_VERSION}; run "
            "`icelens hetero linear` again"
        )
    tensors = checkpoint.tensors
    try:
        model = LinearModel(
            mean=tensors["mean"],
            components=tensors["components"],
            spread=tensors["spread"],
            halves=tensors["halves"],
            power=tensors["power"],
            pixel_size=float(known["pixel_size"]),
            radius=int(known["radius"]),
            diameter=float(known["diameter"]),
            contrast_std=float(known["contrast_std"]),
            tried=tuple(TriedComponent(*map(float, each)) for each in known["tried"]),
            num_significant=int(known["num_significant"]),
            tilts=int(known["tilts"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: its description is damaged ({error}); run `icelens hetero linear` again"
        ) from error
    found = (model.latent_dim, model.box_size)
    if facts is not None and found != (facts.latent_dim, facts.box_size):
        raise CheckpointError(
            f"{path}: {found[0]} components on {found[1]} px, but the run has "
            f"{facts.latent_dim} on {facts.box_size} px; run `icelens hetero linear` again"
        )
    return model
