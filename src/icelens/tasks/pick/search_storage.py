"""Where the trials of a search are recorded: a journal file, or a database for many machines."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icelens.core.errors import InputFileError

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial

JOURNAL_NAME = "trials.log"
HEARTBEAT_SECONDS, GRACE_SECONDS = 60, 600
"""How often a process tells a database that its trial lives, and when silence means death."""
_SQLITE_WAIT = 60.0
"""Seconds to wait for other writers; SQLite's own 5 are few where a disk is slow."""


def is_url(storage: str) -> bool:
    """Whether a database is meant and not a file."""
    return "://" in storage


def shown(storage: str) -> str:
    """A storage for messages, without its password."""
    head, mark, tail = storage.partition("://")
    user, at, host = tail.rpartition("@")
    return f"{head}{mark}{user.partition(':')[0]}{at}{host}" if mark else storage


def open_storage(storage: str, on_dead: "Callable[[Study, FrozenTrial], None]") -> "BaseStorage":
    """Open a journal or a database; what is not there is made.

    Args:
        storage: A path, or a URL that SQLAlchemy understands.
        on_dead: Called with a trial whose process a database has not heard of for long.

    Raises:
        InputFileError: If it cannot be opened, is locked, or is something else.
    """
    with explained_storage(storage):
        if is_url(storage):
            return _database(storage, on_dead)
        return _journal(Path(storage))


@contextmanager
def explained_storage(storage: str) -> Iterator[None]:
    """Turn what Optuna and the database say into one line.

    Raises:
        InputFileError: In place of their errors.
    """
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        raise InputFileError(f"{shown(storage)}: {_explained(error)}") from error


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna from printing: what matters is told by events."""
    from optuna.exceptions import ExperimentalWarning

    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        logger.setLevel(level)


def _journal(path: Path) -> "BaseStorage":
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    if path.is_dir():
        raise InputFileError(f"{path}: is a folder, expected a journal file or a database's URL")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _check_first_line(path)
        backend = JournalFileBackend(str(path))
        _cut_last_word(path)
        return JournalStorage(backend)
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be used as the journal of a search ({error.strerror}); choose another "
            "with --storage"
        ) from error
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise InputFileError(
            f"{path}: not the journal of a search, or damaged; expected lines of JSON that Optuna "
            "wrote, choose another with --storage"
        ) from error


def _check_first_line(path: Path) -> None:
    """Refuse, and thereby leave alone, a file that Optuna did not begin.

    Raises:
        ValueError: If its first line is no entry of a journal.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        first = file.readline()
    if first.endswith(b"\n") and "op_code" not in json.loads(first):
        raise ValueError("an entry without an operation")
    if first and not first.endswith(b"\n") and not first.startswith(b'{"op_code"'):
        raise ValueError("not an entry")


def _cut_last_word(path: Path) -> None:
    """Remove a last line that a killed process wrote by half; the next one would be glued to it."""
    from optuna.storages.journal import JournalFileSymlinkLock

    lock = JournalFileSymlinkLock(str(path))
    lock.acquire()
    try:
        content = path.read_bytes()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            with path.open("r+b") as file:
                file.truncate(end)
    finally:
        lock.release()


def _database(url: str, on_dead: "Callable[[Study, FrozenTrial], None]") -> "BaseStorage":
    from optuna.storages import RDBStorage

    options: dict[str, Any] = {"pool_pre_ping": True}
    if url.startswith("sqlite") and "timeout=" not in url:
        options["connect_args"] = {"timeout": _SQLITE_WAIT}
    try:
        with warnings.catch_warnings():
            # newer versions have another name for the callback, which older ones do not know
            warnings.simplefilter("ignore", FutureWarning)
            return RDBStorage(
                url,
                engine_kwargs=options,
                heartbeat_interval=HEARTBEAT_SECONDS,
                grace_period=GRACE_SECONDS,
                failed_trial_callback=on_dead,
            )
    except ImportError as error:
        name = getattr(error, "name", None) or "of this database"
        raise InputFileError(
            f"{shown(url)}: the Python driver {name} is not installed; install it with pip, or "
            "leave --storage out to use a journal file"
        ) from error
    except (ValueError, RuntimeError) as error:
        raise InputFileError(f"{shown(url)}: {_first_line(error)}; check --storage") from error


def _explained(error: BaseException) -> str:
    """The innermost reason with a remedy."""
    reasons = [error]
    while (cause := reasons[-1].__cause__ or reasons[-1].__context__) is not None:
        reasons.append(cause)
    text = " ".join(_first_line(reason) for reason in reasons)
    if "locked" in text:
        return (
            "the study database is locked by another program; wait for it to end, or use a journal "
            "file or PostgreSQL for many processes"
        )
    return (
        f"the study database does not answer ({_first_line(reasons[-1])}); check the server, "
        "the name and your rights, then go on with --resume"
    )


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
