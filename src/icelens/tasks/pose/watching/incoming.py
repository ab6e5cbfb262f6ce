"""The files of a folder that somebody still writes to: which there are, and which are complete."""

import fnmatch
import hashlib
import os
import re
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from icelens.core.errors import InputFileError

_LONGEST_STEM = 100
"""Bytes; names of files may have 255, and others are added."""

Signature = tuple[int, int]
"""Size in bytes, and time of the last change in ns."""


@dataclass(frozen=True)
class Entry:
    """A file that is followed.

    Attributes:
        key: What it is called in reports: its path below the folder, or its whole path if a link
            leads out of it. Several links to one file are one.
        path: Where it was found.
        signature: When it was looked at last.
    """

    key: str
    path: Path
    signature: Signature

    @property
    def name(self) -> str:
        """Short name, the same on every machine, safe in file systems, and different for each key.

        What is readable of the stem, and a part of a hash of the key.
        """
        composed = unicodedata.normalize("NFC", self.key)  # macOS takes letters apart
        digest = hashlib.sha256(composed.encode()).hexdigest()[:10]
        stem = re.sub(r"[^\w.-]+", "_", Path(composed).stem).lstrip(".")
        return f"{stem.encode()[:_LONGEST_STEM].decode(errors='ignore')}-{digest}"


@dataclass
class _Seen:
    signature: Signature
    since: float
    was_there: bool
    """At the first look, and unchanged since."""


class Incoming:
    """Looks again and again at a folder and its subfolders."""

    def __init__(self, folder: Path, pattern: str, *, settle: float, without: Path) -> None:
        """Nothing is looked at yet.

        Args:
            folder: Below which files appear.
            pattern: Of their names, such as `*.star`.
            settle: Seconds without a change after which a file is complete.
            without: Folder that is left out: our own results must not come in again.

        Raises:
            InputFileError: If there is no such folder, or it is the one that is left out.
        """
        if not folder.is_dir():
            raise InputFileError(
                f"{folder}: no such folder; give the one in which particle files appear"
            )
        if folder.resolve() == without.resolve():
            raise InputFileError(
                f"{folder}: is also --output, whose files are not taken; choose another --output"
            )
        self._folder = folder
        self._pattern = pattern
        self._settle = settle
        self._without = without.resolve()
        self._seen: dict[str, _Seen] = {}
        self._looks = 0

    def look(self) -> list[Entry]:
        """The files that did not change for long enough, oldest first.

        Time is measured by looking twice: the clock of who writes may be wrong.
        """
        now = time.monotonic()
        entries = {entry.key: entry for entry in self._entries()}
        self._seen = {key: seen for key, seen in self._seen.items() if key in entries}
        for key, entry in entries.items():
            seen = self._seen.get(key)
            if seen is None:
                self._seen[key] = _Seen(entry.signature, now, was_there=self._looks == 0)
            elif seen.signature != entry.signature:
                self._seen[key] = _Seen(entry.signature, now, was_there=False)
        self._looks += 1
        complete = [
            entry
            for key, entry in entries.items()
            if now - self._seen[key].since >= self._settle and entry.signature[0] > 0
        ]
        return sorted(complete, key=lambda entry: (entry.signature[1], entry.key))

    def are_settling(self) -> bool:
        """Whether files of the first look, unchanged since, are not known to be complete yet."""
        now = time.monotonic()
        return self._looks == 0 or any(
            seen.was_there and now - seen.since < self._settle for seen in self._seen.values()
        )

    @property
    def num_seen(self) -> int:
        """Files that matched at the last look, complete or not."""
        return len(self._seen)

    def _entries(self) -> Iterator[Entry]:
        root = self._folder.resolve()
        for path in self._files():
            try:
                status = path.stat()
            except OSError:
                continue  # removed meanwhile, or a link that leads nowhere yet
            real = path.resolve()
            inside = real.is_relative_to(root)
            key = os.fsencode(real.relative_to(root) if inside else real)
            text = key.decode("utf-8", "backslashreplace")
            yield Entry(text, path, (status.st_size, status.st_mtime_ns))

    def _files(self) -> Iterator[Path]:
        """Matching files, each folder once, links followed; hidden ones are not finished."""
        visited: set[Path] = set()
        for folder, inner, files in os.walk(self._folder, followlinks=True):
            real = Path(folder).resolve()
            if real in visited or real == self._without:
                inner.clear()
                continue
            visited.add(real)
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            for name in sorted(files):
                if fnmatch.fnmatch(name, self._pattern) and not name.startswith("."):
                    yield Path(folder) / name
