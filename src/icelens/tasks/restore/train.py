"""Train a restoration network: tomograms, network and objective handed to the loop."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from icelens.core.data.index_list import parse_indices
from icelens.core.data.tomograms import TomogramRow
from icelens.core.errors import CheckpointError
from icelens.core.events import Message
from icelens.core.io.tomogram_star import read_tomograms
from icelens.jobs.run import Run
from icelens.tasks.restore.averaged_network import Recalibration, Validation
from icelens.tasks.restore.inputs import Method, Reading, choose_method
from icelens.tasks.restore.network import build_network, load_weights
from icelens.tasks.restore.objective import Denoise, FillWedge
from icelens.tasks.restore.physics import Physics
from icelens.tasks.restore.preview import Previews
from icelens.tasks.restore.renewed_masks import prepare_rows
from icelens.tasks.restore.restorer import Restorer, default_plan
from icelens.tasks.restore.settings import SAME_SCALE, DenoiseConfig, RefineConfig, TrainConfig
from icelens.tasks.restore.spectral_loss import SpectralLoss
from icelens.tasks.restore.training_data import (
    batch_source,
    common_pixel_size,
    ctf_handling,
    open_crops,
    physics_of,
)
from icelens.training.checkpoint import load_checkpoint
from icelens.training.device import Compute, choose_compute, keep_freed_memory
from icelens.training.ending import say_how_it_ended
from icelens.training.loop import FitSettings, Objective, fit
from icelens.training.seed import seed_everything


def train(config: DenoiseConfig | RefineConfig, run: Run) -> Path:
    """Train a network on the listed tomograms and return its checkpoint."""
    compute = choose_compute(config.device, config.precision, config.threads)
    keep_freed_memory(compute)
    rows = list(read_tomograms(config.star).select(config.tomograms))
    method: Method = "denoise"
    if isinstance(config, RefineConfig):
        method = choose_method(rows, config.method)
        rows = prepare_rows(config, rows, run)
    run.on_event(Message(f"Method {method}, {len(rows)} tomograms"))
    seed_everything(config.seed)  # the first weights are drawn, too
    network = build_network(config.network)
    pixel_size = common_pixel_size(rows)
    if config.pretrained is not None:
        start_from(network, config, config.pretrained, pixel_size)
    physics = [physics_of(row, config, compute.device) for row in rows]
    crops = open_crops(config, rows, method)
    held_out = (
        open_crops(config, rows, method, held_out=True) if config.validation_fraction else None
    )
    objective = build_objective(config, method, physics)
    steps_per_epoch = crops.steps_per_epoch()
    result = fit(
        network,
        objective,
        batch_source(config, rows, method, crops, compute, run),
        fit_settings(config, steps_per_epoch),
        compute=compute,
        folder=run.folder,
        describe=describe(config, method, pixel_size),
        seed=config.seed,
        resume=run.resume,
        on_event=run.on_event,
        validate=None if held_out is None else Validation(objective, held_out, compute.device),
        at_save=previews(config, rows, method, network, compute, run, steps_per_epoch),
        finalise=Recalibration(crops, physics, config, compute.device),
    )
    say_how_it_ended(result, run.on_event)
    return result.checkpoint


def fit_settings(config: TrainConfig, steps_per_epoch: int) -> FitSettings:
    """Length and rates of the run, in steps."""
    return FitSettings(
        num_steps=config.epochs * steps_per_epoch,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        min_learning_rate=min(config.min_learning_rate, config.learning_rate),
        warmup_steps=config.warmup_steps,
        ema_decay=config.ema_decay,
        gradient_clip=config.gradient_clip,
        accumulate=config.accumulate,
        save_every=steps_per_epoch,
        validate_every=steps_per_epoch,
        patience=config.patience,
        compile=config.compile,
        time_limit=None if config.time_limit is None else config.time_limit * 60.0,
    )


def build_objective(config: TrainConfig, method: Method, physics: Sequence[Physics]) -> Objective:
    """What the run minimises, chosen once."""
    loss = SpectralLoss(config.loss)
    if not isinstance(config, RefineConfig):
        return Denoise(physics, config.ctf_mode, loss)
    return FillWedge(
        physics,
        config.ctf_mode,
        loss,
        mw_weight=config.mw_weight,
        noise_level=config.noise_level if method == "single-map" else 0.0,
        noise_filter=config.noise_filter,
        apply_wedge=config.apply_wedge,
    )


def describe(config: TrainConfig, method: Method, pixel_size: float) -> dict[str, Any]:
    """What a prediction must know of the training; stored in the checkpoint."""
    names = (
        "network", "box_size", "ctf_mode", "contrast", "phase_flipped", "phase_flip_input",
        "b_factor", "clip_first_peak", "snr_falloff", "deconvolution_strength",
        "highpass_nyquist", "isonet2_exact",
    )  # fmt: skip
    settings = {name: getattr(config, name) for name in names}
    input_column = getattr(config, "input_column", "auto")
    use_tilt_files = getattr(config, "use_tilt_files", False)
    return {
        "task": "restore",
        "method": method,
        "pixel_size": pixel_size,
        "input_column": input_column,
        "use_tilt_files": use_tilt_files,
        **settings,
    }


def start_from(network: nn.Module, config: TrainConfig, source: Path, pixel_size: float) -> None:
    """Start from the weights of another run; a denoiser is a fair start for wedge filling.

    Raises:
        CheckpointError: If it holds another network, or was trained at another pixel size.
    """
    checkpoint = load_checkpoint(source)
    description = checkpoint.description
    if description.get("network") != config.network:
        raise CheckpointError(
            f"{checkpoint.path}: holds {description.get('network')}, not {config.network}; "
            f"use --network {description.get('network')}"
        )
    trained_at = description.get("pixel_size")
    if isinstance(trained_at, float) and abs(trained_at / pixel_size - 1) > SAME_SCALE:
        raise CheckpointError(
            f"{checkpoint.path}: trained at {trained_at:g} Å/px, the tomograms have "
            f"{pixel_size:g}; rescale them with `icelens tools resize --pixel-size {trained_at:g}`"
        )
    load_weights(network, checkpoint)


def previews(
    config: TrainConfig,
    rows: Sequence[TomogramRow],
    method: Method,
    network: nn.Module,
    compute: Compute,
    run: Run,
    steps_per_epoch: int,
) -> Previews | None:
    """Predictions of chosen tomograms during the run, if any are asked for."""
    if config.preview_tomograms == "none":
        return None
    wanted = parse_indices(
        config.preview_tomograms, [row.index for row in rows], name=str(config.star)
    )
    restorer = Restorer(
        network,
        method,
        getattr(config, "input_column", "auto"),
        ctf_handling(config),
        getattr(config, "use_tilt_files", False),
        getattr(config, "apply_wedge", False),
        Reading(config.contrast, config.pixel_size_from),
        compute,
        default_plan(config.box_size, compute, config.network),
    )
    chosen = [row for row in rows if row.index in wanted]
    return Previews(
        restorer,
        chosen,
        run.folder / "preview",
        config.save_every * steps_per_epoch,
        config.epochs * steps_per_epoch,
        run.on_event,
    )
