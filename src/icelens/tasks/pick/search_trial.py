"""One trial of a search: draw settings, train shortly, and say how well particles are found."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from icelens.core.errors import IcelensError, RunLockedError
from icelens.core.events import Event, Message, Metrics, Progress
from icelens.jobs.journal import read_metrics
from icelens.jobs.parts import part_of
from icelens.jobs.run import Run
from icelens.tasks.pick.loaded_once import LoadedOnce
from icelens.tasks.pick.search_settings import SearchConfig
from icelens.tasks.pick.search_space import propose, with_changes
from icelens.tasks.pick.search_workers import sign
from icelens.tasks.pick.splits import Split
from icelens.tasks.pick.train import train_on
from icelens.training.record import STATE_NAME

if TYPE_CHECKING:
    from optuna.trial import Trial


class TrialFailed(Exception):
    """Settings that could not be trained; the search goes on without them."""


@dataclass(eq=False)
class Objective:
    """Called by Optuna with a trial; returns the score of particles on the validation runs."""

    config: SearchConfig
    data: LoadedOnce
    split: Split
    run: Run
    deadline: float | None
    number: int | None = field(default=None, init=False)
    """Of the trial that is being worked on, or was last."""

    def forget(self) -> None:
        """Begin a trial of which nothing is known yet."""
        self.number = None

    def __call__(self, trial: "Trial") -> float:
        """Train with drawn settings.

        Raises:
            TrialPruned: If it lies below the median of the others.
            TrialFailed: If these settings cannot be trained.
            StoppedEarly: If the time limit came first.
        """
        self.number = trial.number
        folder = self.run.folder / f"trial_{trial.number:04d}"
        sign(trial, self.run.folder, folder)
        config = self._settings(trial)
        is_continued = _take_over(trial.user_attrs.get("continues"), folder)
        listener = _Listener(trial, is_pruning=self.config.prune)
        if is_continued:
            listener.repeat(folder)
        self.run.on_event(Message(f"trial {trial.number}: {_described(trial)}"))
        started = time.monotonic()
        try:
            with part_of(
                self.run, folder, f"trial {trial.number}", resume=is_continued, listen=listener
            ) as part:
                trained = train_on(config, self.data, self.split, part)
        except RunLockedError:
            raise
        except (IcelensError, torch.OutOfMemoryError, MemoryError) as error:
            cause = next(iter(str(error).splitlines()), "out of memory")
            trial.set_user_attr("cause", cause)
            self.run.on_event(Message(f"trial {trial.number} failed: {cause}", "warning"))
            _release_memory()
            raise TrialFailed(cause) from error
        trial.set_user_attr("checkpoint", trained.checkpoint.name)
        trial.set_user_attr("seconds", round(time.monotonic() - started, 1))
        (folder / STATE_NAME).unlink(missing_ok=True)
        return trained.held_out.score

    def _settings(self, trial: "Trial") -> SearchConfig:
        left = None if self.deadline is None else (self.deadline - time.monotonic()) / 60
        changes = propose(trial, self.config)
        return with_changes(self.config, {**changes, "time_limit": left})


@dataclass(eq=False)
class _Listener:
    """Reports the scores of a training to Optuna, and ends it where that asks to."""

    trial: "Trial"
    is_pruning: bool
    reported: set[int] = field(default_factory=set)
    is_last_step: bool = False

    def __call__(self, event: Event) -> None:
        """Hear one event of the training."""
        if isinstance(event, Progress) and event.stage == "train":
            self.is_last_step = event.done >= event.total
        if isinstance(event, Metrics) and "score" in event.values:
            self.report(event.step, -event.values["score"])
            # at the last step nothing is won by not judging what is trained already
            if self.is_pruning and not self.is_last_step and self.trial.should_prune():
                from optuna.exceptions import TrialPruned

                raise TrialPruned(f"below the median at step {event.step}")

    def report(self, step: int, score: float) -> None:
        """Tell a score; a step that was done twice after a kill is told once."""
        if step not in self.reported:
            self.reported.add(step)
            self.trial.report(score, step)

    def repeat(self, folder: Path) -> None:
        """Tell the scores of the process that began this trial."""
        for row in read_metrics(folder):
            if row.get("score") is not None:
                self.report(int(row["step"]), -float(row["score"]))


def forget_weights(folder: Path) -> None:
    """Remove the weights of a trial that was not worth finishing."""
    for path in folder.glob("*.safetensors"):
        path.unlink(missing_ok=True)


def _take_over(old: str | None, folder: Path) -> bool:
    """Move what a dead process left of this trial to its new number; whether there was a state."""
    if old is None or Path(old) == folder.resolve() or not (Path(old) / STATE_NAME).is_file():
        return (folder / STATE_NAME).is_file() and old is not None
    try:
        Path(old).rename(folder)
    except OSError:
        return False  # on another disk, or taken: the trial begins from its first step
    return True


def _described(trial: "Trial") -> str:
    parts = [
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in trial.params.items()
    ]
    return ", ".join(parts) or "the given settings"


def _release_memory() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
