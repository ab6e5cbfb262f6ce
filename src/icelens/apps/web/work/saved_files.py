"""Names for files that a viewer saves: never one that is taken."""

from collections.abc import Sequence
from pathlib import Path

from icelens.core.errors import InputFileError
from icelens.core.io.atomic import make_folder

_MOST = 10_000


def free_path(folder: Path, name: str, endings: Sequence[str]) -> Path:
    """`folder/name` with the first ending, or `name-2` and so on if any of them is taken.

    Args:
        folder: Made if it is not there.
        name: Without ending; letters, numbers, blanks, dots, dashes.
        endings: Of the files that will be written.

    Raises:
        InputFileError: If the name leads elsewhere, or the folder cannot be made.
    """
    if not name or Path(name).name != name or name.startswith(".") or "\0" in name:
        raise InputFileError(f"{name[:60]!r}: is no name for a file; use letters and numbers")
    make_folder(folder)
    for number in range(1, _MOST):
        tried = name if number == 1 else f"{name}-{number}"
        if not any((folder / f"{tried}{ending}").exists() for ending in endings):
            return folder / f"{tried}{endings[0]}"
    raise InputFileError(f"{folder}: has {_MOST} files called {name}; choose another name")


def below(path: Path, project: Path) -> Path:
    """A path as typed from the project's folder, for commands; itself if it lies elsewhere."""
    return path.relative_to(project) if path.is_relative_to(project) else path
