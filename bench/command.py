"""Run a command of the package in a process of its own, and say what it used."""

import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """CPU time (user and system) and wall time in seconds, peak resident memory in bytes."""

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int


class CommandError(Exception):
    """A measured command failed; the message ends with what it said last."""


def run_icelens(command: str, folder: Path) -> Usage:
    """Run `icelens COMMAND` on one thread in `folder`.

    Raises:
        CommandError: If the command fails.
    """
    words = [sys.executable, "-m", "icelens.apps.cli", *shlex.split(command)]
    return run(words, folder)


def run(words: list[str], folder: Path) -> Usage:
    """Run a program on one thread; the resources are those of this child alone.

    Raises:
        CommandError: If it fails.
    """
    log = folder / "bench_command.log"
    # a source tree that is not installed is found from any folder
    path = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    started = time.monotonic()
    with log.open("w") as output:
        child = subprocess.Popen(
            words, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        # unlike getrusage(RUSAGE_CHILDREN), wait4 tells the peak of this child, not of the largest
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        said = log.read_text().strip().splitlines()[-1:]
        raise CommandError(f"{shlex.join(words[1:])} exited with {child.returncode}: {said}")
    return Usage(
        cpu_seconds=used.ru_utime + used.ru_stime,
        wall_seconds=time.monotonic() - started,
        peak_bytes=used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    )
