"""Heavy work in processes of their own: the server stays small, and a crash there harms no page.

A process is kept warm for each module of `icelens.apps.web.work`, a few at most; it ends after some
idle minutes. Requests and answers are lengths, a JSON header and bytes, over its pipes.
"""

import asyncio
import json
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

from icelens.core.errors import IcelensError

PREFIX = "icelens.apps.web.work."
IDLE_SECONDS = 300.0
MOST_WORKERS = 3
TIME_LIMIT = 300.0
MOST_WAITING = 100
"""Questions that may wait for one process; more are refused."""
_MOST_AT_ONCE = 32
LENGTHS = struct.Struct("<II")


class WorkerError(IcelensError):
    """Work that failed in a way nobody foresaw, or took too long."""


@dataclass(frozen=True)
class Answer:
    """What a function of `icelens.apps.web.work` returns: facts, and numbers as bytes."""

    data: dict[str, Any] = field(default_factory=dict)
    blob: bytes = b""


class BusyError(WorkerError):
    """More is asked at once than can be answered soon."""


class Worker:
    """One process; it does one thing at a time."""

    def __init__(self) -> None:
        """The process starts with the first call."""
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self.used = time.monotonic()

    @property
    def is_busy(self) -> bool:
        """Whether it works now."""
        return self._lock.locked()

    def call(self, function: str, arguments: dict[str, Any]) -> Answer:
        """Run a function there; a process that dies or takes too long is replaced."""
        with self._lock:
            process = self._running()
            is_late = threading.Event()

            def end_late() -> None:
                is_late.set()
                process.kill()

            alarm = threading.Timer(TIME_LIMIT, end_late)
            alarm.start()
            try:
                return _exchange(process, function, arguments)
            except (EOFError, OSError) as error:
                self._end()
                name = function.rpartition(":")[2]
                what = "took too long" if is_late.is_set() else "ended unexpectedly"
                raise WorkerError(f"{name}: the work {what}; try less at once") from error
            finally:
                alarm.cancel()
                self.used = time.monotonic()

    def stop(self) -> None:
        """End the process; what it is at is lost."""
        if self._process is not None:
            self._process.kill()
        with self._lock:
            self._end()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            command = [sys.executable, "-m", "icelens.apps.web.worker_process"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            for stream in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    if stream is not None:
                        stream.close()
            self._process.wait()
            self._process = None


def _exchange(
    process: "subprocess.Popen[bytes]", function: str, arguments: dict[str, Any]
) -> Answer:
    """Send a request and read the answer.

    Raises:
        EOFError: If the process ends meanwhile.
    """
    assert process.stdin is not None, "a pipe"
    assert process.stdout is not None, "a pipe"
    request = json.dumps({"function": function, "arguments": arguments}).encode()
    process.stdin.write(LENGTHS.pack(len(request), 0) + request)
    process.stdin.flush()
    header_size, blob_size = LENGTHS.unpack(_read(process.stdout, LENGTHS.size))
    header = json.loads(_read(process.stdout, header_size))
    blob = _read(process.stdout, blob_size)
    if "error" in header:
        raise (IcelensError if header["foreseen"] else WorkerError)(header["error"])
    return Answer(header["data"], blob)


def _read(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content


class Workers:
    """A few warm processes, one for each module that is used."""

    def __init__(self) -> None:
        """None runs yet."""
        self._workers: dict[str, Worker] = {}
        # questions wait in the event loop: threads that wait would be missing elsewhere
        self._turns: dict[str, asyncio.Lock] = {}
        self._waiting: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="worker")

    async def call(self, function: str, **arguments: Any) -> Answer:  # noqa: ANN401
        """Run `module:function` of `icelens.apps.web.work` with arguments that JSON can hold.

        Raises:
            IcelensError: What the function raised.
            WorkerError: If it failed in another way, or took too long.
            BusyError: If too many wait already.
        """
        module = function.partition(":")[0]
        if not module.startswith(PREFIX):
            raise WorkerError(f"{function}: is no work of the workbench")
        if self._waiting[module] >= MOST_WAITING:
            raise BusyError(f"{function.rpartition(':')[2]}: too much is asked at once; ask again")
        self._waiting[module] += 1
        try:
            async with self._turns.setdefault(module, asyncio.Lock()):
                self._end_some(module)
                worker = self._workers.setdefault(module, Worker())
                work = partial(worker.call, function, arguments)
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting[module] -= 1

    def end_idle(self) -> None:
        """End processes that have had nothing to do for long."""
        for module, worker in list(self._workers.items()):
            if not worker.is_busy and time.monotonic() - worker.used > IDLE_SECONDS:
                self._workers.pop(module).stop()

    def stop(self) -> None:
        """End all."""
        for worker in self._workers.values():
            worker.stop()
        self._workers.clear()
        self._threads.shutdown(wait=False)

    def _end_some(self, wanted: str) -> None:
        """Make room: the one that was idle for longest ends."""
        idle = sorted(
            (module for module, each in self._workers.items() if not each.is_busy),
            key=lambda module: self._workers[module].used,
        )
        while wanted not in self._workers and len(self._workers) >= MOST_WORKERS and idle:
            self._workers.pop(idle.pop(0)).stop()
