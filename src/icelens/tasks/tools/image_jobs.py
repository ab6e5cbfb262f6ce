"""Jobs of tools that write particle images anew, show them, or make a table of them."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from icelens.jobs.config import EXPERT, OUTPUT_FILE, Config, PositiveAngstrom
from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run

# Reading, transforming and writing a pixel, measured on one core with warm files.
_SECONDS_PER_PIXEL = 3e-8
_MEMORY_BYTES = 700_000_000


class DownsampleConfig(Config):
    """Settings of `icelens tools downsample`."""

    particles: Path
    """Particles (.star, .cs) or a bare stack of images (.mrcs, .mrc)."""

    box_size: Annotated[int, Field(ge=2)] = Field(json_schema_extra={"unit": "px"})
    """Side of the new images, at most that of the old."""

    output: Path = Field(json_schema_extra=OUTPUT_FILE)
    """File to write: .star, .cs only from .cs, or a stack if one was given. New stacks lie beside
    a table and have its name."""

    output_stack_size: Annotated[int, Field(ge=1)] | None = None
    """Images in each new stack, at most; without it, all of one grid go into one."""

    volume: bool = False
    """The given file is a volume, not a stack of images."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling of what is given, whatever the files say; needed if they do not know it."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the stacks, if they are not where the file says."""


def estimate_downsample(config: DownsampleConfig) -> Estimate:
    """Time from the pixels read, disk from those written."""
    if config.volume:
        from icelens.core.io.volumes import read_header

        voxels = read_header(config.particles).shape[0] ** 3
        return Estimate(5 * _SECONDS_PER_PIXEL * voxels, 30 * voxels, 4 * config.box_size**3)
    count, pixels = _extent(config.particles, config.stack_root, config.pixel_size)
    written = 4 * count * config.box_size**2
    return Estimate(_SECONDS_PER_PIXEL * pixels, _MEMORY_BYTES, written)


def _extent(path: Path, stack_root: Path | None, pixel_size: float | None) -> tuple[int, int]:
    """Images and pixels of all of them."""
    from icelens.core.events import ignore
    from icelens.tasks.tools.image_files import read_images

    particles = read_images(
        path, stack_root=stack_root, pixel_size=pixel_size, on_event=ignore
    ).particles
    return len(particles), int((particles.box_size() ** 2).sum())


@job("tools.downsample", estimate=estimate_downsample)
def downsample(config: DownsampleConfig, run: Run) -> Path:
    """Bring particle images to fewer, larger pixels that show the same field.

    The middle of each transform is kept, so that grey values, contrast and place of the particle
    stay. Pixel size and box are corrected in table and headers, and origins that count pixels;
    nothing else changes. Images are written as float32 whatever they were.
    """
    from icelens.tasks.tools.downsample import downsample_images

    return downsample_images(config, run)


class ProcessImagesConfig(Config):
    """Settings of `icelens tools process-images`."""

    particles: Path
    """Particles (.star, .cs) or a bare stack of images (.mrcs, .mrc)."""

    output: Path = Field(json_schema_extra=OUTPUT_FILE)
    """File to write: .star, .cs only from .cs, or a stack if one was given."""

    phase_flip: bool = False
    """Multiply each transform by the sign of its CTF. The new table says so in
    rlnCtfDataArePhaseFlipped, which icelens heeds; RELION has to be told (--ctf_phase_flipped), or
    it flips them again. Images that were flipped before are flipped back."""

    centre: bool = False
    """Apply the shifts of the poses and set them to 0; coordinates in micrographs stay."""

    invert: bool = False
    """Multiply by -1, after phases were flipped."""

    normalise: bool = False
    """Give the background outside --mask-diameter mean 0 and standard deviation 1."""

    window: bool = False
    """Fade to the background's mean towards the rim, from 85 % to 99 % of the half box."""

    mask_diameter: PositiveAngstrom | None = None
    """Disc that the particle fills; 75 % of the box if left out. Outside is the background."""

    output_stack_size: Annotated[int, Field(ge=1)] | None = None
    """Images in each new stack, at most; without it, all of one grid go into one."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling of the images, whatever the files say; needed if they do not know it."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the stacks, if they are not where the file says."""


def estimate_process(config: ProcessImagesConfig) -> Estimate:
    """Time and disk from the pixels."""
    _, pixels = _extent(config.particles, config.stack_root, config.pixel_size)
    return Estimate(2 * _SECONDS_PER_PIXEL * pixels, _MEMORY_BYTES, 4 * pixels)


@job("tools.process-images", estimate=estimate_process)
def process_images(config: ProcessImagesConfig, run: Run) -> Path:
    """Change particle images one by one: flip phases, centre, invert, normalise, window.

    What is switched on is done in this order, and table and headers say what the images are
    afterwards. Images are written as float32.
    """
    from icelens.tasks.tools.process_images import process

    return process(config, run)


class MontageConfig(Config):
    """Settings of `icelens tools montage`."""

    particles: Path
    """Particles (.star, .cs) or a bare stack of images (.mrcs, .mrc)."""

    output: Path = Field(default=Path("montage.png"), json_schema_extra=OUTPUT_FILE)
    """Picture to write, .png."""

    count: Annotated[int, Field(ge=1, le=400)] = 25
    """Images to show, drawn at random; in the order of the file, or of --sort-by."""

    rows: str | None = None
    """Numbers of images from 1, such as 1-9,250, to show instead."""

    sort_by: str | None = None
    """Column to sort by; its values stand below the images, and those shown are spread evenly."""

    descending: bool = False
    """The largest value first."""

    low_pass: PositiveAngstrom | None = None
    """Show nothing finer than this; without it, images are as they are."""

    invert: bool = False
    """Multiply by -1, for images whose particles are dark."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling of the images, whatever the files say; needed if they do not know it."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Same seed, same images."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the stacks, if they are not where the file says."""


@job("tools.montage")
def montage(config: MontageConfig, run: Run) -> Path:
    """Draw some particle images side by side, each with its number and a contrast of its own."""
    from icelens.tasks.tools.montage import draw_montage

    return draw_montage(config, run)


class NewStarConfig(Config):
    """Settings of `icelens tools new-star`."""

    stacks: tuple[Path, ...] = Field(min_length=1)
    """Stacks of images (.mrcs, .mrc), of which every image becomes a row."""

    output: Path = Field(default=Path("particles.star"), json_schema_extra=OUTPUT_FILE)
    """STAR file to write, in the form of RELION 3.1 to 5."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling of the images, whatever their headers say; needed if they do not know it."""

    poses: Path | None = None
    """Poses, a row for each image: .npz with `rotation` (row, 3, 3), reference to image, and
    perhaps `shift_yx` (row, 2) in Å; or .csv with columns such as rlnAngleRot and
    rlnOriginXAngst."""

    ctf: Path | None = None
    """CTF, a row for each image: .csv with columns such as rlnDefocusU, and perhaps rlnVoltage,
    rlnSphericalAberration, rlnAmplitudeContrast."""

    voltage: float = Field(default=300.0, gt=0, json_schema_extra={"unit": "kV"})
    """Of the microscope, where the table of the CTF does not say it."""

    spherical_aberration: float = Field(default=2.7, ge=0, json_schema_extra={"unit": "mm"})
    """Likewise."""

    amplitude_contrast: float = Field(default=0.1, ge=0, le=1)
    """Likewise."""


@job("tools.new-star")
def new_star(config: NewStarConfig, run: Run) -> Path:
    """Make a particle file of bare stacks, with the poses and CTFs of tables if there are any.

    Further columns of the tables whose names begin with rln are taken over.
    """
    from icelens.tasks.tools.new_star import write_new_star

    return write_new_star(config, run)


JOBS = (downsample, process_images, montage, new_star)
