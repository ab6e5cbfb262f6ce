"""Run one attempt of a job of the queue, watch it, and write down how it ended.

    python -m icelens.jobs.project.supervisor CONTROL_FOLDER ATTEMPT [TASK] [-- LAUNCHER ...]

Tasks count from 1. A launcher, such as torchrun with its flags up to `-m --`, starts the module of
the job in the place of `python -m`.

It belongs to nobody: neither the server nor the terminal it was started from can take it down. It
only needs the files of its job, so that it runs on any machine that sees the project's folder.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import IO

from icelens.core.errors import IcelensError
from icelens.jobs.project.attempt import (
    Attempt,
    attempt_path,
    cancel_path,
    claim,
    launch_path,
    output_names,
    process_born,
    read_json,
    write_attempt,
)
from icelens.jobs.record import now

BEAT_SECONDS = 5.0
LOOK_SECONDS = 0.25
GRACE_SECONDS = 30.0
"""A job that was asked to stop is killed after this long."""
_PARENT_DEATH_SIGNAL = 1


class Supervisor:
    """Watches one process from its start to its end."""

    def __init__(
        self, control: Path, number: int, task: int | None = None, launcher: Sequence[str] = ()
    ) -> None:
        """Nothing is done before `run`."""
        self._launcher = list(launcher)
        self._control = control
        self._number = number
        self._task = task
        self._path = attempt_path(control, number, task)
        self._asked: float | None = None
        self._was_signalled = False

    def run(self) -> int:
        """Take the attempt and run it; return the job's exit code, or 0 if another took it."""
        pid = os.getpid()
        self._attempt = Attempt(socket.gethostname(), pid, process_born(pid), started=now())
        if not claim(self._path, self._attempt):
            return 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        out, err = (self._control / name for name in output_names(self._task))
        with out.open("ab") as out_file, err.open("ab") as err_file:
            code = self._watch(out_file, err_file)
        self._attempt = replace(
            self._attempt, exit_code=code, ended=now(), is_cancelled=self._asked is not None
        )
        write_attempt(self._path, self._attempt)
        return code

    def _watch(self, out: IO[bytes], err: IO[bytes]) -> int:
        try:
            process = self._start(out, err)
        except (OSError, LookupError, TypeError) as error:
            err.write(f"icelens: the job could not be started ({error})\n".encode())
            return 2
        beaten = time.monotonic()
        while (code := process.poll()) is None:
            time.sleep(LOOK_SECONDS)
            if self._asked is None and self._is_asked():
                self._asked = time.monotonic()
                _signal(process, signal.SIGINT)
            elif self._asked is not None and time.monotonic() - self._asked > GRACE_SECONDS:
                _signal(process, signal.SIGKILL)
            if time.monotonic() - beaten > BEAT_SECONDS:
                beaten = time.monotonic()
                self._attempt = replace(self._attempt, beat=self._attempt.beat + 1)
                with suppress(IcelensError):  # a full disk must not end a job that may succeed
                    write_attempt(self._path, self._attempt)
        return code

    def _start(self, out: IO[bytes], err: IO[bytes]) -> "subprocess.Popen[bytes]":
        launch = read_json(launch_path(self._control, self._number))
        if launch is None:
            raise OSError(f"{launch_path(self._control, self._number)} cannot be read")
        command = [str(word) for word in launch["command"]]
        if self._task is not None:
            command += [str(word) for word in launch["tasks"][self._task - 1]]
        if self._launcher:
            command[:2] = self._launcher  # in the place of: python -m
        return subprocess.Popen(
            [sys.executable if word == "{python}" else word for word in command],
            cwd=self._control / str(launch["working_directory"]),
            env={**os.environ, **launch["environment"]},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )

    def _is_asked(self) -> bool:
        return self._was_signalled or cancel_path(self._control, self._number).exists()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """A scheduler that ends the supervisor ends the job cleanly."""
        del number, frame
        self._was_signalled = True


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    """To the job and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _die_with_parent() -> None:
    """Let the job stop, cleanly, if its supervisor is killed: nobody would know of it any more."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGINT)


def main(words: list[str]) -> int:
    """Run the attempt that the words name."""
    launcher = words[words.index("--") + 1 :] if "--" in words else []
    control, number, *task = words[: words.index("--")] if launcher else words
    return Supervisor(Path(control), int(number), int(task[0]) if task else None, launcher).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
