"""What a finished fold found in the runs it held out, kept in its folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from icelens.core.data.picks import Picks
from icelens.core.errors import CheckpointError
from icelens.jobs.record import write_json
from icelens.tasks.pick.splits import Split

HELD_OUT_NAME = "held_out.json"
_FORMAT = 1


@dataclass(frozen=True, eq=False)
class FinishedFold:
    """A fold that is trained: its model and what it found in runs it never saw.

    `picks` are all picks by run, sure or not; `dice` is the overlap of continuous classes.
    """

    folder: Path
    checkpoint: Path
    split: Split
    settings: Mapping[str, Any]
    picks: Mapping[str, Picks]
    dice: Mapping[str, float]


def write_fold(fold: FinishedFold) -> Path:
    """Record a fold as finished.

    Raises:
        InputFileError: If the folder cannot be written.
    """
    path = fold.folder / HELD_OUT_NAME
    content = {
        "format": _FORMAT,
        "checkpoint": fold.checkpoint.name,
        "train": list(fold.split.train),
        "held_out": list(fold.split.validation),
        "settings": dict(fold.settings),
        "dice": dict(fold.dice),
        "picks": {
            run: {
                "species": list(picks.species),
                "position_zyx": picks.position_zyx.tolist(),
                "score": picks.score.tolist(),
            }
            for run, picks in fold.picks.items()
        },
    }
    write_json(path, content)
    return path


def read_fold(folder: Path) -> FinishedFold | None:
    """The record of a finished fold; None if it is not finished.

    Raises:
        CheckpointError: If the record is damaged, or the model it belongs to is gone.
    """
    path = folder / HELD_OUT_NAME
    if not path.is_file():
        return None
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        fold = FinishedFold(
            folder,
            folder / known["checkpoint"],
            Split(tuple(known["train"]), tuple(known["held_out"])),
            known["settings"],
            {run: _picks(run, columns) for run, columns in known["picks"].items()},
            known["dice"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path}: damaged, expected the picks of a finished fold; remove it to train the fold "
            "again"
        ) from error
    if not fold.checkpoint.is_file():
        raise CheckpointError(
            f"{fold.checkpoint}: is gone, but {path} says that the fold is finished; remove that "
            "file to train the fold again"
        )
    return fold


def _picks(run: str, columns: Mapping[str, Any]) -> Picks:
    return Picks(
        np.array(columns["position_zyx"], np.float64).reshape(-1, 3),
        species=tuple(map(str, columns["species"])),
        score=np.array(columns["score"], np.float64),
        tomogram_id=(run,) * len(columns["score"]),
    )
