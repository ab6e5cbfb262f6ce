"""Pictures in a job's folder: the latest one for its card, and series by epoch for a slider."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from icelens.apps.web.files.below import files_below

MOST_LOOKED_AT = 3000
MOST_PICTURES = 400
_DEEPEST = 2
_STEP = re.compile(r"^(?P<name>.*?)[_-](?P<unit>step|epoch)[_-]?(?P<step>\d{1,12})(?P<rest>.*)$")
_TELLING = "slices"
"""Word in the name of pictures that say more of a volume than its spectra do."""
_TOGETHER = 60.0
"""Seconds within which pictures were made at one time."""
_DRAWN_LIVE = ("loss",)
"""Pictures of curves that pages draw anew from the numbers."""


@dataclass(frozen=True)
class Picture:
    """A PNG file of a job.

    Attributes:
        name: Path below the folder without ending.
        modified: Seconds since 1970.
    """

    path: Path
    name: str
    modified: float

    @property
    def title(self) -> str:
        """Its name in words."""
        return self.name.rpartition("/")[2].replace("_", " ").replace("-", " ")


@dataclass(frozen=True)
class Series:
    """The same picture at several times of a training."""

    title: str
    unit: str
    steps: tuple[int, ...]
    pictures: tuple[Picture, ...]


def pictures_in(folder: Path | None) -> list[Picture]:
    """PNG files of a folder and below, the latest first; huge folders not to their end."""
    if folder is None:
        return []
    found: list[Picture] = []
    for entry in files_below(folder, depth=_DEEPEST, most=MOST_LOOKED_AT):
        if len(found) >= MOST_PICTURES:
            break
        if entry.name.endswith(".png"):
            try:
                modified = entry.stat(follow_symlinks=False).st_mtime
            except OSError:
                continue
            path = Path(entry.path)
            name = path.relative_to(folder).with_suffix("").as_posix()
            found.append(Picture(path, name, modified))
    return sorted(found, key=lambda each: (-each.modified, each.name))


def card_picture(pictures: Sequence[Picture]) -> Picture | None:
    """The one that stands for the job: of the latest, one of slices, and no curve that we draw."""
    latest = [each for each in pictures if each.name not in _DRAWN_LIVE]
    together = [each for each in latest if each.modified > latest[0].modified - _TOGETHER]
    slices = (each for each in together if _TELLING in each.name)
    return next(slices, latest[0] if latest else None)


def sorted_out(pictures: Sequence[Picture]) -> tuple[list[Series], list[Picture]]:
    """Series by step or epoch, and the pictures that belong to none."""
    groups: dict[tuple[str, str], dict[int, Picture]] = {}
    single = []
    for picture in pictures:
        match = _STEP.match(picture.name)
        if match is None:
            if picture.name not in _DRAWN_LIVE:
                single.append(picture)
            continue
        title = f"{match['name']} {match['rest']}".rpartition("/")[2]
        words = " ".join(re.split(r"[_\-\s]+", title)).strip()
        groups.setdefault((words, match["unit"]), {})[int(match["step"])] = picture
    series = []
    ordered = sorted(groups.items(), key=lambda item: (_TELLING not in item[0][0], item[0]))
    for (title, unit), by_step in ordered:
        steps = tuple(sorted(by_step))
        series.append(Series(title, unit, steps, tuple(by_step[step] for step in steps)))
    return series, single
