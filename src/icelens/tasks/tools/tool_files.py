"""Files that a tool reads: as many as it needs."""

from collections.abc import Sequence
from pathlib import Path

from icelens.core.errors import MetadataError


def require_several(flag: str, paths: Sequence[Path]) -> None:
    """Refuse fewer than two files.

    Raises:
        MetadataError: If there is only one.
    """
    if len(paths) < 2:
        raise MetadataError(
            f"{paths[0]}: the only file of {flag}, expected two or more; add others, with commas"
        )
