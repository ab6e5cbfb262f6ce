"""Jobs of tools that work on densities: settings and names; the work is in the files beside."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from icelens.core.io.volume_header import PixelSizeFrom
from icelens.jobs.config import EXPERT, POSITIONAL, Angstrom, Config, Degrees
from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run

PositiveAngstrom = Annotated[Angstrom, Field(gt=0)]


class FscConfig(Config):
    """Settings of `icelens tools fsc`."""

    map_1: Path
    """One map."""

    map_2: Path
    """The map it is compared with, on the same grid."""

    mask: Path | None = None
    """Soft mask. The curve is then also corrected for what the mask itself correlates."""

    tilt_range: tuple[Degrees, Degrees] | None = None
    """Lowest and highest tilt: the curve is also split into the measured and the missing region."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling, needed if the headers do not know it."""

    pixel_size_from: PixelSizeFrom = Field(default="error", json_schema_extra=EXPERT)
    """Whose pixel size counts if the header and --pixel-size differ by more than 1 %."""

    mean_between: tuple[PositiveAngstrom, PositiveAngstrom] = Field(
        default=(200.0, 30.0), json_schema_extra=EXPERT
    )
    """Coarsest and finest resolution between which the mean correlation is taken."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Draws the random phases of the mask's correction."""

    output: Path = Path("fsc")
    """Folder for the table, the picture and the report."""


@job("tools.fsc", cites=("harauz1986exact", "rosenthal2003optimal"))
def fsc(config: FscConfig, run: Run) -> Path:
    """Correlate two maps shell by shell in Fourier space.

    Writes fsc.csv, a picture and a report, and says the resolutions at 0.5 and 0.143 and the mean
    correlation. With --tilt-range the measured and the missing region are told apart.
    """
    from icelens.tasks.tools.fsc import compare_maps

    return compare_maps(config, run)


class ResizeConfig(Config):
    """Settings of `icelens tools resize`."""

    star: Path
    """List of tomograms."""

    pixel_size: PositiveAngstrom
    """Sampling to bring every volume to."""

    tomograms: str = "all"
    """Rows to take, by rlnIndex, such as 1,3-5; the others are left out of the new list."""

    pixel_size_from: PixelSizeFrom = Field(default="error", json_schema_extra=EXPERT)
    """Whose present pixel size counts if header and list differ by more than 1 %."""

    output: Path = Path("resized")
    """Folder for the volumes and their list, tomograms.star."""


@job("tools.resize")
def resize(config: ResizeConfig, run: Run) -> Path:
    """Bring every volume of a tomogram list to another pixel size.

    By cropping or extending the Fourier transform, so that nothing folds back and grey values
    stay. Memory stays bounded whatever the size; masks of 0 and 1 remain so.
    """
    from icelens.tasks.tools.resize import resize_tomograms

    return resize_tomograms(config, run)


class SharpenConfig(Config):
    """Settings of `icelens tools sharpen`."""

    map: Path
    """Map to sharpen."""

    mask: Path | None = None
    """Where the amplitude is measured; the whole map is sharpened."""

    low_resolution: PositiveAngstrom = 50.0
    """From here on the amplitude follows the power law; what is coarser stays as it is."""

    high_resolution: PositiveAngstrom | None = None
    """Nothing finer is kept. Give the resolution of the map, or its noise is raised as well."""

    exponent: float = 0.0
    """The amplitude falls as the frequency to minus this; 0 makes it flat."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling, needed if the header does not know it."""

    pixel_size_from: PixelSizeFrom = Field(default="error", json_schema_extra=EXPERT)
    """Whose pixel size counts if the header and --pixel-size differ by more than 1 %."""

    output: Path = Path("sharpened")
    """Folder for sharpened.mrc, its weights and the report."""


def estimate_sharpen(config: SharpenConfig) -> Estimate:
    """Memory from the number of voxels: the map, its transform and the shells' weights."""
    from icelens.core.io.volumes import read_header

    z, y, x = read_header(config.map).shape
    voxels = z * y * x
    return Estimate(4e-7 * voxels, 20 * voxels + 300_000_000, 4 * voxels)


@job("tools.sharpen", cites=("rosenthal2003optimal",), estimate=estimate_sharpen)
def sharpen(config: SharpenConfig, run: Run) -> Path:
    """Flatten the radial amplitude of a map beyond a resolution towards a power law."""
    from icelens.tasks.tools.sharpen import sharpen_map

    return sharpen_map(config, run)


class InspectConfig(Config):
    """Settings of `icelens tools inspect`."""

    files: tuple[Path, ...] = Field(min_length=1, json_schema_extra=POSITIONAL)
    """Densities, tomogram lists, tilt files, picks, checkpoints or run folders."""


@job("tools.inspect")
def inspect(config: InspectConfig, run: Run) -> str:
    """Say what is in files and whether it is sane.

    Every value of a density is read. Files that are damaged, constant, not finite or contradict
    each other are named at the end, and the exit status is then 2.
    """
    from icelens.tasks.tools.inspect import inspect_files

    return inspect_files(config.files, run.on_event)


JOBS = (fsc, resize, sharpen, inspect)
