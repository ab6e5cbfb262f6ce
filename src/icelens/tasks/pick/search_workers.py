"""Which trials lost their process, and how they are begun again."""

import fcntl
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from icelens.core.errors import InputFileError
from icelens.jobs.lock import LOCK_NAME
from icelens.jobs.record import read_record

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

MOST_ATTEMPTS = 3
"""A trial that its machine did not survive so often is not begun again."""
_GRACE = timedelta(minutes=10)
"""Without a heartbeat for so long, a process on another machine is taken for dead."""
_NEWBORN = timedelta(minutes=1)
"""A trial without an owner is older than this only if its process died at once."""


def sign(trial: "Trial", output: Path, folder: Path) -> None:
    """Note who works on a trial, and where."""
    trial.set_user_attr("host", socket.gethostname())
    trial.set_user_attr("output", str(output.resolve()))
    trial.set_user_attr("folder", str(folder.resolve()))


def begin_again(study: "Study", trial: "FrozenTrial") -> None:
    """Queue the settings of a trial that lost its process; the next trial takes them.

    It knows the folder of the old one, to go on where that stopped.
    """
    attempt = int(trial.user_attrs.get("attempt", 1))
    if attempt < MOST_ATTEMPTS:
        past = {"attempt": attempt + 1, "continues": trial.user_attrs.get("folder")}
        study.enqueue_trial(trial.params, user_attrs=past)


def revive_dead_trials(study: "Study", output: Path) -> list[int]:
    """Mark trials whose process is gone as failed and queue them again; return their numbers.

    Called by a process between its trials: what is said to run in its own folder does not.
    """
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.storages import fail_stale_trials
    from optuna.trial import TrialState

    fail_stale_trials(study)  # by a database's heartbeat; other storages have none
    dead = []
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if not is_dead(trial, output):
            continue
        try:
            study.tell(trial.number, state=TrialState.FAIL)
        except (ValueError, UpdateFinishedTrialError):
            continue  # another process was faster
        begin_again(study, trial)
        dead.append(trial.number)
    return dead


def is_dead(trial: "FrozenTrial", output: Path) -> bool:
    """Whether the process of a running trial is surely gone.

    On this machine the lock of its folder tells, which ends with its process; of another machine,
    the heartbeat of its record, where that can be read.
    """
    owner = trial.user_attrs.get("output")
    if owner is None:
        # Optuna's times are local and say so nowhere
        started = trial.datetime_start
        return started is None or datetime.now() - started > _NEWBORN
    if Path(owner) == output.resolve():
        return True
    if trial.user_attrs.get("host") == socket.gethostname():
        return not _is_locked(Path(owner))
    return _is_silent(Path(owner))


def _is_locked(folder: Path) -> bool:
    """Whether a process runs a job in a folder of this machine."""
    try:
        handle = os.open(folder / LOCK_NAME, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # it cannot be told, and a living trial must not be lost
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _is_silent(folder: Path) -> bool:
    """Whether the record of a job says that it ended, or has said nothing for long."""
    try:
        record = read_record(folder)
        if record is None:
            return False
        heartbeat = datetime.fromisoformat(record["heartbeat"])
    except (InputFileError, KeyError, ValueError):
        return False
    return record.get("state") != "running" or datetime.now(UTC) - heartbeat > _GRACE
