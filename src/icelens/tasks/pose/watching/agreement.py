"""What all processes of a watch have to agree on: settings, model, and the grid of the maps.

Whoever comes first writes it down; later ones read it, whatever they think themselves.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from icelens.core.data.particles import Particles
from icelens.core.errors import IcelensError, InputFileError
from icelens.core.io.exclusive import make_once
from icelens.tasks.pose.model import PoseModel
from icelens.tasks.pose.watch_settings import WatchConfig

_OF_THE_MACHINE = {
    "output", "folder", "model", "map", "stack_root", "device", "precision", "threads",
    "time_limit", "pattern", "settle", "interval", "once", "stop_after", "lost_after",
    "save_every", "look_every", "retry_failed",
}  # fmt: skip
"""Settings that may differ: paths, for machines mount folders differently, and how to compute."""


@dataclass(frozen=True)
class MapGrid:
    """Side of the live maps in px, and their Å/px."""

    box_size: int
    pixel_size: float


def agree_on_settings(config: WatchConfig, models: Mapping[int, PoseModel]) -> None:
    """Make sure that this process does what the others do, or did before.

    Raises:
        IcelensError: If its settings, model or map are others.
    """
    mine = json.loads(config.model_dump_json(exclude=_OF_THE_MACHINE))
    mine["weights"] = [_digest(models[half].path) for half in sorted(models)]
    mine["reference"] = None if config.map is None else _digest(config.map)
    known = _agreed(config.output, "settings", mine)
    for name in sorted(mine.keys() | known.keys()):
        if mine.get(name) != known.get(name):
            raise IcelensError(
                f"{config.output}: was begun with {name} = {known.get(name)}, this process has "
                f"{mine.get(name)}; use the same settings, or another --output"
            )


def agree_on_grid(live: Path, particles: Particles) -> MapGrid:
    """The grid of the maps, that of the first image of the first file ever."""
    group = particles.optics[int(particles.optics_index[0])]
    return MapGrid(**_agreed(live, "geometry", asdict(MapGrid(group.box_size, group.pixel_size))))


def known_grid(live: Path) -> MapGrid | None:
    """The grid, if some process met a file."""
    path = _path(live, "geometry")
    return MapGrid(**_read(path)) if path.is_file() else None


def _agreed(live: Path, what: str, mine: Mapping[str, Any]) -> dict[str, Any]:
    path = _path(live, what)
    make_once(path.parent, {path.name: json.dumps(mine, indent=2) + "\n"})
    return _read(path)


def _path(live: Path, what: str) -> Path:
    # a folder, because a complete one can appear exactly once
    return live / what / f"{what}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputFileError(
            f"{path}: cannot be read as JSON; begin anew with another --output"
        ) from error
    return dict(content)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read ({error.strerror}); check it") from error
