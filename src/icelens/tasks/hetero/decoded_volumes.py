"""Many volumes of a run, decoded once into one memory-mapped file; a stopped decode goes on."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.events import Message, OnEvent, Progress
from icelens.core.io.atomic import atomic_path, make_folder
from icelens.tasks.hetero.hetero_run import VolumeModel

Latents = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]

_NOTED_EVERY = 20
"""Volumes after which the file says how far it is."""
_SAME = 1e-4
"""Relative difference up to which a volume decoded again is the same one."""


def decoded_volumes(
    model: VolumeModel,
    latent: Latents,
    folder: Path,
    *,
    box_size: int,
    device: torch.device | str,
    on_event: OnEvent,
) -> Values:
    """Volumes at latents, `(state, z, y, x)`, mapped from a file in `folder`.

    What an earlier run left there is used if its latents and box are the same and the model still
    makes the same first volume.

    Args:
        model: Makes the volumes.
        latent: `(state, latent_dim)`.
        folder: For `volumes.npy` and `volumes.json`.
        box_size: Side of the volumes, in px.
        device: Where the model is.
        on_event: Hears progress.

    Raises:
        MetadataError: If a volume is not finite.
        InputFileError: If the disk is full.
    """
    shape = (len(latent), box_size, box_size, box_size)

    def kept(volume: Float[Tensor, "n n n"]) -> Values:
        return volume.cpu().numpy().astype(np.float32)

    return _results(
        model, latent, kept, shape, folder / "volumes", box_size, device, "decode", on_event
    )


def results_of_volumes(
    model: VolumeModel,
    latent: Latents,
    result: Callable[[Float[Tensor, "n n n"]], Values],
    path: Path,
    *,
    length: int,
    box_size: int,
    device: torch.device | str,
    on_event: OnEvent,
) -> Values:
    """A few numbers of each volume at latents, `(state, length)`; volumes themselves are dropped.

    Args:
        model: Makes the volumes.
        latent: `(state, latent_dim)`.
        result: From a volume to its numbers.
        path: File without ending, to keep the numbers in; used again as in `decoded_volumes`.
        length: How many numbers there are.
        box_size: Side of the volumes, in px.
        device: Where the model is.
        on_event: Hears progress.

    Raises:
        MetadataError: If a number is not finite.
        InputFileError: If the disk is full.
    """
    shape = (len(latent), length)
    return _results(model, latent, result, shape, path, box_size, device, "map", on_event)


def _results(
    model: VolumeModel,
    latent: Latents,
    result: Callable[[Float[Tensor, "n n n"]], Values],
    shape: tuple[int, ...],
    path: Path,
    box_size: int,
    device: torch.device | str,
    stage: str,
    on_event: OnEvent,
) -> Values:
    """Fill an array file line by line, from where an earlier run left off."""
    given = torch.from_numpy(latent).float().to(device)
    key = hashlib.sha256(latent.tobytes() + repr((shape, box_size)).encode()).hexdigest()
    make_folder(path.parent)
    with torch.inference_mode():
        first = result(next(iter(model.volumes(given[:1], box_size=box_size))).float())
        done, array = _opened(path, shape, key, first)
        if done:
            on_event(Message(f"{done} of {len(latent)} volumes were decoded before"))
        volumes = model.volumes(given[done:], box_size=box_size)
        for place, volume in enumerate(volumes, start=done):
            values = result(volume.float())
            if not np.isfinite(values).all():
                raise MetadataError(
                    f"{path.parent}: the model makes a volume that is not finite; train again with "
                    "a lower learning rate"
                )
            array[place] = values
            if (place + 1) % _NOTED_EVERY == 0 or place + 1 == len(latent):
                array.flush()
                _note(path, key, place + 1)
            on_event(Progress(stage, place + 1, len(latent), "volume"))
    return array


def _opened(
    path: Path, shape: tuple[int, ...], key: str, first: Values
) -> tuple[int, "np.memmap[tuple[int, ...], np.dtype[np.float32]]"]:
    """How many lines are there, and the array; a new one unless an old one is of the same."""
    file, notes = path.with_suffix(".npy"), path.with_suffix(".json")
    try:
        known = json.loads(notes.read_text(encoding="utf-8"))
        if known["key"] == key and known["done"] > 0:
            array = np.lib.format.open_memmap(file, "r+")
            is_ours = array.shape == shape and array.dtype == np.float32
            if is_ours and _is_same(array[0], first):
                return int(known["done"]), array
    except (OSError, ValueError, KeyError, TypeError):
        pass  # nothing was decoded before, or nothing that can be used
    notes.unlink(missing_ok=True)
    try:
        array = np.lib.format.open_memmap(file, "w+", dtype=np.float32, shape=shape)
        if hasattr(os, "posix_fallocate"):
            # a full disk under a memory map kills the process; here it is an error
            with file.open("r+b") as stream:
                os.posix_fallocate(stream.fileno(), 0, file.stat().st_size)
    except OSError as error:
        raise InputFileError(
            f"{file}: cannot be written ({error.strerror}); free some space or choose another "
            "--output"
        ) from error
    return 0, array


def _is_same(old: Values, new: Values) -> bool:
    scale = float(np.abs(new).max())
    return bool(np.abs(old - new).max() <= _SAME * scale)


def _note(path: Path, key: str, done: int) -> None:
    with atomic_path(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps({"key": key, "done": done}), encoding="utf-8")
