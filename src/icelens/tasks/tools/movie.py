"""Film the surfaces of maps: one level, one camera, several sides, round or to and fro."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError
from icelens.core.events import Message, Progress, Saved
from icelens.core.io.films import check_film_name, write_film
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.plots.isosurface import Surface, make_surface, render, view_rotation
from icelens.core.plots.surface_frames import LOOKS, frame
from icelens.core.plots.visible_extent import Extent, visible_extent
from icelens.core.volumes.largest_parts import without_dust
from icelens.core.volumes.masks import usual_level
from icelens.jobs.run import Run
from icelens.tasks.tools.maps import check_same_grid, open_map
from icelens.tasks.tools.volume_jobs import MovieConfig

Frame = npt.NDArray[np.uint8]


def make_movie(config: MovieConfig, run: Run) -> Path:
    """Write the film and return its file.

    Raises:
        InputFileError: If a map is missing or damaged, or the film cannot be written.
        GeometryError: If maps differ in their grid, or none reaches the level.
        MetadataError: If a pixel size is unknown.
    """
    check_film_name(config.output)
    refuse_overwriting(config.output, config.maps)
    volumes = _volumes(config)
    level = _level(config, volumes)
    shown = (_shown(config, volume, level) for volume in volumes)
    extent = visible_extent(shown, level, volumes[0].pixel_size)
    run.on_event(Message(f"Surfaces are at {level:.5g}"))
    frames: list[Frame] = []
    pictures = _turning if len(volumes) == 1 else _one_after_the_other
    total = config.frames if len(volumes) == 1 else len(volumes)
    for made in pictures(config, volumes, level, extent):
        frames.append(made)
        run.on_event(Progress("draw", len(frames), total, "frame"))
    if config.ping_pong and len(volumes) > 2:
        frames += frames[-2:0:-1]
    write_film(config.output, frames, fps=config.fps)
    run.on_event(Saved(config.output, "film"))
    return config.output


def _volumes(config: MovieConfig) -> list[Volume]:
    volumes = [open_map(path, config.pixel_size, "error") for path in config.maps]
    for path, volume in zip(config.maps, volumes, strict=True):
        check_same_grid(config.maps[0], volumes[0], path, volume)
    return [volume.inverted() for volume in volumes] if config.invert else volumes


def _level(config: MovieConfig, volumes: list[Volume]) -> float:
    highest = max(float(np.max(volume.array)) for volume in volumes)
    if config.level is None:
        usual = [
            usual_level(torch.from_numpy(np.array(volume.array, np.float32))) for volume in volumes
        ]
        level, remedy = float(np.mean(usual)), "invert them if their protein is dark (--invert)"
    else:
        level, remedy = config.level, "give a --level between"
    if not 0.0 < level < highest:
        raise GeometryError(
            f"{config.maps[0]}: a surface at {level:.4g} cannot be drawn, expected above 0 and "
            f"below the highest density, {highest:.4g}; {remedy}"
        )
    return level


def _shown(config: MovieConfig, volume: Volume, level: float) -> npt.NDArray[np.float32]:
    values = np.array(volume.array, np.float32)
    return without_dust(values, level) if config.hide_dust else values


def _surface(config: MovieConfig, volume: Volume, level: float, extent: Extent) -> Surface:
    return make_surface(
        volume.array,
        level,
        pixel_size=volume.pixel_size,
        centre_zyx=extent.centre_zyx,
        half_width=extent.half_width,
        size=config.size,
        hide_dust=config.hide_dust,
    )


def _one_after_the_other(
    config: MovieConfig, volumes: list[Volume], level: float, extent: Extent
) -> Iterator[Frame]:
    """A frame for each map."""
    for path, volume in zip(config.maps, volumes, strict=True):
        surface = _surface(config, volume, level, extent)
        yield _frame(config, surface, extent, path.name.partition(".")[0], turn=0.0)


def _turning(
    config: MovieConfig, volumes: list[Volume], level: float, extent: Extent
) -> Iterator[Frame]:
    """Frames of one map that turns once round."""
    surface = _surface(config, volumes[0], level, extent)
    name = config.maps[0].name.partition(".")[0]
    for number in range(config.frames):
        yield _frame(config, surface, extent, name, turn=360.0 * number / config.frames)


def _frame(
    config: MovieConfig, surface: Surface, extent: Extent, name: str, *, turn: float
) -> Frame:
    look = LOOKS[config.background]
    views = [
        render(
            surface,
            view_rotation(view, turn),
            half_width=extent.half_width,
            size=config.size,
            look=look,
        )
        for view in config.views
    ]
    return frame(
        views,
        caption=name if config.captions else "",
        half_width=extent.half_width,
        background=look.background,
    )
