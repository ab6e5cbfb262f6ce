"""Keeps the last few things that a warm process opened, while their files stay as they are."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")
Stamp = tuple[tuple[int, int] | None, ...]


class Kept(Generic[T]):
    """Opened things by a key; the one that was not asked for longest goes first."""

    def __init__(self, most: int) -> None:
        """Begin empty.

        Args:
            most: Things that are kept at a time, 1 or more.
        """
        self._most = most
        self._known: OrderedDict[Hashable, tuple[Stamp, T]] = OrderedDict()

    def get(self, key: Hashable, files: Sequence[Path], make: Callable[[], T]) -> T:
        """What was made under a key; made anew if a file appeared, went or changed since.

        Args:
            key: Names the thing.
            files: What it is made from; those that are not there count too.
            make: Makes it.
        """
        now = stamp_of(files)
        if key in self._known and self._known[key][0] == now:
            self._known.move_to_end(key)
            return self._known[key][1]
        self._known.pop(key, None)
        while len(self._known) >= self._most:  # before the new one, or both would need the memory
            self._known.popitem(last=False)
        made = make()
        self._known[key] = (now, made)
        return made

    def forget(self) -> None:
        """Drop everything."""
        self._known.clear()


def stamp_of(files: Sequence[Path]) -> Stamp:
    """Time of change and size of each file; None where there is none."""
    stamps: list[tuple[int, int] | None] = []
    for path in files:
        try:
            found = path.stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((found.st_mtime_ns, found.st_size))
    return tuple(stamps)
