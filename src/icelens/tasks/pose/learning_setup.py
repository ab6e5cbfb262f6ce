"""From settings to what the training loop needs: shape of images, network, lengths."""

import math
from pathlib import Path

import numpy as np
import torch
from pydantic import JsonValue

from icelens.core.data.particles import Particles
from icelens.core.errors import CheckpointError, MetadataError
from icelens.core.events import Message, OnEvent, Progress
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.io.image_stacks import ImageReader
from icelens.tasks.pose.augment import Augmentation
from icelens.tasks.pose.batches import LabelledImages
from icelens.tasks.pose.half_sets import Integers
from icelens.tasks.pose.model import PoseModel, read_models
from icelens.tasks.pose.network.build import build_network
from icelens.tasks.pose.network.rotation_network import RotationNetwork
from icelens.tasks.pose.network_images import (
    ImageShape,
    ImageSupply,
    read_network_images,
    same_optics,
)
from icelens.tasks.pose.train_settings import TrainConfig
from icelens.training.loop import FitSettings

_MASK_SHARE = 0.95
_MOST_ZOOM = 8.0
"""Beyond this the images are a dot in the network's box, or a dot of them fills it."""
_LEAST_MASK = 4
"""Px; nothing has an orientation in fewer."""
_CHECKED_AT_ONCE = 256
_LEAST_FOR_I = 6
"""Lowest degree of a function that the group of the icosahedron leaves as it is."""


def image_shape(config: TrainConfig, particles: Particles) -> ImageShape:
    """Sampling and mask: as asked, else so that the whole box of the images fits.

    Raises:
        MetadataError: If the mask is larger than the network's box.
    """
    extent = float((particles.pixel_size() * particles.box_size()).min())
    pixel_size = config.pixel_size
    if pixel_size is None:
        # never finer than the data: what is not in the images cannot be seen
        pixel_size = max(extent / config.box_size, float(particles.pixel_size().max()))
    side = config.box_size * pixel_size
    is_asked = config.pixel_size is not None
    if is_asked and not extent / _MOST_ZOOM <= side <= extent * _MOST_ZOOM:
        raise MetadataError(
            f"--pixel-size {pixel_size:g} Å makes the network's box of {config.box_size} px "
            f"{side:g} Å wide, but the images are {extent:g} Å wide; leave it out, or choose one "
            f"near {extent / config.box_size:.3g} Å"
        )
    diameter = config.mask_diameter or _MASK_SHARE * min(side, extent)
    if diameter > side:
        raise MetadataError(
            f"--mask-diameter is {diameter:g} Å, but the network's box of {config.box_size} px at "
            f"{pixel_size:g} Å/px is {side:g} Å wide; choose a smaller mask, or a larger "
            "--box-size or --pixel-size"
        )
    if diameter < _LEAST_MASK * pixel_size:
        raise MetadataError(
            f"--mask-diameter is {diameter:g} Å, less than {_LEAST_MASK} px of {pixel_size:g} Å; "
            "choose one that holds the particle"
        )
    return ImageShape(config.box_size, pixel_size, diameter / 2.0, config.ctf == "phase-flip")


def check_images(particles: Particles, reader: ImageReader, on_event: OnEvent) -> None:
    """Read every image once, so that bad ones end a run before its first half set is learnt.

    Raises:
        InputFileError: If too many are not finite.
    """
    done = 0
    for rows in same_optics(particles, np.arange(len(particles)), _CHECKED_AT_ONCE):
        reader.read(rows)
        done += len(rows)
        on_event(Progress("check images", done, len(particles), "image"))


def labelled_images(
    particles: Particles,
    rows: Integers,
    shape: ImageShape,
    reader: ImageSupply,
    *,
    use_weights: bool,
    on_event: OnEvent,
) -> LabelledImages:
    """Read and prepare images with their poses; those that are not finite are left out."""
    images = read_network_images(particles, rows, shape, reader=reader, on_event=on_event)
    is_good = ~np.isin(rows, list(reader.bad_rows))
    if is_good.any() and not bool((images[torch.from_numpy(is_good)] != 0).any()):
        raise MetadataError(
            f"particles: each of {len(rows)} images holds one value alone, expected particles; "
            "look at the stacks"
        )
    kept = particles.take(rows[is_good])
    weight = kept.weight if use_weights else np.ones(len(kept))
    if not weight.any():
        raise MetadataError("particles: every weight is 0, nothing can be learnt; check them")
    return LabelledImages(
        images[torch.from_numpy(is_good)],
        torch.from_numpy(kept.rotation).float(),
        torch.from_numpy(kept.shift_yx / shape.pixel_size).float(),
        torch.from_numpy(weight).float(),
    )


def make_network(
    config: TrainConfig, start: PoseModel | None, on_event: OnEvent
) -> RotationNetwork:
    """The network as asked for, with the weights of another model if one is given.

    Raises:
        CheckpointError: If that has another network or symmetry.
    """
    settings: dict[str, JsonValue] = {
        "encoder": config.encoder,
        "encoder_settings": dict(config.encoder_settings),
        "box_size": config.box_size,
        "max_degree": config.max_degree,
        "sphere_channels": config.sphere_channels,
        "rotation_channels": config.rotation_channels,
    }
    network = build_network(settings, config.symmetry)
    warn_of_low_degree(config, on_event)
    if start is None:
        return network
    if start.network.settings != network.settings:
        raise CheckpointError(
            f"{start.path}: its network is {start.network.settings}, expected "
            f"{network.settings}; use the settings it was trained with"
        )
    if start.symmetry != config.symmetry:
        on_event(
            Message(
                f"{start.path} was trained for {start.symmetry}, now {config.symmetry} is learnt",
                "warning",
            )
        )
    network.load_state_dict(start.network.state_dict())
    return network


def warn_of_low_degree(config: TrainConfig, on_event: OnEvent) -> None:
    """Say so if harmonics are too coarse to tell how a symmetric particle is turned."""
    operators = symmetry_operators(config.symmetry)
    if len(operators) == 1:
        return
    # of all but the identity the smallest turn has the largest trace
    cosine = 0.5 * (operators[1:].diagonal(dim1=1, dim2=2).sum(dim=1).amax() - 1.0)
    fold = round(2.0 * math.pi / math.acos(float(cosine)))
    is_icosahedral = config.symmetry.strip().upper().startswith("I")
    needed = _LEAST_FOR_I if is_icosahedral else fold
    if config.max_degree < needed:
        on_event(
            Message(
                f"{config.symmetry} needs harmonics up to degree {needed} to tell how a particle "
                f"is turned, expected --max-degree {needed} or more instead of {config.max_degree}",
                "warning",
            )
        )


def start_of(path: Path | None, half_set: int) -> PoseModel | None:
    """The model to start a half set from: the same half, so that halves stay independent.

    Raises:
        CheckpointError: If it has none for it.
    """
    if path is None:
        return None
    models = read_models(path)
    if half_set not in models:
        raise CheckpointError(
            f"{path}: has no network for half set {half_set or 'all'}, only for "
            f"{', '.join(str(known or 'all') for known in models)}; train with the same --halves"
        )
    return models[half_set]


def augmentation_of(config: TrainConfig) -> Augmentation | None:
    """How images are varied; not at all where a few are to be learnt by heart."""
    if config.overfit is not None:
        return None
    return Augmentation(**config.augmentation.model_dump())


def fit_settings(config: TrainConfig, num_images: int, epochs: int) -> FitSettings:
    """Length and rates of a run over so many images."""
    steps = max(1, -(-epochs * num_images // config.batch_size))
    interval = max(1, steps // config.validations)
    return FitSettings(
        num_steps=steps,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        min_learning_rate=config.learning_rate / 100,
        warmup_steps=min(100, steps // 4),
        weight_decay=config.weight_decay,
        ema_decay=config.ema_decay,
        accumulate=config.accumulate,
        save_every=interval,
        validate_every=interval,
        patience=config.patience,
        compile=config.compile,
        time_limit=None if config.time_limit is None else config.time_limit * 60.0,
    )
