"""Train one network for each half set of particles with known poses."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import nn

from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.errors import StoppedEarly
from icelens.core.events import Message, Metrics, Progress, Saved
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.particle_sums import insert_particles
from icelens.core.fourier.wiener import reconstruct_map
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.volumes import write_volume
from icelens.core.optics.image_source import ImageSource
from icelens.jobs.parts import part_of
from icelens.jobs.run import Run
from icelens.tasks.pose.batches import LabelledImages, PoseBatches
from icelens.tasks.pose.confidence import DirectionalScores
from icelens.tasks.pose.half_sets import Integers, half_sets, hold_out
from icelens.tasks.pose.held_out import HeldOut, Judge, in_words, judge
from icelens.tasks.pose.learning_setup import (
    augmentation_of,
    check_images,
    fit_settings,
    image_shape,
    labelled_images,
    make_network,
    start_of,
)
from icelens.tasks.pose.model import (
    HALF_FOLDERS,
    REFERENCE_NAME,
    PoseReader,
    describe,
    read_model,
)
from icelens.tasks.pose.network.rotation_network import RotationNetwork
from icelens.tasks.pose.network_images import ImageShape
from icelens.tasks.pose.objective import PoseObjective
from icelens.tasks.pose.pretraining import SimulatedImages
from icelens.tasks.pose.sharpness import fitted_sharpness
from icelens.tasks.pose.train_report import report_half
from icelens.tasks.pose.train_settings import TrainConfig
from icelens.training.checkpoint import amend_checkpoint
from icelens.training.device import Compute, choose_compute, keep_freed_memory
from icelens.training.distributed import is_main_process
from icelens.training.ending import say_how_it_ended
from icelens.training.loop import FitResult, fit
from icelens.training.seed import derive_seed, seed_everything

FEW_STEPS = 400
"""Before it, the error on held-out particles is mostly still that of chance."""


@dataclass(frozen=True, eq=False)
class Learning:
    """What the learning of a half set needs; all but its number is the same for the other.

    Attributes:
        config: The settings.
        particles: All of them.
        reader: Of their images.
        shape: How images are laid before the network.
        compute: Where.
        half_set: Which particles are learnt from; 0 means all.
    """

    config: TrainConfig
    particles: Particles
    reader: ImageReader
    shape: ImageShape
    compute: Compute
    half_set: int = 0

    @property
    def seed(self) -> int:
        """Of everything that is drawn for this half set."""
        return derive_seed(self.config.seed, self.half_set) % 2**31


def train(config: TrainConfig, run: Run) -> Path:
    """Train, and return the folder of the model.

    Raises:
        StoppedEarly: If the time limit came first.
    """
    deadline = None if config.time_limit is None else time.monotonic() + 60.0 * config.time_limit
    symmetry_operators(config.symmetry)
    compute = choose_compute(config.device, config.precision, config.threads)
    keep_freed_memory(compute)
    file = read_particles(
        config.particles, stack_root=config.stack_root, need_poses=True, on_event=run.on_event
    )
    particles = file.particles
    reader = ImageReader(particles, on_event=run.on_event)
    shape = image_shape(config, particles)
    run.on_event(
        Message(
            f"{len(particles)} images; the network sees {shape.box_size} px at "
            f"{shape.pixel_size:.3g} Å/px, within {2 * shape.mask_radius:.0f} Å"
        )
    )
    check_images(particles, reader, run.on_event)
    learning = Learning(config, particles, reader, shape, compute)
    for half_set, rows in rows_by_half(learning, run).items():
        left = None if deadline is None else (deadline - time.monotonic()) / 60.0
        if left is not None and left <= 0:
            raise StoppedEarly("the time limit was reached; `--resume` continues")
        name = HALF_FOLDERS[half_set].replace("_", " ")
        timed = config.model_copy(update={"time_limit": left})
        own = replace(learning, config=timed, half_set=half_set)
        with part_of(run, run.folder / HALF_FOLDERS[half_set], name, resume=run.resume) as part:
            held_out = train_half(own, rows, part)
        report_half(held_out, run.folder / HALF_FOLDERS[half_set], name, run)
    return run.folder


def rows_by_half(learning: Learning, run: Run) -> Mapping[int, Integers]:
    """Rows of each half set that gets a network; all of them under 0 where halves are not asked."""
    config, particles = learning.config, learning.particles
    if not config.halves:
        return {0: np.arange(len(particles))}
    half_set = half_sets(particles, seed=config.seed, on_event=run.on_event)
    return {number: np.flatnonzero(half_set == number) for number in (1, 2)}


def train_half(learning: Learning, rows: Integers, run: Run) -> HeldOut:
    """Train the network of one half set; its answers for what it never saw."""
    config = learning.config
    learnt, held_out = hold_out(
        learning.particles,
        rows,
        share=config.validation,
        most=config.max_validation,
        seed=config.seed,
    )
    if config.overfit is not None:
        learnt = held_out = rows[: config.overfit]
    seed_everything(learning.seed)  # the first weights are drawn, too
    start = start_of(config.pretrained, learning.half_set)
    network = make_network(config, start, run.on_event)
    if config.simulate_from is not None:
        _learn_simulated(learning, network, learnt, held_out, run)
    data, check = (_images(learning, part, learning.reader, run) for part in (learnt, held_out))
    warn_of_few_steps(config, len(data), run)
    result = _fit(learning, network, data, check, config.epochs, run)
    best = read_model(result.checkpoint)
    sharpness = fitted_sharpness(best.network, check, learning.shape, learning.compute)
    reader = PoseReader(
        best.network, config.symmetry, learning.shape, learning.compute, sharpness=sharpness
    )
    answers = judge(reader, check, config.symmetry, pixel_size=learning.shape.pixel_size)
    scores = DirectionalScores.of(answers.rotation, answers.probability, config.symmetry)
    if is_main_process():
        amend_checkpoint(
            result.checkpoint,
            {
                "validation": answers.summary(),
                "sharpness": sharpness,
                "confidence": {"scores": scores.to_json()},
            },
        )
        write_reference(learning, learnt, result.checkpoint.parent, run)
    run.on_event(Message(f"best step {result.best_step}: {in_words(answers.summary())}"))
    say_how_it_ended(result, run.on_event)
    return answers


def warn_of_few_steps(config: TrainConfig, num_images: int, run: Run) -> None:
    """Say so if a network can hardly have learnt orientations by the end."""
    num_steps = fit_settings(config, num_images, config.epochs).num_steps
    if num_steps < FEW_STEPS and config.pretrained is None:
        enough = -(-FEW_STEPS * config.batch_size // num_images)
        run.on_event(
            Message(
                f"{num_steps} steps on {num_images} images are few: noisy images often need "
                f"{FEW_STEPS} before orientations are seen; --epochs {enough} may be needed",
                "warning",
            )
        )


def _learn_simulated(
    learning: Learning,
    network: RotationNetwork,
    learnt: Integers,
    held_out: Integers,
    run: Run,
) -> None:
    """Give the network the weights that it gets on simulated images of the same particles."""
    config = learning.config
    assert config.simulate_from is not None
    reader = SimulatedImages(
        config.simulate_from,
        learning.particles,
        snr=config.simulated_snr,
        seed=learning.seed,
        on_event=run.on_event,
    )
    with part_of(run, run.folder / "simulated", "simulated", resume=run.resume) as part:
        data, check = (_images(learning, rows, reader, part) for rows in (learnt, held_out))
        result = _fit(learning, network, data, check, config.simulated_epochs, part)
    network.load_state_dict(read_model(result.checkpoint).network.state_dict())


def write_reference(learning: Learning, rows: Integers, folder: Path, run: Run) -> Path:
    """Reconstruct the map of the particles that were learnt from: what refinement compares with."""
    particles = learning.particles
    group = particles.optics[int(particles.optics_index[rows[0]])]
    sums = SliceSums(group.box_size, device=learning.compute.device)
    insert_particles(
        sums,
        ImageSource(particles, learning.reader, learning.compute.device),
        rows,
        pixel_size=group.pixel_size,
        on_done=lambda done: run.on_event(Progress("reference map", done, len(rows), "image")),
    )
    density = reconstruct_map(sums, symmetry=learning.config.symmetry)
    path = folder / REFERENCE_NAME
    write_volume(path, Volume(density.float().cpu().numpy(), group.pixel_size))
    run.on_event(Saved(path, "volume"))
    return path


def _images(
    learning: Learning, rows: Integers, reader: ImageReader | SimulatedImages, run: Run
) -> LabelledImages:
    return labelled_images(
        learning.particles,
        rows,
        learning.shape,
        reader,
        use_weights=learning.config.use_weights,
        on_event=run.on_event,
    )


def _fit(
    learning: Learning,
    network: RotationNetwork,
    data: LabelledImages,
    check: LabelledImages,
    epochs: int,
    run: Run,
) -> FitResult:
    config, compute = learning.config, learning.compute

    def reader_of(trained: nn.Module) -> PoseReader:
        return PoseReader(trained, config.symmetry, learning.shape, compute)

    judging = Judge(check, config.symmetry, learning.shape.pixel_size, reader_of, run.on_event)

    def tell(_: nn.Module, step: int) -> None:
        if judging.latest is not None:
            run.on_event(Metrics(step, judging.latest))

    objective = PoseObjective(
        config.max_degree,
        symmetry_operators(config.symmetry),
        grid_order=config.grid_order,
        target_width=config.target_width,
        label_smoothing=config.label_smoothing,
        shift_weight=config.shift_weight,
        device=compute.device,
    )
    batches = PoseBatches(
        data,
        learning.shape,
        batch_size=config.batch_size,
        augmentation=augmentation_of(config),
        seed=learning.seed,
        device=compute.device,
    )
    return fit(
        network,
        objective,
        batches,
        fit_settings(config, len(data), epochs),
        compute=compute,
        folder=run.folder,
        describe=describe(network.settings, config.symmetry, learning.shape, learning.half_set),
        seed=learning.seed,
        resume=run.resume,
        on_event=run.on_event,
        validate=judging,
        at_save=tell,
    )
