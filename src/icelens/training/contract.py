"""What a task hands to the training loop, and what it gets back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from torch import Tensor, nn

from icelens.core.errors import IcelensError

JSON = None | bool | int | float | str | list[Any] | dict[str, Any]
"""What a checkpoint's description may hold; lists and dicts hold the same again."""

Stopped = Literal["finished", "time_limit", "early_stop"]


class TrainingError(IcelensError):
    """Training cannot go on, or cannot be set up as asked; the message says what to change."""


@dataclass(frozen=True)
class Loss:
    """`total` is minimised, `terms` are only reported; each is a mean over the items of a batch."""

    total: Tensor
    terms: Mapping[str, Tensor]


@runtime_checkable
class Objective(Protocol):
    """Turns a batch into a loss.

    `network` is the student in training mode, `teacher` its moving average in evaluation mode and
    without gradients. Both compute in the precision of the run and return float32.
    """

    def __call__(self, network: nn.Module, teacher: nn.Module, batch: Any) -> Loss:  # noqa: ANN401
        """Return the loss of `batch`, averaged over its items."""
        ...


@runtime_checkable
class BatchSource(Protocol):
    """Makes batches on the device of the run.

    A pure function: the same `(step, items)` give the same batch in any process at any time, which
    is what exact resume and shared batches rest on (`seed.generator_for(seed, step, item)`).
    """

    def __call__(self, step: int, items: range) -> Any:  # noqa: ANN401
        """Return these items of the batch of `step`; `items` is a part of `range(batch_size)`."""
        ...


@dataclass(frozen=True)
class FitSettings:
    """How long and how fast to learn; all counts are optimiser steps.

    `batch_size` is what one step learns from, whatever the number of processes; `accumulate` cuts
    it into that many passes to save memory, and does not change the gradient (batch norm then
    sees the smaller passes). `gradient_clip` is the largest L2 norm of the gradient, 0 does not
    clip. `patience` is the number of validations without a better score before the run stops, 0
    never stops. `time_limit` is in seconds and counts from the call, not from the first start.
    """

    num_steps: int
    batch_size: int
    learning_rate: float = 3e-4
    min_learning_rate: float = 3e-6
    warmup_steps: int = 50
    weight_decay: float = 0.01
    ema_decay: float = 0.999
    gradient_clip: float = 1.0
    accumulate: int = 1
    save_every: int = 100
    validate_every: int = 100
    patience: int = 0
    compile: bool = False
    time_limit: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        for name in ("num_steps", "batch_size", "accumulate", "save_every", "validate_every"):
            if getattr(self, name) < 1:
                raise TrainingError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("warmup_steps", "patience", "weight_decay", "gradient_clip"):
            if getattr(self, name) < 0:
                raise TrainingError(f"{name} is {getattr(self, name)}; it must not be negative")
        if not 0 <= self.min_learning_rate <= self.learning_rate:
            raise TrainingError(
                f"min_learning_rate is {self.min_learning_rate} and learning_rate is "
                f"{self.learning_rate}; the minimum must lie between 0 and the learning rate"
            )
        if not 0 <= self.ema_decay < 1:
            raise TrainingError(f"ema_decay is {self.ema_decay}; it must be at least 0 and below 1")
        if self.time_limit is not None and self.time_limit <= 0:
            raise TrainingError(f"time_limit is {self.time_limit} s; give a positive one or none")


@dataclass(frozen=True)
class FitResult:
    """`checkpoint` is the best by held-out score, or the last one where nothing was validated."""

    checkpoint: Path
    best_step: int
    last_step: int
    stopped: Stopped
