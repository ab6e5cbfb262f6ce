"""What is written is never what was read, by whatever name it goes."""

from collections.abc import Iterable
from pathlib import Path

from icelens.core.errors import InputFileError


def refuse_overwriting(outputs: Path | Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse outputs that are inputs, by whatever name.

    Args:
        outputs: What will be written; may be there already or not.
        inputs: What is read.

    Raises:
        InputFileError: If one of them is both.
    """
    if isinstance(outputs, Path):
        outputs = (outputs,)
    written = {path.resolve() for path in outputs}
    for path in inputs:
        if path.resolve() in written:
            raise InputFileError(f"{path}: would be written over itself; name another --output")
