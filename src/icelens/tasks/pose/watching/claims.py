"""Who works on which file: of any number of processes on any machines, one has it.

A claim is a folder named after the file that holds one empty file named after the worker. It is
made complete by one renaming, which fails if the folder exists, and changes hands by renaming the
file in it; both are atomic.
"""

from pathlib import Path

from icelens.core.io.exclusive import make_once, rename_once

NOBODY = "nobody"
"""Owner of files that were given back; no worker is called so."""


class Claims:
    """The claims below a folder; nothing is kept in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> set[str]:
        """Files that somebody has, or had when it finished them."""
        try:
            return {each.name for each in self._folder.iterdir() if not each.name.startswith(".")}
        except FileNotFoundError:
            return set()

    def take(self, name: str, worker: str) -> bool:
        """Claim a file for a worker; False if somebody was first."""
        return make_once(self._folder / name, {worker: ""})

    def owner(self, name: str) -> str | None:
        """Worker who has a file; None if nobody, or while it changes hands."""
        try:
            found = sorted(each.name for each in (self._folder / name).iterdir())
        except FileNotFoundError:
            return None
        return found[0] if found else None

    def take_over(self, name: str, owner: str, worker: str) -> bool:
        """Take a file from nobody, or an owner whose account is closed; False if another did."""
        return rename_once(self._folder / name / owner, self._folder / name / worker)

    def give_back(self, name: str, worker: str) -> None:
        """Let others have a file; if one of them took it before, it stays with that one."""
        self.take_over(name, worker, NOBODY)
