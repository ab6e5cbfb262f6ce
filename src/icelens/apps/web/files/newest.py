"""The newest files of a project that fit a pattern, for pages that offer what there is."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from icelens.core.io.plain_json import is_text

MOST = 200
_MOST_LOOKED_AT = 20_000


def newest_files(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """Plain files that fit one of some glob patterns, the newest first.

    Args:
        folder: Where the patterns begin.
        patterns: Such as `*/*.star`; of very many files only some are looked at.
    """
    fitting = (path for pattern in patterns for path in folder.glob(pattern))
    found: list[tuple[float, Path]] = []
    for path in islice(fitting, _MOST_LOOKED_AT):
        try:
            if is_text(str(path)) and path.is_file():
                found.append((path.stat().st_mtime, path))
        except OSError:  # it is gone, or leads in a circle
            continue
    return [path for _, path in sorted(found, reverse=True)[:MOST]]
