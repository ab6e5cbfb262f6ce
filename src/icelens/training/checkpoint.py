"""Checkpoints: one safetensors file whose header holds a JSON description; nothing is pickled."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from icelens.core.errors import CheckpointError
from icelens.core.io.atomic import atomic_path
from icelens.training.contract import JSON

BEST_NAME = "best.safetensors"
LAST_NAME = "last.safetensors"
STATE_KIND = "training state"
_METADATA_KEY = "icelens"
# torch.save writes a zip archive since 1.6 and a bare pickle (protocol 2 and up) before
_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


@dataclass(frozen=True)
class Checkpoint:
    """The weights of a network by name, what is known of them, and the file they came from."""

    tensors: Mapping[str, Tensor]
    description: Mapping[str, Any]
    path: Path


def save_checkpoint(
    path: Path, tensors: Mapping[str, Tensor], description: Mapping[str, JSON]
) -> None:
    """Write tensors and their description to one file, which appears complete or not at all.

    Raises:
        CheckpointError: If the file cannot be written; nothing is left behind.
    """
    # memory layouts such as channels_last_3d belong to a device, not to a file
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {_METADATA_KEY: json.dumps(dict(description), allow_nan=False)}
    with atomic_path(path) as temporary:
        try:
            save_file(plain, temporary, metadata=metadata)
        except SafetensorError as error:
            raise CheckpointError(
                f"{path}: could not be written ({error}); free some space or choose another "
                "folder, nothing was changed"
            ) from error


def load_checkpoint(
    path_or_run_folder: Path | str, device: torch.device | str = "cpu"
) -> Checkpoint:
    """Read a checkpoint, or the best (else the last) one of a run folder.

    Raises:
        CheckpointError: If there is none, or the file is a pickle, damaged, or the state of an
            unfinished run.
    """
    path = _find_checkpoint(Path(path_or_run_folder))
    checkpoint = read_tensors(path, device)
    if checkpoint.description.get("kind") == STATE_KIND:
        raise CheckpointError(
            f"{path}: holds the state of a training run, expected a checkpoint; "
            f"give its folder {path.parent} or {LAST_NAME} beside it"
        )
    return checkpoint


def amend_checkpoint(path: Path, changes: Mapping[str, JSON]) -> None:
    """Write a checkpoint once more with these parts of its description replaced."""
    checkpoint = load_checkpoint(path)
    save_checkpoint(path, checkpoint.tensors, {**checkpoint.description, **changes})


def read_tensors(path: Path, device: torch.device | str = "cpu") -> Checkpoint:
    """Read any file that `save_checkpoint` wrote.

    Raises:
        CheckpointError: If the file is missing, a pickle, damaged, or not from icelens.
    """
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        reason = error.strerror or "no such file"
        raise CheckpointError(f"{path}: cannot be read ({reason}); check the path") from error
    except SafetensorError as error:
        raise CheckpointError(_diagnose(path, error)) from error
    if _METADATA_KEY not in metadata:
        raise CheckpointError(
            f"{path}: a safetensors file without icelens' description, so the network it belongs "
            "to is unknown; give a checkpoint that icelens wrote"
        )
    return Checkpoint(tensors, _description(path, metadata[_METADATA_KEY]), path)


def _description(path: Path, text: str) -> Mapping[str, Any]:
    """The mapping that the header's text stands for."""
    try:
        description = json.loads(text)
    except ValueError:
        description = None
    if not isinstance(description, dict):
        raise CheckpointError(
            f"{path}: its description is damaged, expected a JSON mapping; copy it again or "
            "train again"
        )
    return description


def _find_checkpoint(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in (BEST_NAME, LAST_NAME):
        if (path / name).is_file():
            return path / name
    raise CheckpointError(
        f"{path}: a folder with neither {BEST_NAME} nor {LAST_NAME}, so no checkpoint is finished "
        "there; train first, resume the run, or give a file"
    )


def _diagnose(path: Path, error: SafetensorError) -> str:
    """Say why a file is not readable as safetensors."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_PICKLE_STARTS):
        return (
            f"{path}: a pickle (.pt), which could run any program when opened; convert its weights "
            "safely first: `icelens restore import-checkpoint` or `icelens pick import-octopi`"
        )
    if not start:
        return f"{path}: the file is empty, expected a checkpoint; copy it again or train again"
    return (
        f"{path}: damaged, cut short or not a safetensors file ({error}); "
        "copy it again or train again"
    )
