"""Files that a tool reads and writes: never the same, and as many as it needs."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from icelens.core.errors import InputFileError, MetadataError


def refuse_overwriting(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse an output that is one of the inputs, by whatever name.

    Raises:
        InputFileError: If it is.
    """
    for path in inputs:
        if output.resolve() == path.resolve():
            raise InputFileError(f"{path}: would be written over itself; name another --output")


def require_several(flag: str, paths: Sequence[Path]) -> None:
    """Refuse fewer than two files.

    Raises:
        MetadataError: If there is only one.
    """
    if len(paths) < 2:
        raise MetadataError(
            f"{paths[0]}: the only file of {flag}, expected two or more; add others, with commas"
        )
