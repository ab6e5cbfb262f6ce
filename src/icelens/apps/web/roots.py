"""Which files the browser may see: those below the folders given at the start."""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from icelens.core.errors import IcelensError


class OutsideRootsError(IcelensError):
    """A path that the workbench may not show."""


@dataclass(frozen=True)
class Roots:
    """Folders, links resolved; the first is the project's, from which relative paths count."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, project: Path, *others: Path) -> "Roots":
        """Roots of a project and other folders."""
        return cls(tuple(dict.fromkeys(path.resolve() for path in (project, *others))))

    def resolve(self, text: str) -> Path:
        """The file a browser means, links resolved; it need not exist.

        Raises:
            OutsideRootsError: If it does not lie below a root.
        """
        try:
            path = (self.folders[0] / text).resolve()
            mode = _mode(path)
        except (OSError, ValueError, RuntimeError) as error:
            raise OutsideRootsError(f"{text!r:.200}: is no path") from error
        if "\0" in text or not self.contains(path):
            raise OutsideRootsError(
                f"{text:.400}: lies outside the folders this workbench may show; "
                "start it with --root FOLDER to add one"
            )
        if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise OutsideRootsError(
                f"{text:.400}: is a pipe, socket or device; expected a file or a folder"
            )
        return path

    def contains(self, path: Path) -> bool:
        """Whether a resolved path lies below a root."""
        return any(path.is_relative_to(root) for root in self.folders)

    def shown(self, path: Path) -> str:
        """A path as links have it: relative to the project where it lies in it."""
        text = Path(os.path.normpath(self.folders[0] / path))
        for each in (text, Path(os.path.realpath(path))):
            if each.is_relative_to(self.folders[0]):
                return each.relative_to(self.folders[0]).as_posix()
        return str(text)


def _mode(path: Path) -> int:
    """What lies there; 0 if nothing does, or it may not be known."""
    try:
        return path.stat().st_mode
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise
        return 0
