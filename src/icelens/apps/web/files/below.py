"""Files below a folder: a bounded number of them, no links, nothing hidden."""

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

_MOST_IN_FOLDER = 5000
_MOST_LOOKED_AT = 20_000
_DEPTH_OF_RUNS = 3
"""Folders between a project and the files of a run, such as `jobs/0007-hetero-train`."""


def files_below(folder: Path, *, depth: int, most: int) -> Iterator["os.DirEntry[str]"]:
    """Files of a folder, then those of the folders in it, by name; what cannot be read has none.

    Args:
        folder: Where to begin.
        depth: Levels of folders to go down.
        most: Files to look at in all.
    """
    return islice(_walk(folder, depth), most)


def newest_below(folder: Path, is_wanted: Callable[[str], bool], most: int) -> list[Path]:
    """Files of a project whose names are wanted, the newest first."""
    found = []
    for entry in files_below(folder, depth=_DEPTH_OF_RUNS, most=_MOST_LOOKED_AT):
        if is_wanted(entry.name):
            try:
                found.append((entry.stat(follow_symlinks=False).st_mtime, Path(entry.path)))
            except OSError:
                continue  # gone since
    return [path for _, path in sorted(found, reverse=True)[:most]]


def _walk(folder: Path, depth: int) -> Iterator["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            inside = sorted(islice(entries, _MOST_IN_FOLDER), key=lambda entry: entry.name)
    except OSError:
        return
    yield from (entry for entry in inside if entry.is_file(follow_symlinks=False))
    for entry in inside:
        if depth and entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            yield from _walk(Path(entry.path), depth - 1)
