"""A real `icelens serve` over a folder, which tests may kill and start again."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from icelens.jobs.project.entry import Entry
from icelens.jobs.project.project import open_project
from icelens.jobs.project.queue import Queue

_LINK = re.compile(r"http://127\.0\.0\.1:(\d+)/enter\?token=\S+(?=\s)")
_START_SECONDS = 90.0
SOURCE = Path(__file__).parents[2] / "src"


@dataclass
class Served:
    """The workbench of one project, and a look at its queue from outside."""

    folder: Path
    link: str = ""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def base(self) -> str:
        """The address without a path."""
        return self.link.partition("/enter")[0]

    @property
    def queue(self) -> Queue:
        return Queue(open_project(self.folder))

    def job(self, number: int) -> Entry:
        return self.queue.get(number)

    def start(self, *flags: str) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")]),
            # the list of projects opened lately is the user's, not ours
            "XDG_CONFIG_HOME": str(self.folder.parent / "configuration"),
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-m", "icelens.apps.cli", "serve", str(self.folder)]
        self._process = subprocess.Popen(
            [*command, "--port", "0", *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        self.link = self._printed_link()

    def kill(self) -> None:
        """As a machine that fails would: no time to tidy."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As Ctrl-C does; jobs that run on are stopped first, so that tests leave nothing."""
        if self._process is None:
            return
        for entry in self.queue.entries(states=("running", "queued", "waiting")):
            self.queue.cancel(entry.number)
        _until(lambda: not self.queue.entries(states=("running",)), 30.0)
        self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def _printed_link(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        source, said = self._process.stdout.fileno(), ""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            ready, _, _ = select.select([source], [], [], 1.0)
            # below the buffer of the file: what lies in it, select does not see
            said += os.read(source, 4096).decode() if ready else ""
            if found := _LINK.search(said):
                return found.group(0)
        raise AssertionError(f"the server did not start: {said}")


def _until(is_so: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not is_so():
        time.sleep(0.2)
