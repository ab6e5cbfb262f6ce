"""A trained network of hetero as a source of volumes and latents."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.data.latents import LatentTable
from icelens.core.errors import CheckpointError, GeometryError, IcelensError
from icelens.core.events import OnEvent, Progress, ignore
from icelens.core.fourier.crop import crop_rfft
from icelens.core.fourier.transforms import volume_from_rfft, volume_rfft
from icelens.tasks.hetero.hetero_run import RunFacts
from icelens.tasks.hetero.image_batches import batch_of
from icelens.tasks.hetero.linear.linear_model import LinearModel, read_linear_model
from icelens.tasks.hetero.network.build import build_network
from icelens.tasks.hetero.network.component_part import ComponentPart
from icelens.tasks.hetero.network.coordinate_decoder import is_upper
from icelens.tasks.hetero.network.decoder import Decoder
from icelens.tasks.hetero.network.hetero_network import HeteroNetwork
from icelens.tasks.hetero.network.network_settings import NetworkSettings
from icelens.tasks.hetero.particle_rows import ParticleRows, particle_rows
from icelens.tasks.hetero.prepared_images import PreparedImages
from icelens.training.checkpoint import load_checkpoint
from icelens.training.device import Compute, autocast, choose_compute

_POINTS_AT_ONCE = 1 << 14
_PARTICLES_AT_ONCE = 256
_NUMBERS_KEPT = 1 << 28
"""Of the first layer, shared by all volumes: half a gigabyte in bfloat16."""


class NetworkModel:
    """Volumes at latents, and latents of images; see `VolumeModel`."""

    def __init__(
        self,
        network: HeteroNetwork,
        pixel_size: float,
        compute: Compute,
        *,
        tilts: int = 0,
        linear: LinearModel | None = None,
    ) -> None:
        """Take a network.

        Args:
            network: In any mode; it is put into evaluation.
            pixel_size: Of its volumes, in Å/px.
            compute: Where and how precisely.
            tilts: Images of a tilt series that it looks at; 0 for all.
            linear: The model whose posterior its encoder is told.
        """
        self.network = network.to(compute.device).eval()
        self.latent_dim = network.settings.latent_dim
        self.box_size = network.settings.box_size
        self.pixel_size = pixel_size
        self.has_halves = network.settings.has_halves
        self._compute = compute
        self._tilts = tilts
        self._linear = linear

    @torch.inference_mode()
    def volumes(
        self,
        latent: Float[Tensor, "state latent_dim"],
        *,
        half: int = 0,
        box_size: int | None = None,
    ) -> Iterator[Float[Tensor, "n n n"]]:
        """Maps at latents, one at a time; see `VolumeModel.volumes`.

        Raises:
            GeometryError: If latents have another dimension, or a half is asked of a whole.
        """
        self._check(latent, half, box_size)
        side = box_size or self.box_size
        decoders = [self._decoder(number) for number in ([half] if half else [1, 2])]
        if not self.has_halves:
            decoders = [self._decoder(1)]
        index, points = self._points(side)
        embedded = [self._embedded(decoder, points) for decoder in decoders]
        inside = latent.to(self._compute.device, torch.float32) / self.network.latent_scale
        for each in inside:
            parts = [
                self._spectrum(decoder, each, index, points, shared, side)
                for decoder, shared in zip(decoders, embedded, strict=True)
            ]
            spectrum = torch.stack(parts).mean(0) if len(parts) > 1 else parts[0]
            # a transform is a sum over voxels, of which a coarser grid has fewer
            yield volume_from_rfft(spectrum * (side / self.box_size) ** 3, side).cpu()

    @torch.inference_mode()
    def encode(self, images: PreparedImages, on_event: OnEvent = ignore) -> LatentTable:
        """Means and deviations of the latents of all particles that images show.

        Raises:
            GeometryError: If the model knows no latents of other images, or the grids differ.
        """
        rows = particle_rows(images.particles, tilts=self._tilts, seed=0)
        if self.network.encoder is None:
            raise GeometryError(
                f"a model of kind {self.network.settings.model} knows the latents of the particles "
                "it was trained on alone; train a VAE to look at others"
            )
        own = self.network.settings
        if (images.box_size, images.facts.radius) != (own.box_size, own.radius):
            raise GeometryError(
                f"images of {images.box_size} px up to shell {images.facts.radius}, the model was "
                f"trained on {own.box_size} px up to shell {own.radius}; prepare them alike"
            )
        known = torch.zeros(len(rows), 0, 2)
        if self._linear is not None:
            known = known_of(self._linear, self._linear.encode(images, on_event))
        return encoded(self.network, images, rows, known, self._compute, on_event)

    def _decoder(self, number: int) -> Decoder:
        decoder = self.network.decoders[number - 1 if self.has_halves else 0]
        assert isinstance(decoder, Decoder)
        return decoder

    def _points(self, side: int) -> tuple[Tensor, Float[Tensor, "point 3"]]:
        """Places in a half transform, and frequencies in cycles per box, that the network knows."""
        device = self._compute.device
        whole = torch.fft.fftfreq(side, 1.0 / side, device=device)
        half = torch.fft.rfftfreq(side, 1.0 / side, device=device)
        z, y, x = torch.meshgrid(whole, whole, half, indexing="ij")
        limit = min(self.network.settings.radius + 0.5, side / 2 - 0.5)
        is_known = (x * x + y * y + z * z <= limit * limit).flatten()
        is_known[0] = False
        index = is_known.nonzero().squeeze(1)
        points = torch.stack([x.flatten()[index], y.flatten()[index], z.flatten()[index]], dim=1)
        return index, points

    def _embedded(
        self, decoder: Decoder, points: Float[Tensor, "point 3"]
    ) -> list[tuple[Tensor, ...]] | None:
        """What all volumes share, if it fits into memory; else it is made for each anew."""
        if len(points) * decoder.num_embedded > _NUMBERS_KEPT:
            return None
        with autocast(self._compute):
            return [decoder.embedded_points(part) for part, _ in _lower_halves(points)]

    def _spectrum(
        self,
        decoder: Decoder,
        latent: Float[Tensor, " latent"],
        index: Tensor,
        points: Float[Tensor, "point 3"],
        shared: list[tuple[Tensor, ...]] | None,
        side: int,
    ) -> Complex[Tensor, "z y x_half"]:
        half = side // 2 + 1
        spectrum = torch.zeros(side * side * half, dtype=torch.cfloat, device=index.device)
        values = []
        for number, (part, is_mirrored) in enumerate(_lower_halves(points)):
            with autocast(self._compute):
                embedded = decoder.embedded_points(part) if shared is None else shared[number]
                value = decoder.points(latent, part, embedded)
            values.append(torch.where(is_mirrored, value.conj(), value))
        spectrum[index] = torch.cat(values)
        spectrum = spectrum.reshape(side, side, half)
        if decoder.start is not None:
            spectrum = spectrum + self._start(decoder.start, latent, side)
        return spectrum

    def _start(
        self, start: ComponentPart, latent: Float[Tensor, " latent"], side: int
    ) -> Complex[Tensor, "z y x_half"]:
        """Transform of the volume that the network adds to, cut to a smaller box."""
        volume = start.volume(start.coefficients(latent[None])[0])
        # on the scale of the whole box, as what the network says
        return crop_rfft(volume_rfft(volume), self.box_size, side, num_axes=3, power=0)

    def _check(self, latent: Tensor, half: int, box_size: int | None) -> None:
        if latent.ndim != 2 or latent.shape[1] != self.latent_dim:
            raise GeometryError(
                f"latents of shape {tuple(latent.shape)}, expected (state, {self.latent_dim})"
            )
        if half not in (0, 1, 2) or (half and not self.has_halves):
            raise GeometryError(
                f"half {half} of a model {'of two' if self.has_halves else 'without'} halves; "
                "train with --halves"
            )
        if box_size is not None and (box_size > self.box_size or box_size < 4 or box_size % 2):
            raise GeometryError(
                f"volumes of {box_size} px from a model of {self.box_size}; expected an even "
                "number from 4 to that"
            )


def _lower_halves(
    points: Float[Tensor, "point 3"],
) -> Iterator[tuple[Float[Tensor, "point 3"], Tensor]]:
    """Points in pieces, those of the upper half mirrored, and which of them were."""
    for start in range(0, len(points), _POINTS_AT_ONCE):
        part = points[start : start + _POINTS_AT_ONCE]
        is_mirrored = is_upper(part.mT)
        yield torch.where(is_mirrored[:, None], -part, part), is_mirrored


@torch.inference_mode()
def encoded(
    network: HeteroNetwork,
    images: PreparedImages,
    rows: ParticleRows,
    known: Tensor,
    compute: Compute,
    on_event: OnEvent = ignore,
) -> LatentTable:
    """Latents of all particles, by the encoder or from the table of a network.

    Args:
        network: Put into evaluation mode.
        images: That it looks at.
        rows: Which show each particle.
        known: `(particle, component, 2)`, see `ImageBatch`.
        compute: Where and how precisely.
        on_event: Hears progress.
    """
    network.eval()
    means, deviations = [], []
    no_samples = (torch.zeros(0, dtype=torch.long), torch.zeros(0))
    for start in range(0, len(rows), _PARTICLES_AT_ONCE):
        places = np.arange(start, min(start + _PARTICLES_AT_ONCE, len(rows)))
        noise = torch.zeros(len(places), network.settings.latent_dim)
        batch = batch_of(images, rows, places, noise, known[places], no_samples)
        with autocast(compute):
            mean, log_variance = network.latent(batch)
        means.append((mean.float() * network.latent_scale).cpu())
        deviations.append(((0.5 * log_variance.float()).exp() * network.latent_scale).cpu())
        on_event(Progress("latents", int(places[-1]) + 1, len(rows), "particle"))
    deviation = torch.cat(deviations).double().numpy()
    is_table = network.encoder is None
    return LatentTable(
        latent=torch.cat(means).double().numpy(),
        particle=rows.particle,
        row=rows.first,
        deviation=np.full_like(deviation, math.nan) if is_table else deviation,
        half_set=rows.half_set,
    )


def known_of(model: LinearModel, table: LatentTable) -> Float[Tensor, "particle component 2"]:
    """What a linear model knows of particles, as networks are told it: with a prior of 1."""
    parts = np.stack([table.latent, table.deviation], axis=-1)
    return torch.from_numpy(parts).float() / model.spread[:, None].cpu().float()


def describe(settings: NetworkSettings, pixel_size: float, tilts: int) -> dict[str, Any]:
    """What must be known of a network to use it; stored in the checkpoint."""
    return {
        "task": "hetero",
        "network": settings.model_dump(mode="json"),
        "pixel_size": pixel_size,
        "tilts": tilts,
    }


def read_network_model(
    folder: Path, facts: RunFacts | None = None, device: torch.device | str = "cpu"
) -> NetworkModel:
    """Read the network of a run folder, or of a checkpoint file.

    Raises:
        CheckpointError: If it is missing, damaged, or not of hetero.
    """
    del facts
    checkpoint = load_checkpoint(folder)
    known: Mapping[str, Any] = checkpoint.description
    if known.get("task") != "hetero":
        raise CheckpointError(
            f"{checkpoint.path}: a checkpoint of {known.get('task', 'an unknown task')}, expected "
            "one of hetero; give a run of `icelens hetero train`"
        )
    infinite = [name for name, each in checkpoint.tensors.items() if not each.isfinite().all()]
    if infinite:
        raise CheckpointError(
            f"{checkpoint.path}: {infinite[0]} holds numbers that are not finite; copy it again, "
            "or train again with a smaller --learning-rate"
        )
    try:
        network = build_network(known["network"])
        network.load_state_dict(dict(checkpoint.tensors))
        pixel_size, tilts = float(known["pixel_size"]), int(known.get("tilts", 0))
    except (LookupError, TypeError, ValueError, RuntimeError, IcelensError) as error:
        raise CheckpointError(
            f"{checkpoint.path}: its description is damaged or does not fit its weights "
            f"({type(error).__name__}); copy it again or train again"
        ) from error
    compute = choose_compute(str(device), "auto", torch.get_num_threads())
    linear = None
    if network.settings.num_components:
        linear = read_linear_model(checkpoint.path.parent, None, device)
    return NetworkModel(network, pixel_size, compute, tilts=tilts, linear=linear)
