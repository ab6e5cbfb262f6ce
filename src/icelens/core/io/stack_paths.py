"""Where the image stacks that a particle file names really lie."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from icelens.core.errors import MetadataError

_FORMAT = re.compile(r":mrcs?$")


def find_stacks(
    source: Path, names: Sequence[str], stack_root: Path | None = None
) -> tuple[Path, ...]:
    """The file of each name; where none is found, the place where it should have been.

    Relative names are looked for under `stack_root`, with and without their leading folders. If it
    is not given: beside `source`, in the folders above it (RELION and cryoSPARC name files from
    their project's folder), and in the working folder.

    Args:
        source: File that names the stacks.
        names: As they are written there; cryoSPARC's leading `>` and RELION's `:mrcs` behind a
            name are left out.
        stack_root: Folder of the stacks, as the user knows it.

    Raises:
        MetadataError: If two names lead to one file below `stack_root`.
    """
    bases = [stack_root] if stack_root is not None else [source.parent, *_above(source), Path()]
    found: dict[Path, str] = {}
    paths = []
    for name in names:
        path, bases = _find(_plain(name), bases, is_trimmed=stack_root is not None)
        other = found.setdefault(path, name)
        if _plain(other) != _plain(name):
            raise MetadataError(
                f"{source}: stacks {other} and {name} would both be {path}; give the folder in "
                "which their own folders lie"
            )
        paths.append(path)
    return tuple(paths)


def stack_name(target: Path, stack: Path, name: str | None = None) -> str:
    """How a file at `target` has to call a stack so that `find_stacks` finds it again.

    Args:
        target: File that will name the stack.
        stack: The stack.
        name: How another file calls it; kept if it leads to the same stack.
    """
    folder = target.absolute().parent
    absolute = stack.absolute()
    if name is not None and not Path(name).is_absolute():
        (found,) = find_stacks(target, [name])
        if found.is_file() and found.absolute() == absolute:
            return name
    if absolute.is_relative_to(folder):
        return absolute.relative_to(folder).as_posix()
    return absolute.as_posix()


def _plain(name: str) -> Path:
    """The path of a name without cryoSPARC's mark in front and RELION's word for the format."""
    return Path(_FORMAT.sub("", name.removeprefix(">")))


def _above(source: Path) -> Iterable[Path]:
    return source.absolute().parent.parents


def _find(path: Path, bases: list[Path], *, is_trimmed: bool) -> tuple[Path, list[Path]]:
    """The file and the bases with the one that had it first, because the next will be there too."""
    if path.is_absolute() and path.is_file():
        return path, bases
    if path.is_absolute() and not is_trimmed:
        return path, bases
    for base in bases:
        for shorter in _trimmed(path) if is_trimmed else [path]:
            if (base / shorter).is_file():
                return base / shorter, [base, *(other for other in bases if other != base)]
    return bases[0] / path, bases


def _trimmed(path: Path) -> Iterator[Path]:
    """The path without its first folder, without the first two, and so on."""
    parts = path.parts[1:] if path.is_absolute() else path.parts
    for start in range(len(parts)):
        yield Path(*parts[start:])
