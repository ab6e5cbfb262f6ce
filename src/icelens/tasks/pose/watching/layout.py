"""What lies where in the output of a watch, and how finished tables come to their place."""

from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PARTICLES = "particles"


@dataclass(frozen=True)
class Layout:
    """Folders below the shared output."""

    live: Path

    @property
    def accounts(self) -> Path:
        """Sums and names of files of each process."""
        return self.live / "accounts"

    @property
    def claims(self) -> Path:
        """Who has which file."""
        return self.live / "claims"

    def published(self, name: str) -> Path:
        """Table with the poses of a file that counts."""
        return self.live / _PARTICLES / f"{name}.star"

    def unpublished(self, account: Path, name: str) -> Path:
        """The same before it counts, in the folder of its account."""
        return account / _PARTICLES / f"{name}.star"


def publish(layout: Layout, account: Path, included: Container[str]) -> None:
    """Move tables of files that count to their place.

    Anybody may do it, again and again: of a process that was killed in between others do it.
    """
    folder = layout.unpublished(account, "").parent
    if not folder.is_dir():
        return
    for path in [each for each in folder.iterdir() if each.stem in included]:
        target = layout.published(path.stem)
        target.parent.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            path.rename(target)
