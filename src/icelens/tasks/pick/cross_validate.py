"""Cross-validation: each run is picked by a network that never saw it, then all are scored."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import CheckpointError, MetadataError, StoppedEarly
from icelens.core.events import Message, Progress, Saved
from icelens.core.metrics.detection import DetectionScore
from icelens.jobs.parts import part_of
from icelens.jobs.record import write_json
from icelens.jobs.run import Run
from icelens.tasks.pick.cross_validate_report import report_folds
from icelens.tasks.pick.folds import deal_folds
from icelens.tasks.pick.held_out_file import HELD_OUT_NAME, FinishedFold, read_fold, write_fold
from icelens.tasks.pick.learning_data import LearningData, open_data
from icelens.tasks.pick.out_of_fold import OutOfFold, pool_folds
from icelens.tasks.pick.same_settings import comparable_settings, refuse_other_settings
from icelens.tasks.pick.search_settings import CrossValidateConfig
from icelens.tasks.pick.splits import Split
from icelens.tasks.pick.train import train_on
from icelens.training.checkpoint import amend_checkpoint
from icelens.training.distributed import is_main_process

RESULT_NAME = "cross_validation.json"


def cross_validate(config: CrossValidateConfig, run: Run) -> Path:
    """Train one network for each fold, score them together, and give all the same thresholds.

    Returns:
        The folder with `fold_1` and so on, `cross_validation.json` and the report.

    Raises:
        StoppedEarly: If the time limit came first; finished folds stay.
    """
    deadline = None if config.time_limit is None else time.monotonic() + 60 * config.time_limit
    data = open_data(config, run.on_event)
    names = tuple(dict.fromkeys(data.checked(config.runs))) or data.run_names()
    splits = deal_folds(names, config.folds, config.seed)
    folders = [run.folder / f"fold_{number}" for number in range(1, len(splits) + 1)]
    if not run.resume and is_main_process():
        _forget_folds(run.folder)
    folds: list[FinishedFold] = []
    for folder, split in zip(folders, splits, strict=True):
        run.on_event(Progress("folds", len(folds), len(splits), "fold"))
        folds.append(_fold(config, data, split, run, folder, deadline))
    run.on_event(Progress("folds", len(folds), len(splits), "fold"))
    tomograms = data.load(names, run.on_event)
    objects = data.truth.classes
    pooled = pool_folds(folds, tomograms, objects, config.beta)
    if is_main_process():
        changes: dict[str, Any] = {
            "thresholds": dict(pooled.thresholds),
            "thresholds_from": f"out-of-fold picks of {len(folds)} folds",
        }
        for fold in folds:
            amend_checkpoint(fold.checkpoint, changes)
        write_json(run.folder / RESULT_NAME, summary(config, folds, pooled, objects))
        run.on_event(Saved(run.folder / RESULT_NAME, "table"))
        report_folds(run, config, folds, pooled, tomograms, objects)
    if pooled.cross_fitted is not None:
        value = pooled.cross_fitted.f_beta or 0.0
        run.on_event(Message(f"Out-of-fold F{config.beta:g}, cross-fitted thresholds: {value:.3f}"))
    return run.folder


def summary(
    config: CrossValidateConfig,
    folds: Sequence[FinishedFold],
    pooled: OutOfFold,
    objects: Sequence[PickableObject],
) -> dict[str, Any]:
    """The result as plain values."""
    return {
        "format": 1,
        "beta": config.beta,
        "select": config.select,
        "f_beta_cross_fitted": _f_beta(pooled.cross_fitted),
        "f_beta_at_thresholds": _f_beta(pooled.at_thresholds),
        "thresholds": dict(pooled.thresholds),
        "classes": [
            {
                "name": each.name,
                "weight": each.weight,
                "particles": each.counts.num_truth,
                "f_beta_at_best": each.f_beta_at_best,
                "average_precision": each.average_precision,
                "rms_error": None if pooled.at_thresholds is None
                else pooled.at_thresholds.of(each.name).rms_error,
                "f_beta_cross_fitted": None if pooled.cross_fitted is None
                else pooled.cross_fitted.of(each.name).f_beta,
            }
            for each in pooled.held_out.classes()
        ],
        "dice": dict(pooled.held_out.dice),
        "objects": [each.name for each in objects],
        "folds": [
            {
                "folder": fold.folder.name,
                "train": list(fold.split.train),
                "held_out": list(fold.split.validation),
                "f_beta_cross_fitted": _f_beta(score),
            }
            for fold, score in zip(folds, pooled.by_fold, strict=True)
        ],
    }  # fmt: skip


def _fold(
    config: CrossValidateConfig,
    data: LearningData,
    split: Split,
    run: Run,
    folder: Path,
    deadline: float | None,
) -> FinishedFold:
    """Train a fold, or take the one that an earlier run finished."""
    settings = comparable_settings(
        config, [each.name for each in data.truth.classes], leave_out={"runs", "folds"}
    )
    finished = read_fold(folder) if run.resume else None
    if finished is not None:
        if finished.split != split:
            raise MetadataError(
                f"{folder}: holds out {', '.join(finished.split.validation)}, but now "
                f"{', '.join(split.validation)} would be; resume with the same runs, folds and "
                "seed, or choose another --output"
            )
        refuse_other_settings(str(folder), finished.settings, settings)
        return finished
    name = folder.name.replace("_", " ")
    left = None if deadline is None else (deadline - time.monotonic()) / 60
    if left is not None and left <= 0:
        raise StoppedEarly(f"the time limit was reached before {name}; `--resume` continues")
    run.on_event(Message(f"{name}: holds out {', '.join(split.validation)}"))
    with part_of(run, folder, name, resume=run.resume) as part:
        timed = config.model_copy(update={"time_limit": left})
        trained = train_on(timed, data, split, part, selects=config.select == "best")
    fold = FinishedFold(
        folder,
        trained.checkpoint,
        split,
        settings,
        trained.held_out.picks,
        trained.held_out.dice,
    )
    if is_main_process():
        write_fold(fold)
    return fold


def _forget_folds(folder: Path) -> None:
    """Remove models of an earlier run that is begun anew, so that none is taken for one of this."""
    for old in folder.glob("fold_*"):
        for path in (old / HELD_OUT_NAME, *old.glob("*.safetensors")):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise CheckpointError(
                    f"{path}: belongs to an earlier run and cannot be removed ({error.strerror}); "
                    "choose another --output"
                ) from error


def _f_beta(score: DetectionScore | None) -> float | None:
    return None if score is None else score.f_beta
