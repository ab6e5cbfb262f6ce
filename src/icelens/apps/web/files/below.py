"""Files below a folder: a bounded number of them, no links, nothing of hidden folders."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from icelens.core.io.plain_json import is_text

_MOST_IN_FOLDER = 5000


def files_below(folder: Path, *, depth: int, most: int) -> Iterator["os.DirEntry[str]"]:
    """Files of a folder, then those of the folders in it, by name; what cannot be read has none.

    Args:
        folder: Where to begin.
        depth: Levels of folders to go down.
        most: Files to look at in all.
    """
    return islice(_walk(folder, depth), most)


def _walk(folder: Path, depth: int) -> Iterator["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            some = (entry for entry in islice(entries, _MOST_IN_FOLDER) if is_text(entry.name))
            inside = sorted(some, key=lambda entry: entry.name)
    except OSError:
        return
    yield from (entry for entry in inside if entry.is_file(follow_symlinks=False))
    for entry in inside:
        if depth and entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            yield from _walk(Path(entry.path), depth - 1)
