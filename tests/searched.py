"""Stand-ins for trainings, so that tests of the search need not wait for networks."""

from pathlib import Path
from typing import Any

import torch
from learnable_project import TINY, learnable_project

from icelens.core.events import Metrics, Progress
from icelens.jobs.run import Run
from icelens.tasks.pick.scoring import HeldOut
from icelens.tasks.pick.search_settings import SearchConfig
from icelens.tasks.pick.train import Trained
from icelens.training.checkpoint import save_checkpoint

FEW = ("crop_size", "batch_size", "augmentation", "weight_decay")
"""Settings that tests keep: fewer to draw."""


def settings(folder: Path, **changes: Any) -> SearchConfig:
    """A search in `folder` of a project there with two runs."""
    project = folder / "project.json"
    if not project.exists():
        learnable_project(folder, num_runs=2)
    values = {**TINY, "project": (project,), "output": folder / "search", "keep": FEW, "trials": 3}
    return SearchConfig(**{**values, **changes})


def train_by_formula(
    config: SearchConfig, data: object, split: object, run: Run, **_: object
) -> Trained:
    """A training whose score is the better the nearer the learning rate is to 1e-3."""
    del data, split
    score = 1e-3 / config.learning_rate if config.learning_rate > 1e-3 else 0.2
    for step in (2, 4):
        run.on_event(Progress("train", step, 4))
        run.on_event(Metrics(step, {"score": -score * step / 4}))
        save_checkpoint(run.folder / "state.safetensors", {"a": torch.zeros(1)}, {})
    path = run.folder / "best.safetensors"
    save_checkpoint(path, {"a": torch.zeros(1)}, {"rate": config.learning_rate})
    return Trained(path, HeldOut(None, {"membrane": score}, {}), {})
