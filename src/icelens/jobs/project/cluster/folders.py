"""Where lanes lie: in the project, the user's settings, the site's folders; ready ones to copy."""

import os
import re
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from icelens.core.errors import IcelensError
from icelens.jobs.project.cluster.lane import ClusterLane, read_lane
from icelens.jobs.project.cluster.lane_file import LANE_NAME, is_lane_name, read_lane_file
from icelens.jobs.project.cluster.script import TEMPLATE_NAME

SITE_VARIABLE = "ICELENS_LANES"
"""Folders of lanes of the site, separated as in PATH."""
LANES_FOLDER = "lanes"
_READY = files("icelens.jobs.project.cluster") / "ready"


class LaneExistsError(IcelensError):
    """A lane of that name is there already."""


def ready_lanes() -> dict[str, str]:
    """Names and titles of the lanes that come with icelens, to be copied and edited."""
    found: dict[str, str] = {}
    for folder in sorted(_READY.iterdir(), key=lambda entry: entry.name):
        with as_file(folder) as path:
            found[folder.name] = read_lane_file(path / LANE_NAME).title
    return found


def find_lanes(project: Path) -> dict[str, ClusterLane]:
    """Lanes of clusters by name; the project's come before the user's, and those before the site's.

    Those that cannot be read are left out; `lane_problems` tells of them.
    """
    return _look(project)[0]


def lane_problems(project: Path) -> list[str]:
    """What is wrong with lanes that cannot be used, a line for each."""
    return _look(project)[1]


def add_lane(project: Path, kind: str, name: str | None = None) -> Path:
    """Copy a lane that comes with icelens into the project, to be edited; return its folder.

    Args:
        project: Its folder.
        kind: One of `ready_lanes`.
        name: Of the lane; `kind` if None.

    Raises:
        IcelensError: If there is no such lane, or the name cannot be one.
        LaneExistsError: If the project has a lane of that name.
    """
    kinds = ready_lanes()
    if kind not in kinds:
        raise IcelensError(f"{kind!r:.60}: no such lane; there are {', '.join(kinds)}")
    name = kind if name is None else name
    if not is_lane_name(name):
        raise IcelensError(
            f"{name!r:.60}: is no name for a lane of a cluster; expected a-z, 0-9, _ and -, "
            "beginning with a letter, and not cpu, gpu or local"
        )
    folder = project / LANES_FOLDER / name
    if folder.exists():
        raise LaneExistsError(f"{folder}: is there already; edit it, or choose another name")
    folder.mkdir(parents=True)
    with as_file(_READY / kind) as ready:
        text = (ready / LANE_NAME).read_text(encoding="utf-8")
        named = re.sub(r"^name: .*$", f"name: {name}", text, count=1, flags=re.MULTILINE)
        (folder / LANE_NAME).write_text(named, encoding="utf-8")
        shutil.copyfile(ready / TEMPLATE_NAME, folder / TEMPLATE_NAME)
    return folder


def _look(project: Path) -> tuple[dict[str, ClusterLane], list[str]]:
    lanes: dict[str, ClusterLane] = {}
    problems: list[str] = []
    for folder in _lane_folders(project):
        try:
            lane = read_lane(folder)
            if not (folder / TEMPLATE_NAME).is_file():
                raise IcelensError(
                    f"{folder}: has no {TEMPLATE_NAME}; copy one of a lane that comes with icelens"
                )
        except IcelensError as error:
            problems.append(str(error))
        else:
            lanes.setdefault(lane.name, lane)
    return lanes, problems


def _lane_folders(project: Path) -> list[Path]:
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    site = [Path(text) for text in os.environ.get(SITE_VARIABLE, "").split(os.pathsep) if text]
    places = [project / LANES_FOLDER, settings / "icelens" / LANES_FOLDER, *site]
    return [path.parent for place in places for path in sorted(place.glob(f"*/{LANE_NAME}"))]
