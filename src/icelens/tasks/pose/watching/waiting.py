"""Files that came before their images: tables are small and arrive first."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import MetadataError, MissingStackError
from icelens.core.events import Message, OnEvent
from icelens.core.io.particle_files import read_particles
from icelens.tasks.pose.watching.incoming import Entry, Signature

_RETRY_SECONDS = 10.0


@dataclass(frozen=True)
class _Waiting:
    signature: Signature
    missing: Path | None
    try_at: float


class WaitingRoom:
    """Reads files, and remembers those whose stacks are not there or still written to."""

    def __init__(self, stack_root: Path | None, settle: float, on_event: OnEvent) -> None:
        """Nobody waits.

        Args:
            stack_root: Folder of the stacks, if they are not where the files say.
            settle: Seconds without a change after which a stack is complete.
            on_event: Hears once of each file that waits.
        """
        self._stack_root = stack_root
        self._settle = settle
        self._on_event = on_event
        self._waiting: dict[str, _Waiting] = {}

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def holds(self, entry: Entry) -> bool:
        """Whether it is too early to try a file again."""
        waiting = self._waiting.get(entry.name)
        if waiting is None or entry.signature != waiting.signature:
            return False
        if waiting.missing is not None and not waiting.missing.is_file():
            return True
        return time.monotonic() < waiting.try_at

    def forget(self, entry: Entry) -> None:
        """A file waits no longer."""
        self._waiting.pop(entry.name, None)

    def complete(self, entry: Entry, now: float) -> ParticleFile | None:
        """The particles of a file, or None if it has to wait.

        Args:
            entry: The file.
            now: Time of the file server, in s.

        Raises:
            IcelensError: If something else is wrong with the file.
        """
        missing: Path | None = None
        try:
            file = self._read(entry)
        except MissingStackError as error:
            reason = str(error)
        else:
            if not len(file):
                raise MetadataError(f"{entry.path}: holds no particle; expected one or more")
            used = _used_stacks(file)
            missing = next((stack for stack in used if not stack.is_file()), None)
            if missing is None and not self._are_young(used, now):
                return file
            reason = f"{missing} is not there" if missing else "its images are still written to"
        known = self._waiting.get(entry.name)
        if known is None or known.signature != entry.signature:
            self._on_event(Message(f"{entry.key}: waits, {reason}"))
        try_at = time.monotonic() + min(_RETRY_SECONDS, self._settle)
        self._waiting[entry.name] = _Waiting(entry.signature, missing, try_at)
        return None

    def _read(self, entry: Entry) -> ParticleFile:
        """Read a file; stacks of a link may lie beside it, or beside what it leads to."""
        paths = dict.fromkeys([entry.path, entry.path.resolve()])
        *others, last = paths
        for path in others:
            try:
                file = read_particles(path, stack_root=self._stack_root, on_event=self._on_event)
            except MissingStackError:
                continue
            if all(stack.is_file() for stack in _used_stacks(file)):
                return file
        return read_particles(last, stack_root=self._stack_root, on_event=self._on_event)

    def _are_young(self, stacks: Iterable[Path], now: float) -> bool:
        ages = (now - stack.stat().st_mtime for stack in stacks)
        return any(0 <= age < self._settle for age in ages)


def _used_stacks(file: ParticleFile) -> list[Path]:
    return [file.particles.stacks[stack] for stack in np.unique(file.particles.stack)]
