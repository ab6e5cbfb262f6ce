"""What a network of hetero starts from: a linear model, the map of all images, or nothing."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from icelens.core.events import Message, Saved
from icelens.core.fourier.filters import apply_filter
from icelens.core.fourier.shells import shell_counts, shell_sums
from icelens.core.fourier.transforms import volume_rfft
from icelens.core.fourier.wiener import HalfMaps
from icelens.core.optics.correction import radial
from icelens.jobs.run import Run
from icelens.tasks.hetero.learning_images import LearningImages
from icelens.tasks.hetero.linear.fitted_model import model_of_fit
from icelens.tasks.hetero.linear.linear_model import MODEL_NAME, LinearModel, read_linear_model
from icelens.tasks.hetero.linear.linear_run import fit_of
from icelens.tasks.hetero.network.build import build_network
from icelens.tasks.hetero.network.decoder import Decoder
from icelens.tasks.hetero.network.hetero_network import HeteroNetwork
from icelens.tasks.hetero.network_model import known_of
from icelens.tasks.hetero.train_settings import TrainConfig

_CONTRAST_STD = 0.1
"""Of how strongly particles show, to begin with; it is measured then."""


@dataclass(frozen=True, eq=False)
class StartingPoint:
    """What is known before a network learns.

    Attributes:
        linear: The linear model, if it is the start: not if its components are noise.
        known: `(particle, component, 2)` mean and deviation of its coefficients.
    """

    linear: LinearModel | None
    known: Float[Tensor, "particle component 2"]


def starting_point(config: TrainConfig, learning: LearningImages, run: Run) -> StartingPoint:
    """Fit a linear model, or take that of the run that is resumed, where one is the start."""
    nothing = torch.zeros(len(learning.rows), 0, 2)
    if config.start != "linear" or config.model == "homogeneous":
        return StartingPoint(None, nothing)
    if run.resume and (run.folder / MODEL_NAME).is_file():
        linear = read_linear_model(run.folder, None, learning.images.device)
    else:
        fit = fit_of(
            learning, config.components, contrast_std=_CONTRAST_STD, seed=config.seed, run=run
        )
        linear = model_of_fit(fit, learning.images, tilts=config.tilts)
        linear.save(run.folder)
        run.on_event(Saved(run.folder / MODEL_NAME, "model"))
    if not linear.num_significant:
        run.on_event(
            Message(
                "no component of the linear model is more than noise: starting from the map of all "
                "images alone"
            )
        )
        return StartingPoint(None, nothing)
    run.on_event(Message(f"starting from a linear model of {linear.latent_dim} components"))
    return StartingPoint(linear, known_of(linear, linear.encode(learning.images, run.on_event)))


def network_parts(config: TrainConfig) -> dict[str, Any]:
    """What of a network the user chose, whatever the images."""
    # another package's decoder knows its own settings alone
    is_ours = config.decoder == "coordinates"
    shape = {"width": config.width, "num_layers": config.num_layers} if is_ours else {}
    return {
        "model": config.model,
        "encoder": config.encoder,
        "encoder_settings": config.encoder_settings,
        "decoder": config.decoder,
        "decoder_settings": shape | config.decoder_settings,
    }


def new_network(
    config: TrainConfig, learning: LearningImages, start: StartingPoint, latent_dim: int
) -> HeteroNetwork:
    """A network whose first volumes and latents are those of its start."""
    images = learning.images
    kind = "map" if config.start == "linear" and start.linear is None else config.start
    network = build_network(
        network_parts(config)
        | {
            "box_size": images.box_size,
            "radius": images.facts.radius,
            "latent_dim": latent_dim,
            "num_particles": len(learning.rows),
            "num_images": len(images),
            "has_halves": config.halves,
            "start": kind,
            "num_components": start.known.shape[1],
            "support": min(1.0, images.facts.mask_diameter / (images.box_size * images.pixel_size)),
            "has_poses": config.refine_poses,
        }
    )
    channels = _channels(learning.halves, start.linear, has_halves=config.halves)
    for decoder, own in zip(network.decoders, channels, strict=True):
        assert isinstance(decoder, Decoder)
        decoder.set_scale(_strength(learning.halves.full))
        if decoder.start is not None:
            decoder.start.set_channels(own)
    if start.linear is not None:
        spread = start.linear.spread.to(network.latent_scale)[:latent_dim]
        network.latent_scale.fill_(float(spread.min()))
        network.latent_scale[: len(spread)] = spread
    if config.model == "autodecoder":
        _fill_table(network.table, start)
    return network


def _channels(
    halves: HalfMaps, linear: LinearModel | None, *, has_halves: bool
) -> list[Float[Tensor, "channel n n n"]]:
    """Map and components for each decoder; those of a half set know nothing of the other."""
    if linear is not None:
        # coefficients have a prior of 1 inside of the network
        unit = torch.cat([linear.spread.new_ones(1), linear.spread])[:, None, None, None]
        wanted = (1, 2) if has_halves else (0,)
        return [linear.channels(half) * unit.to(linear.mean) for half in wanted]
    if not has_halves:
        return [halves.full[None]]
    # what both halves agree on: a half map by itself holds the noise of its shells
    weight = halves.fsc.correlation.nan_to_num(0.0).clamp(min=0.0, max=1.0)
    curve = radial(weight.to(halves.full), _shape(halves.full))
    return [apply_filter(each, curve)[None] for each in (halves.half_1, halves.half_2)]


def _fill_table(table: nn.Parameter, start: StartingPoint) -> None:
    """Latents of the linear model, and small random numbers where it has none."""
    shared = min(table.shape[1], start.known.shape[1])
    nn.init.normal_(table, std=0.1)
    with torch.no_grad():
        table[:, :shared] = start.known[:, :shared, 0]


def _strength(density: Float[Tensor, "n n n"]) -> Float[Tensor, " shell"]:
    """Root mean square of a map's transform in each shell, nowhere quite zero."""
    power = volume_rfft(density).abs().square()
    counts = shell_counts(_shape(density), device=density.device).clamp(min=1)
    strength = (shell_sums(power, density.shape[-1]) / counts).float().sqrt()
    strength = strength[: density.shape[-1] // 2 + 1]
    return strength.clamp(min=1e-3 * float(strength[1:].max()))


def _shape(density: Tensor) -> tuple[int, int, int]:
    z, y, x = density.shape
    return z, y, x
