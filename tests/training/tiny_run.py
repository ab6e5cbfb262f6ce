"""A training problem of a second, for tests in this process and, as a script, in others."""

import argparse
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from icelens.core.events import Event, Message, Metrics
from icelens.training import checkpoint
from icelens.training.device import choose_compute
from icelens.training.loop import FitResult, FitSettings, Loss, fit
from icelens.training.seed import generator_for

SETTINGS: dict[str, Any] = {
    "num_steps": 16,
    "batch_size": 4,
    "learning_rate": 1e-2,
    "min_learning_rate": 1e-4,
    "warmup_steps": 3,
    "save_every": 5,
    "validate_every": 4,
}


def tiny_network(*, batch_norm: bool = True, dropout: float = 0.0) -> nn.Module:
    """Two convolutions, always with the same first weights."""
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Conv3d(1, 4, 3, padding=1, bias=not batch_norm),
        nn.BatchNorm3d(4) if batch_norm else nn.Identity(),
        nn.LeakyReLU(0.01),
        nn.Dropout(dropout),
        nn.Conv3d(4, 1, 3, padding=1),
    )


def tiny_batch(step: int, items: range) -> Tensor:
    """Noise crops; the mean away from zero makes batch statistics matter."""
    crops = [torch.randn(1, 6, 6, 6, generator=generator_for(9, step, item)) for item in items]
    return 2.0 + torch.stack(crops)


def tiny_objective(network: nn.Module, teacher: nn.Module, batch: Tensor) -> Loss:
    """Predict the mirrored crop from the crop and a little of the teacher's, in two passes."""
    output = network(batch + 0.1 * teacher(batch))
    again = network(batch.flip(-2))
    error = (output - batch.flip(-1)).square().mean()
    agreement = (again - output.flip(-2)).square().mean()
    return Loss(error + 0.1 * agreement, {"error": error, "agreement": agreement})


def held_out_score(network: nn.Module) -> float:
    """Error of a network on crops that no step sees."""
    batch = tiny_batch(-1, range(2))
    return float((network(batch) - batch.flip(-1)).square().mean())


def run_tiny(
    folder: Path,
    *,
    network: nn.Module | None = None,
    batches: Callable[[int, range], Tensor] = tiny_batch,
    objective: Callable[..., Loss] = tiny_objective,
    resume: bool = False,
    on_event: Callable[[Event], None] | None = None,
    describe: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    precision: str = "float32",
    **callbacks: Any,
) -> FitResult:
    """Fit the tiny network; everything may be exchanged."""
    return fit(
        tiny_network() if network is None else network,
        objective,
        batches,
        FitSettings(**{**SETTINGS, **(settings or {})}),
        compute=choose_compute("cpu", precision),
        folder=folder,
        describe=describe or {"task": "test"},
        seed=3,
        resume=resume,
        on_event=on_event or (lambda event: None),
        **callbacks,
    )


def _die() -> None:
    signal.raise_signal(signal.SIGKILL)


def _main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--die-in-step", type=int, default=-1)
    arguments.add_argument("--die-in-write", type=int, default=-1)
    arguments.add_argument("--terminate-in-step", type=int, default=-1)
    arguments.add_argument("--dropout", type=float, default=0.0)
    arguments.add_argument("--history", type=Path)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    history: list[dict[str, Any]] = []
    num_writes = 0

    def batches(step: int, items: range) -> Tensor:
        if step == options.die_in_step:
            _die()
        # one signal to one of the processes, whatever the number of parts
        if step == options.terminate_in_step and items.start == 0:
            signal.raise_signal(signal.SIGTERM)
        return tiny_batch(step, items)

    def dying_save(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
        nonlocal num_writes
        num_writes += 1
        save_file(tensors, path, metadata=metadata)
        if num_writes == options.die_in_write:
            with path.open("r+b") as file:
                file.truncate(path.stat().st_size // 2)
            _die()

    def listen(event: Event) -> None:
        if isinstance(event, Metrics):
            history.append({"step": event.step, **event.values})
        elif isinstance(event, Message) and event.level == "warning":
            history.append({"warning": event.text})

    checkpoint.save_file = dying_save
    run_tiny(
        options.folder,
        network=tiny_network(dropout=options.dropout),
        batches=batches,
        resume=True,
        on_event=listen,
        validate=held_out_score,
        settings={"accumulate": 2},
    )
    if history and options.history:
        options.history.write_text(json.dumps(history))


if __name__ == "__main__":
    _main()
