"""Train a network of hetero: images, network and objective handed to the loop."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from icelens.core.events import Message, Saved
from icelens.core.io.latent_table import write_latents
from icelens.jobs.run import Run
from icelens.tasks.hetero.hetero_run import LATENTS_NAME, POSES_NAME
from icelens.tasks.hetero.image_batches import ImageBatches
from icelens.tasks.hetero.latent_weight import LatentWeight
from icelens.tasks.hetero.learning_images import LearningImages, learning_images
from icelens.tasks.hetero.network.build import check_parts
from icelens.tasks.hetero.network.hetero_network import POSE_UNIT, HeteroNetwork
from icelens.tasks.hetero.network_model import describe, encoded, read_network_model
from icelens.tasks.hetero.objective import HeteroObjective
from icelens.tasks.hetero.refined_poses import write_refined_poses
from icelens.tasks.hetero.sample_choice import SampleChoice
from icelens.tasks.hetero.starting_point import (
    StartingPoint,
    network_parts,
    new_network,
    starting_point,
)
from icelens.tasks.hetero.train_report import report_training
from icelens.tasks.hetero.train_settings import TrainConfig
from icelens.training.device import (
    Compute,
    choose_compute,
    keep_freed_memory,
    memory_bytes,
    use_threads,
)
from icelens.training.distributed import num_processes, share_of
from icelens.training.ending import say_how_it_ended
from icelens.training.loop import FitResult, FitSettings, fit
from icelens.training.seed import seed_everything

_WEIGHT_OF_BEGINNERS = 0.06
"""Of the prior of latents, where an encoder knows nothing at first: with 1 its latents fall to the
prior before they say anything. About that of cryoDRGN's default for eight coordinates."""


def train(config: TrainConfig, run: Run) -> Path:
    """Train, write the latents of all particles, and return the run's folder.

    Raises:
        StoppedEarly: If the time limit came first.
    """
    compute = choose_compute(config.device, config.precision, config.threads)
    use_threads(compute)
    keep_freed_memory(compute)
    latent_dim = 0 if config.model == "homogeneous" else config.latent_dim
    # before hours are spent on images
    check_parts(network_parts(config) | {"latent_dim": latent_dim})
    share_of(config.batch_size, part=0, num_parts=config.accumulate)
    learning = learning_images(
        config, run, kind=config.model, latent_dim=latent_dim, device=compute.device
    )
    if not run.resume:
        _remove_earlier(run.folder)
    seed_everything(config.seed)
    start = starting_point(config, learning, run)
    network = new_network(config, learning, start, latent_dim)
    result = _fit(config, learning, start, network, compute, run)
    trained = read_network_model(result.checkpoint, None, compute.device)
    table = encoded(
        trained.network, learning.images, learning.rows, start.known, compute, run.on_event
    )
    if latent_dim:
        write_latents(run.folder / LATENTS_NAME, table)
        run.on_event(Saved(run.folder / LATENTS_NAME, "latents"))
    if config.refine_poses:
        write_refined_poses(trained.network, learning, run)
    report_training(trained, table, learning, start, run)
    say_how_it_ended(result, run.on_event)
    return run.folder


def _remove_earlier(folder: Path) -> None:
    """Take away latents and poses of an earlier run, which would be taken for those of this one."""
    names = (LATENTS_NAME, POSES_NAME)
    for each in [*(folder / name for name in names), *(folder / "latents").glob("epoch_*.csv")]:
        each.unlink(missing_ok=True)


@dataclass(frozen=True)
class Steps:
    """How many steps make an epoch, and all of them."""

    of_epoch: int
    total: int

    @staticmethod
    def of(config: TrainConfig, num_particles: int) -> "Steps":
        """Steps of a training."""
        of_epoch = max(1, round(num_particles / _batch_size(config, num_particles)))
        return Steps(of_epoch, of_epoch * config.epochs)


def _batch_size(config: TrainConfig, num_particles: int) -> int:
    """Particles of a step: as many as are wanted, but none of them twice."""
    evenly = config.accumulate * num_processes()
    return min(config.batch_size, max(1, num_particles // evenly) * evenly)


def _fit(
    config: TrainConfig,
    learning: LearningImages,
    start: StartingPoint,
    network: HeteroNetwork,
    compute: Compute,
    run: Run,
) -> FitResult:
    images, rows = learning.images, learning.rows
    steps = Steps.of(config, len(rows))
    batch_size = _batch_size(config, len(rows))
    batches = ImageBatches(
        images,
        rows,
        _choice(config, learning, steps),
        latent_dim=network.settings.latent_dim,
        known=start.known,
        batch_size=batch_size,
        seed=config.seed,
        is_streamed=4 * len(images.samples.index) * len(images) > memory_bytes(torch.device("cpu")),
    )
    weight = config.latent_weight
    usual = 1.0 if config.start == "linear" else _WEIGHT_OF_BEGINNERS
    objective = HeteroObjective(
        LatentWeight(
            weight=usual if weight.weight is None else weight.weight,
            warmup=weight.warmup_epochs * len(rows.rows),
            schedule=weight.schedule,
            target=weight.target,
            control=weight.control,
        ),
        num_samples=len(images.samples.index),
        independence=images.facts.independence,
        turn_deviation=math.radians(config.turn_deviation) * images.facts.radius / POSE_UNIT,
        shift_deviation=config.shift_deviation / images.pixel_size / POSE_UNIT,
    )
    return fit(
        network,
        objective,
        batches,
        FitSettings(
            num_steps=steps.total,
            batch_size=batch_size,
            learning_rate=config.learning_rate,
            min_learning_rate=0.02 * config.learning_rate,
            warmup_steps=min(100, steps.total // 10),
            weight_decay=config.weight_decay,
            ema_decay=config.ema_decay,
            gradient_clip=0.0,
            accumulate=config.accumulate,
            save_every=steps.of_epoch * config.keep_every,
            validate_every=steps.total,
            compile=config.compile,
            time_limit=None if config.time_limit is None else 60.0 * config.time_limit,
        ),
        compute=compute,
        folder=run.folder,
        describe=describe(network.settings, images.pixel_size, config.tilts),
        seed=config.seed,
        resume=run.resume,
        on_event=run.on_event,
        at_save=_keeper(learning, start, compute, steps, run),
    )


def _choice(config: TrainConfig, learning: LearningImages, steps: Steps) -> SampleChoice:
    images = learning.images
    width = images.box_size * images.pixel_size
    radius = images.facts.radius
    first = radius
    if config.first_resolution is not None:
        first = min(radius, max(2, int(width / config.first_resolution)))
    return SampleChoice(
        images.samples,
        share=config.sample_share,
        always=int(width / config.sure_resolution),
        first_radius=first,
        num_steps=steps.total // 2 if first < radius else 0,
        seed=config.seed,
    )


def _keeper(
    learning: LearningImages, start: StartingPoint, compute: Compute, steps: Steps, run: Run
) -> Callable[[nn.Module, int], None]:
    """Keeps the latents of an epoch, to look at convergence later."""
    folder = run.folder / "latents"

    def keep(network: nn.Module, step: int) -> None:
        assert isinstance(network, HeteroNetwork)
        if not network.settings.latent_dim or step % steps.of_epoch:
            return
        folder.mkdir(exist_ok=True)
        table = encoded(network, learning.images, learning.rows, start.known, compute)
        write_latents(folder / f"epoch_{step // steps.of_epoch:04d}.csv", table)
        run.on_event(Message(f"epoch {step // steps.of_epoch} kept"))

    return keep
