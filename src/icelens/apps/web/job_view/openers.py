"""Where a file opens: one table from its kind and ending to the viewer that shows it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import urlencode

VOLUME_ENDINGS = (".mrc", ".rec", ".map", ".mrcs", ".mrc.gz", ".zarr", ".tif", ".tiff", ".hdf")
_MAP_TASKS = ("hetero", "pose", "tools")
"""Their volumes are maps of particles, which surfaces show better than slices do."""
CURVE_ENDINGS = ("fsc.csv", "guinier.csv", "correlations.csv", "curves.csv", "postprocess.star")


@dataclass(frozen=True)
class View:
    """A link to a viewer.

    Attributes:
        label: What the link says.
        place: The viewer's word in its address, such as `slices`.
    """

    label: str
    place: str
    url: str


@dataclass(frozen=True)
class _Rule:
    place: str
    label: str
    parameter: str
    kinds: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()


_RULES = (
    _Rule("curves", "Curves", "file", endings=CURVE_ENDINGS),
    _Rule("latents", "Latents", "run", kinds=("latents",)),
    _Rule("picks", "Picks", "picks", kinds=("picks",)),
    _Rule(
        "slices", "Slices", "file", ("volume", "preview", "mask", "segmentation"), VOLUME_ENDINGS
    ),
    _Rule("surface", "Surface", "file", ("volume",), (".mrc", ".map"), _MAP_TASKS),
    _Rule("particles", "Particles", "file", kinds=("particle list", "image stack")),
)
_KINDS: Mapping[str, str] = {
    ".star": "particle list",
    ".mrc": "volume",
    ".mrcs": "image stack",
    ".map": "volume",
    ".rec": "volume",
    ".zarr": "volume",
    ".tif": "volume",
    ".tiff": "volume",
    ".gz": "volume",
    ".csv": "table",
    ".png": "picture",
    ".gif": "film",
    ".npz": "latents",
    ".json": "table",
}


def kind_of(name: str, kind: str = "") -> str:
    """What a file is: as its job said, or else by its ending."""
    if not kind and PurePath(name).name.endswith("tomograms.star"):
        return "tomogram list"
    return kind or _KINDS.get(PurePath(name).suffix.lower(), "file")


def views_of(
    path: str, kind: str, task: str, run_folder: str = "", project: str = ""
) -> list[View]:
    """Viewers that show a file.

    Args:
        path: As links have it.
        kind: What its job called it.
        task: Of the job.
        run_folder: Of the job; latents are opened by their run.
        project: Of picks; they are opened with its tomograms.
    """
    found = []
    for rule in _RULES:
        is_kind = not rule.kinds or kind in rule.kinds
        is_ending = not rule.endings or path.lower().endswith(rule.endings)
        if is_kind and is_ending and (not rule.tasks or task in rule.tasks):
            parameter, target = rule.parameter, path
            if rule.place == "latents":
                target = run_folder
            elif rule.place == "picks" and project:
                parameter, target = "project", project
            found.append(View(rule.label, rule.place, view_url(rule.place, parameter, target)))
    if kind == "tomogram list":
        found.append(View("Table", "data", "/data"))
    if kind in ("picture", "film", "report", "table") and not found:
        found.append(View("Open", "file", f"/files/raw?{urlencode({'file': path})}"))
    return found


def view_url(place: str, parameter: str, target: str) -> str:
    """The address of a viewer that shows something."""
    return f"/view/{place}?{urlencode({parameter: target})}"


def picture_url(path: str, modified: float = 0.0) -> str:
    """Where a browser gets a picture; a new one has a new address."""
    return f"/files/raw?{urlencode({'file': path, 'at': int(modified)})}"


def opening_commands(absolute: str) -> tuple[tuple[str, str], ...]:
    """Names of programs and the commands by which they open a volume."""
    quoted = shlex.quote(absolute)
    return (("ChimeraX", f"chimerax {quoted}"), ("napari", f"napari {quoted}"))
