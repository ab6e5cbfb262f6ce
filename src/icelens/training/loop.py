"""`fit`: one loop for all that learns, exactly resumable from whatever stopped it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import nn

from icelens.core.events import OnEvent, ignore
from icelens.training.contract import (
    JSON,
    BatchSource,
    FitResult,
    FitSettings,
    Loss,
    Objective,
    TrainingError,
)
from icelens.training.device import Compute, fast_convolutions
from icelens.training.distributed import is_main_process
from icelens.training.interrupts import listen_for_interrupts
from icelens.training.learner import Learner
from icelens.training.running import Callbacks, RunInProgress

__all__ = ["BatchSource", "FitResult", "FitSettings", "Loss", "Objective", "TrainingError", "fit"]


def fit(
    network: nn.Module,
    objective: Objective,
    batches: BatchSource,
    settings: FitSettings,
    *,
    compute: Compute,
    folder: Path,
    describe: Mapping[str, JSON],
    seed: int,
    resume: bool,
    on_event: OnEvent,
    validate: Callable[[nn.Module], float] | None = None,
    at_save: Callable[[nn.Module, int], None] | None = None,
    finalise: Callable[[nn.Module], None] | None = None,
) -> FitResult:
    """Train `network` in place and write the checkpoints of its moving average to `folder`.

    The folder receives `last.safetensors` at each save, `best.safetensors` where `validate` is
    given, and `state.safetensors`, from which a killed run goes on. On one CPU thread count the
    resumed run ends with the same bits as one never stopped; on a GPU it does as far as the
    library's convolutions repeat themselves.

    Started by `torchrun`, the processes share each batch. Every process calls `validate` (the
    scores are averaged) and `finalise`; only the first calls `at_save` and `on_event`.

    Args:
        network: Initialised network; moved to the device of `compute`.
        objective: Loss of a batch.
        batches: Source of batches, a pure function of step and items.
        settings: Length, rates and intervals of the run.
        compute: Where and how precisely to compute.
        folder: Existing or new folder of the run. Without `resume` an older run in it is removed.
        describe: Goes into each checkpoint's header, with `versions`, `step` and `score` added.
        seed: Seeds global random streams anew for each step.
        resume: Go on from the folder's state; without one, start from the beginning.
        on_event: Hears progress, metrics, messages and saved files.
        validate: Held-out score of the averaged network (in evaluation mode); lower is better.
        at_save: Called with the averaged network and the step after each save, for previews.
        finalise: Called on a copy of the averaged network before it is validated or saved, for
            instance to re-estimate statistics of batch norm.

    Returns:
        The checkpoint to use, and how the run ended.

    Raises:
        TrainingError: If the loss stays not finite after several roll-backs.
        CheckpointError: If the state is damaged or was made with other settings.
        KeyboardInterrupt: After Ctrl-C or SIGTERM, once the state is saved.
    """
    torch.set_num_threads(compute.threads)
    learner = Learner(network, settings, compute=compute, seed=seed)
    run = RunInProgress(
        learner,
        settings,
        compute=compute,
        folder=folder,
        describe=describe,
        seed=seed,
        on_event=on_event if is_main_process() else ignore,
        callbacks=Callbacks(validate, at_save, finalise),
    )
    run.start(resume=resume)
    with listen_for_interrupts() as interrupt, fast_convolutions(compute):
        stopped = run.train(objective, batches, interrupt)
    return run.result(stopped)
