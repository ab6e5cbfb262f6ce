"""Keep a tool from writing over what it reads."""

from collections.abc import Iterable
from pathlib import Path

from icelens.core.errors import InputFileError


def refuse_overwriting(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse an output that is one of the inputs, by whatever name.

    Raises:
        InputFileError: If it is.
    """
    for path in inputs:
        if output.resolve() == path.resolve():
            raise InputFileError(f"{path}: would be written over itself; name another --output")
