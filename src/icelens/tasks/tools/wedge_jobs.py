"""Jobs of tools about what a tilt series measured: the wedge, and noise that looks like it."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, Angstrom, Config, Degrees
from icelens.jobs.job import job
from icelens.jobs.run import Run


class TiltConfig(Config):
    """How the specimen was tilted, and the grid to compute on."""

    tilt_range: tuple[Degrees, Degrees] = (-60.0, 60.0)
    """Lowest and highest tilt; not used with a tilt file."""

    tilt_file: Path | None = None
    """Single tilts, with dose and defocus where they are known: .tlt, .rawtlt, .mdoc, Warp .xml,
    AreTomo .aln or RELION .star."""

    box_size: int = Field(default=128, ge=8)
    """Voxels along each side."""

    pixel_size: Annotated[Angstrom, Field(gt=0)] = 10.0
    """Sampling. Dose and CTF of a tilt file depend on it."""

    voltage: float = Field(default=300.0, gt=0, json_schema_extra=EXPERT | {"unit": "kV"})
    """Acceleration voltage."""

    spherical_aberration: float = Field(
        default=2.7, ge=0, json_schema_extra=EXPERT | {"unit": "mm"}
    )
    """Of the objective lens."""

    amplitude_contrast: float = Field(default=0.1, ge=0, le=1, json_schema_extra=EXPERT)
    """Part of the contrast that is absorption."""


class WedgeConfig(TiltConfig):
    """Settings of `icelens tools wedge`."""

    write: Literal["both", "weight", "point-spread"] = "both"
    """What to write: the weight in Fourier space, what it makes of a point, or both."""

    output: Path = Path("wedge")
    """Folder for weight.mrc and point_spread.mrc."""


@job("tools.wedge", cites=("grant2015measuring",))
def wedge(config: WedgeConfig, run: Run) -> Path:
    """Write which frequencies a tilt series measured, and its point-spread function.

    Both have their centre in the middle of the box; the tilt axis is y and the beam z.
    """
    from icelens.tasks.tools.wedge import write_wedge

    return write_wedge(config, run)


class NoiseVolumeConfig(TiltConfig):
    """Settings of `icelens tools noise-volume`."""

    filter: Literal["none", "ramp", "hamming"] = "ramp"
    """Filter of the reconstruction that the noise should look like."""

    count: int = Field(default=1, ge=1)
    """How many volumes."""

    seed: int = Field(default=0, ge=0)
    """Volume i is drawn from seed + i."""

    output: Path = Path("noise")
    """Folder for the noise volumes and their amplitude."""


@job("tools.noise-volume")
def noise_volume(config: NoiseVolumeConfig, run: Run) -> Path:
    """Write volumes of noise as a reconstruction from these tilts has it.

    White in the images, shaped by the density of the tilts in Fourier space and by the filter;
    mean 0 and standard deviation 1. Also writes the Fourier amplitude.
    """
    from icelens.tasks.tools.wedge import write_noise

    return write_noise(config, run)


JOBS = (wedge, noise_volume)
