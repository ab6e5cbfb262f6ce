"""Delete what a run of hetero kept on its way: latents and checkpoints of epochs, and caches."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from icelens.core.errors import InputFileError
from icelens.core.events import Message
from icelens.jobs.lock import locked_folder
from icelens.jobs.record import RECORD_NAME, read_record
from icelens.jobs.run import Run
from icelens.tasks.tools.clean_jobs import CleanConfig

_TASK = "hetero."
_EPOCH = re.compile(r"epoch_(\d+)\.(csv|safetensors)")
_EPOCH_FOLDERS = ("latents", "checkpoints")
_CACHES = "images.cache*"
_KEPT = ".json"
"""What was found in the images: without it they could not be prepared alike again."""


def clean_run(config: CleanConfig, run: Run) -> str:
    """Delete, and say in a sentence how much.

    Raises:
        InputFileError: If the folder holds no run of hetero, or a file cannot be deleted.
        RunLockedError: If the run is still going on.
    """
    _check_run(config.run)
    with locked_folder(config.run):
        found = deletable(config)
        freed = 0
        for path in found:
            freed += _size(path)
            _delete(path)
            run.on_event(Message(f"deleted {path}"))
    return f"{len(found)} deleted, {_told(freed)} are free"


def deletable(config: CleanConfig) -> list[Path]:
    """What would be deleted, by name.

    Raises:
        InputFileError: If the folder holds no run of hetero.
    """
    _check_run(config.run)
    found = []
    for name in _EPOCH_FOLDERS:
        epochs = dict(_epochs(config.run / name))
        last = max(epochs.values(), default=0)
        found += [
            path
            for path, epoch in epochs.items()
            if epoch != last and not (config.keep_every and epoch % config.keep_every == 0)
        ]
    if config.caches:
        caches = config.run.glob(_CACHES)
        found += [path for path in caches if path.suffix != _KEPT and not path.is_symlink()]
    return sorted(found)


def told_size(path: Path) -> str:
    """Bytes of a file or of all files below a folder, in words."""
    return _told(_size(path))


def _check_run(folder: Path) -> None:
    record = read_record(folder) if folder.is_dir() else None
    if record is None:
        raise InputFileError(
            f"{folder}: no {RECORD_NAME} in it, expected the folder of a run; check the path"
        )
    if not str(record.get("job", "")).startswith(_TASK):
        raise InputFileError(
            f"{folder}: holds a run of {record.get('job')}, expected one of hetero; other runs "
            "leave nothing to clean"
        )


def _epochs(folder: Path) -> Iterator[tuple[Path, int]]:
    """Files of single epochs; a folder that is a link leads elsewhere and is left alone."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        match = _EPOCH.fullmatch(path.name)
        if match and path.is_file() and not path.is_symlink():
            yield path, int(match[1])


def _size(path: Path) -> int:
    if not path.is_dir():
        return path.stat().st_size
    return sum(each.lstat().st_size for each in path.rglob("*") if not each.is_dir())


def _delete(path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)  # links inside are removed themselves, never what they lead to
        else:
            path.unlink()
    except OSError as error:
        raise InputFileError(
            f"{path}: could not be deleted ({error.strerror}); what was before it in the list is "
            "gone, check its permissions and run this again"
        ) from error


def _told(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000.0
    return f"{count:.3g} TB"
