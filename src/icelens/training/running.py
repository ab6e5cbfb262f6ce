"""A training run in progress: what is due at which step, and how it recovers."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from icelens import __version__
from icelens.core.events import Message, Metrics, OnEvent, Progress, Saved
from icelens.training.checkpoint import BEST_NAME, LAST_NAME, save_checkpoint
from icelens.training.contract import (
    JSON,
    BatchSource,
    FitResult,
    FitSettings,
    Objective,
    Stopped,
)
from icelens.training.device import Compute
from icelens.training.distributed import any_process, is_main_process, mean_over_processes
from icelens.training.interrupts import Interrupt
from icelens.training.learner import Learner
from icelens.training.record import STATE_NAME, plan_of, read_state, write_state
from icelens.training.schedules import learning_rate_at
from icelens.training.standing import Standing

# Reading a number back makes a GPU idle until the host has caught up; ten steps cost it nothing.
STEPS_PER_READING = {"cpu": 1, "cuda": 10, "mps": 10}


@dataclass(frozen=True)
class Callbacks:
    """What a task does with the averaged network."""

    validate: Callable[[nn.Module], float] | None
    at_save: Callable[[nn.Module, int], None] | None
    finalise: Callable[[nn.Module], None] | None


class RunInProgress:
    """A run in progress: a learner, where it stands, and what is due at which step."""

    def __init__(
        self,
        learner: Learner,
        settings: FitSettings,
        *,
        compute: Compute,
        folder: Path,
        describe: Mapping[str, JSON],
        seed: int,
        on_event: OnEvent,
        callbacks: Callbacks,
    ) -> None:
        self._learner = learner
        self._settings = settings
        self._compute = compute
        self._folder = folder
        self._describe = describe
        self._plan = plan_of(settings, seed, describe)
        self._on_event = on_event
        self._callbacks = callbacks
        self._standing = Standing()
        self._unread: list[tuple[float, dict[str, Tensor]]] = []
        self._saved_step = -1
        self._deadline = time.monotonic() + (
            float("inf") if settings.time_limit is None else settings.time_limit
        )

    def start(self, *, resume: bool) -> None:
        """Go on from the state in the folder, or begin and save the beginning."""
        self._on_event(Message(f"training on {self._compute.reason}"))
        if resume and (self._folder / STATE_NAME).is_file():
            tensors, self._standing = read_state(self._folder, self._plan)
            self._learner.load(tensors)
            self._on_event(Message(f"resuming after step {self._standing.step}"))
            self._meet()
            return
        self._meet()
        if is_main_process():
            for name in (BEST_NAME, LAST_NAME):
                (self._folder / name).unlink(missing_ok=True)
        self._write_state()

    def train(self, objective: Objective, batches: BatchSource, interrupt: Interrupt) -> Stopped:
        """Take steps until there is a reason to stop; leave everything saved."""
        while (stopped := self._over()) is None:
            self._advance(objective, batches)
            if not self._is_reading_due():
                continue
            self._read()
            if self._standing.is_lost:
                self._roll_back()
                continue
            self._publish_what_is_due()
            if self._anywhere(interrupt.requested):
                self._write_state()
                raise KeyboardInterrupt
            if self._anywhere(time.monotonic() > self._deadline):
                stopped = self._over() or "time_limit"
                break
        if self._saved_step != self._standing.step:
            self._save(self._published())
        return stopped

    def result(self, stopped: Stopped) -> FitResult:
        """Name the checkpoint to use."""
        last = self._standing.step
        if self._standing.best_score is None:
            return FitResult(self._folder / LAST_NAME, last, last, stopped)
        return FitResult(self._folder / BEST_NAME, self._standing.best_step, last, stopped)

    @property
    def _next_step(self) -> int:
        return self._standing.step + len(self._unread)

    def _over(self) -> Stopped | None:
        if 0 < self._settings.patience <= self._standing.num_worse:
            return "early_stop"
        return "finished" if self._next_step >= self._settings.num_steps else None

    def _advance(self, objective: Objective, batches: BatchSource) -> None:
        settings = self._settings
        rate = self._standing.rate_factor * learning_rate_at(
            self._next_step,
            peak=settings.learning_rate,
            minimum=settings.min_learning_rate,
            num_steps=settings.num_steps,
            warmup_steps=settings.warmup_steps,
        )
        self._unread.append(
            (rate, self._learner.advance(self._next_step, rate, objective, batches))
        )

    def _is_due(self, every: int) -> bool:
        return self._next_step % every == 0 or self._next_step == self._settings.num_steps

    def _is_reading_due(self) -> bool:
        intervals = (
            STEPS_PER_READING[self._compute.device.type],
            self._settings.save_every,
            self._settings.validate_every,
        )
        return any(self._is_due(every) for every in intervals)

    def _read(self) -> None:
        """Bring the measurements of the last steps to the host, count and tell them."""
        for rate, measured in self._unread:
            values = {name: float(value) for name, value in measured.items()}
            is_finite = bool(values.pop("is_finite"))
            self._standing = self._standing.after_step(is_finite=is_finite)
            step = self._standing.step
            self._on_event(Metrics(step, {**values, "learning_rate": rate}))
            self._on_event(Progress("train", step, self._settings.num_steps))
            if not is_finite:
                self._on_event(
                    Message(f"step {step}: loss or gradient not finite; step skipped", "warning")
                )
            if self._standing.is_lost:
                break
        self._unread.clear()

    def _roll_back(self) -> None:
        """Return to the saved state with half the learning rate, and save that decision."""
        lost = self._standing
        self._meet()
        tensors, saved = read_state(self._folder, self._plan)
        self._standing = lost.rolled_back_to(saved)
        self._learner.load(tensors)
        self._meet()
        self._write_state()
        self._on_event(
            Message(
                f"step {lost.step}: {lost.skips_in_a_row} steps in a row were not finite; back to "
                f"step {saved.step} with {self._standing.rate_factor:g} of the learning rate",
                "warning",
            )
        )

    def _publish_what_is_due(self) -> None:
        is_last = self._standing.step == self._settings.num_steps
        validates = self._callbacks.validate is not None and self._is_due(
            self._settings.validate_every
        )
        # a run in trouble keeps the state from before the trouble, to roll back to
        saves = self._is_due(self._settings.save_every) and (
            is_last or self._standing.skips_in_a_row == 0
        )
        if validates or saves:
            network = self._published()
            if validates:
                self._judge(network)
            if saves:
                self._save(network)

    def _published(self) -> nn.Module:
        return self._learner.published(self._standing.step, self._callbacks.finalise)

    def _judge(self, network: nn.Module) -> None:
        """Score a network on held-out data and keep it if it is the best."""
        assert self._callbacks.validate is not None
        own = torch.tensor(self._callbacks.validate(network), device=self._compute.device)
        score = float(mean_over_processes(own))
        before, self._standing = self._standing, self._standing.after_validation(score)
        self._on_event(Metrics(self._standing.step, {"score": score}))
        if self._standing.best_score != before.best_score:
            self._write_checkpoint(BEST_NAME, network)

    def _save(self, network: nn.Module) -> None:
        self._write_checkpoint(LAST_NAME, network)
        self._write_state()
        self._saved_step = self._standing.step
        if is_main_process() and self._callbacks.at_save is not None:
            self._callbacks.at_save(network, self._standing.step)
        self._meet()

    def _write_checkpoint(self, name: str, network: nn.Module) -> None:
        if not is_main_process():
            return
        scores = dict(self._standing.scores)
        description: dict[str, JSON] = {
            "versions": {"icelens": __version__, "torch": torch.__version__},
            **self._describe,
            "step": self._standing.step,
            "score": scores.get(self._standing.step),
        }
        save_checkpoint(self._folder / name, network.state_dict(), description)
        self._on_event(Saved(self._folder / name, "checkpoint"))

    def _write_state(self) -> None:
        """Save what a resumed run needs; no process goes on, or ends, before it is written."""
        if is_main_process():
            write_state(self._folder, self._learner.tensors(), self._standing, self._plan)
        self._meet()

    def _anywhere(self, flag: bool) -> bool:  # noqa: FBT001 - the flag is the data
        return any_process(flag=flag, device=self._compute.device)

    def _meet(self) -> None:
        """Wait for the other processes."""
        any_process(flag=False, device=self._compute.device)
