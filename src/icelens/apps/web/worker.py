"""Heavy work in processes of their own: the server stays small, and a crash there harms no page.

A process is kept warm for each module of `icelens.apps.web.work`, a few at most; it ends after some
idle minutes. Requests and answers are lengths, a JSON header and bytes, over its pipes.
"""

import asyncio
import json
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from icelens.core.errors import IcelensError

PREFIX = "icelens.apps.web.work."
IDLE_SECONDS = 300.0
MOST_WORKERS = 3
TIME_LIMIT = 300.0
LENGTHS = struct.Struct("<II")


class WorkerError(IcelensError):
    """Work that failed in a way nobody foresaw, or took too long."""


@dataclass(frozen=True)
class Answer:
    """What a function of `icelens.apps.web.work` returns: facts, and numbers as bytes."""

    data: dict[str, Any] = field(default_factory=dict)
    blob: bytes = b""


class Worker:
    """One process; it does one thing at a time."""

    def __init__(self) -> None:
        """The process starts with the first call."""
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self.used = time.monotonic()

    @property
    def is_busy(self) -> bool:
        """Whether it works now."""
        return self._lock.locked()

    async def call(self, function: str, arguments: dict[str, Any]) -> Answer:
        """Run a function there; a process that dies or takes too long is replaced."""
        async with self._lock:
            try:
                async with asyncio.timeout(TIME_LIMIT):
                    return await self._exchange(function, arguments)
            except (asyncio.IncompleteReadError, ConnectionError, TimeoutError) as error:
                self.stop()
                what = "took too long" if isinstance(error, TimeoutError) else "ended unexpectedly"
                name = function.rpartition(":")[2]
                raise WorkerError(f"{name}: the work {what}; try less at once") from error
            except asyncio.CancelledError:
                self.stop()  # whoever asked is gone; the answer would be taken for the next one
                raise
            finally:
                self.used = time.monotonic()

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process = None

    async def _exchange(self, function: str, arguments: dict[str, Any]) -> Answer:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "icelens.apps.web.worker_process",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        reader, writer = self._process.stdout, self._process.stdin
        assert reader is not None, "a pipe"
        assert writer is not None, "a pipe"
        request = json.dumps({"function": function, "arguments": arguments}).encode()
        writer.write(LENGTHS.pack(len(request), 0) + request)
        await writer.drain()
        header_size, blob_size = LENGTHS.unpack(await reader.readexactly(LENGTHS.size))
        header = json.loads(await reader.readexactly(header_size))
        blob = await reader.readexactly(blob_size)
        if "error" in header:
            raise (IcelensError if header["foreseen"] else WorkerError)(header["error"])
        return Answer(header["data"], blob)


class Workers:
    """A few warm processes, one for each module that is used."""

    def __init__(self) -> None:
        """None runs yet."""
        self._workers: dict[str, Worker] = {}

    async def call(self, function: str, **arguments: Any) -> Answer:  # noqa: ANN401
        """Run `module:function` of `icelens.apps.web.work` with arguments that JSON can hold.

        Raises:
            IcelensError: What the function raised.
            WorkerError: If it failed in another way, or took too long.
        """
        module = function.partition(":")[0]
        if not module.startswith(PREFIX):
            raise WorkerError(f"{function}: is no work of the workbench")
        self._end_some(module)
        return await self._workers.setdefault(module, Worker()).call(function, arguments)

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

    def _end_some(self, wanted: str) -> None:
        """Make room: the one that was idle for longest ends."""
        idle = sorted(
            (module for module, each in self._workers.items() if not each.is_busy),
            key=lambda module: self._workers[module].used,
        )
        while wanted not in self._workers and len(self._workers) >= MOST_WORKERS and idle:
            self._workers.pop(idle.pop(0)).stop()
