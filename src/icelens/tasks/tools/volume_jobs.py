"""Jobs of tools that change maps, make masks of them, and film them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from icelens.core.io.volume_header import PixelSizeFrom
from icelens.jobs.config import EXPERT, OUTPUT_FILE, POSITIONAL, Angstrom, Config, PositiveAngstrom
from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run

# A view of a picture of 100 x 100 px, on one core, and a voxel of a map that is filtered.
_SECONDS_PER_VIEW = 0.07
_SECONDS_PER_VOXEL = 3e-7

View = Literal["front", "right", "back", "left", "top", "bottom"]


class FlipHandConfig(Config):
    """Settings of `icelens tools flip-hand`."""

    maps: tuple[Path, ...] = Field(default=(), json_schema_extra=POSITIONAL)
    """Maps to mirror."""

    particles: Path | None = None
    """Particles (.star, .cs) whose poses become those of the mirrored map, instead of maps."""

    output: Path = Field(json_schema_extra=OUTPUT_FILE)
    """File to write; of several maps a folder, in which they keep their names."""

    axis: Literal["x", "y", "z"] = "z"
    """Axis that is turned round; maps and particles have to agree on it."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling, needed if a header does not know it."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the stacks of the particles, if they are not where the file says."""


@job("tools.flip-hand")
def flip_hand(config: FlipHandConfig, run: Run) -> Path:
    """Mirror maps about their centre voxel, or turn poses to those of the mirrored map.

    The centre voxel stays where it is in even boxes too: twice gives the map again, and a particle
    in the middle does not move. Images stay as they are; with --particles angles alone change.
    """
    from icelens.tasks.tools.flip_hand import flip

    return flip(config, run)


class EditMapConfig(Config):
    """Settings of `icelens tools edit-map`."""

    maps: tuple[Path, ...] = Field(min_length=1, json_schema_extra=POSITIONAL)
    """Maps to change."""

    output: Path = Field(json_schema_extra=OUTPUT_FILE)
    """File to write; of several maps a folder, in which they keep their names."""

    low_pass: PositiveAngstrom | None = None
    """Keep nothing finer than this."""

    high_pass: PositiveAngstrom | None = None
    """Keep nothing coarser than this."""

    b_factor: float = Field(default=0.0, json_schema_extra={"unit": "Å²"})
    """Blur by exp(-B k²/4); a negative one sharpens."""

    new_pixel_size: PositiveAngstrom | None = None
    """Sampling to bring the map to; the centre voxel stays the centre."""

    box_size: Annotated[int, Field(ge=2)] | None = Field(
        default=None, json_schema_extra={"unit": "px"}
    )
    """Crop or pad to a cube of this side about the centre voxel; what is added has the mean of
    the map's faces."""

    mask: Path | None = None
    """Soft mask to multiply by, on the grid of the result."""

    invert: bool = False
    """Multiply by -1, in the end."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling of the maps, needed if a header does not know it."""

    pixel_size_from: PixelSizeFrom = "error"
    """Whose word counts if a header and --pixel-size differ by more than 1 %; with `metadata` a
    wrong header is corrected."""


def estimate_edit(config: EditMapConfig) -> Estimate:
    """Time and disk from the number of voxels."""
    from icelens.core.io.volumes import read_header

    voxels = [_product(read_header(path).shape) for path in config.maps]
    total = sum(voxels)
    return Estimate(
        _SECONDS_PER_VOXEL * total,
        24 * max(voxels) + 300_000_000,
        4 * (len(voxels) * config.box_size**3 if config.box_size else total),
    )


def _product(shape: tuple[int, int, int]) -> int:
    return shape[0] * shape[1] * shape[2]


@job("tools.edit-map", estimate=estimate_edit)
def edit_map(config: EditMapConfig, run: Run) -> Path:
    """Filter, resample, crop, pad, mask or invert maps, or correct their pixel size.

    What is asked for is done in the order of this help. The header's origin moves with what is cut
    or added, so that densities keep their places in space. Written as float32.
    """
    from icelens.tasks.tools.edit_map import edit_maps

    return edit_maps(config, run)


class MaskConfig(Config):
    """Settings of `icelens tools mask`."""

    map: Path
    """Map to make a mask of."""

    output: Path = Field(default=Path("mask.mrc"), json_schema_extra=OUTPUT_FILE)
    """File to write."""

    level: float | None = None
    """What is denser is inside; half of the 99.99 percentile if left out."""

    low_pass: PositiveAngstrom | None = None
    """Filter the map to this first, so that noise makes neither holes nor islands."""

    largest: bool = False
    """Take only the largest part that hangs together."""

    dilation: Annotated[Angstrom, Field(ge=0)] = 25.0
    """How much wider the mask is than what is inside."""

    edge: Annotated[Angstrom, Field(ge=0)] = 15.0
    """Width of the cosine edge beyond it; 0 makes a hard mask."""

    sphere: PositiveAngstrom | None = None
    """Make a sphere of this diameter about the centre voxel instead, with the same edge."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling, needed if the header does not know it."""


@job("tools.mask")
def mask(config: MaskConfig, run: Run) -> Path:
    """Make a soft mask of what is dense in a map, or a sphere on its grid."""
    from icelens.tasks.tools.make_mask import make_mask

    return make_mask(config, run)


class MovieConfig(Config):
    """Settings of `icelens tools movie`."""

    maps: tuple[Path, ...] = Field(min_length=1)
    """Maps on one grid, in the order of the film; of one map the film turns round it."""

    output: Path = Field(default=Path("movie.gif"), json_schema_extra=OUTPUT_FILE)
    """Film to write: .gif, or .mp4 where ffmpeg is installed."""

    level: float | None = None
    """Density of the surface, the same in all; half of the 99.99 percentile, averaged over the
    maps, if left out."""

    views: tuple[View, ...] = Field(default=("front", "right", "top"), min_length=1)
    """Sides to show, next to each other."""

    fps: Annotated[float, Field(gt=0, le=50)] = 10.0
    """Frames per second."""

    ping_pong: bool = True
    """Go back the same way before it begins anew; not for one map."""

    background: Literal["white", "dark"] = "white"
    """Behind the surfaces."""

    size: Annotated[int, Field(ge=64, le=2000)] = Field(
        default=320, json_schema_extra={"unit": "px"}
    )
    """Side of each view."""

    captions: bool = True
    """Write the name of each map below it."""

    frames: Annotated[int, Field(ge=2, le=1000)] = 36
    """Of a film that turns round one map."""

    invert: bool = False
    """The maps' protein is dark."""

    hide_dust: bool = Field(default=True, json_schema_extra=EXPERT)
    """Leave out separate parts that have less than 1 % of the largest."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling, needed if the headers do not know it."""


def estimate_movie(config: MovieConfig) -> Estimate:
    """Time from the pixels of all pictures."""
    from icelens.core.io.volumes import read_header

    voxels = _product(read_header(config.maps[0]).shape)
    pictures = len(config.views) * (config.frames if len(config.maps) == 1 else len(config.maps))
    frame_bytes = 3 * config.size**2 * pictures
    return Estimate(
        _SECONDS_PER_VIEW * (config.size / 100) ** 2 * pictures,
        600_000_000 + 2 * frame_bytes + 40 * voxels,
        frame_bytes // 4,
    )


@job("tools.movie", estimate=estimate_movie)
def movie(config: MovieConfig, run: Run) -> Path:
    """Film the surfaces of maps from several sides, without a screen.

    Level, sides and scale are the same in all frames, so that what moves is the map.
    """
    from icelens.tasks.tools.movie import make_movie

    return make_movie(config, run)


JOBS = (flip_hand, edit_map, mask, movie)
