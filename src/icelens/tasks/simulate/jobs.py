"""Jobs of simulate: what the commands are called and which settings they take."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from icelens.core.errors import MetadataError
from icelens.jobs.config import EXPERT, Angstrom, Config, Degrees
from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run

# Measured on one core for 64x160x160 voxels, 41 tilts and 77 molecules.
_SECONDS_PER_VOXEL_TILT, _SECONDS_PER_VOXEL = 3.0e-8, 2.5e-6


class Recording(Config):
    """How the tilt series are recorded."""

    tilt_range: tuple[Degrees, Degrees] = (-60.0, 60.0)
    """Lowest and highest tilt angle."""

    tilt_step: Annotated[Degrees, Field(gt=0)] = 3.0
    """Angle between neighbouring images."""

    dose_per_tilt: float = Field(default=3.0, gt=0, json_schema_extra={"unit": "e/Å²"})
    """Electrons for each image."""

    defocus: Angstrom = 35000.0
    """Underfocus at the tilt axis."""

    voltage: float = Field(default=300.0, gt=0, json_schema_extra=EXPERT | {"unit": "kV"})
    """Acceleration voltage."""

    spherical_aberration: float = Field(
        default=2.7, ge=0, json_schema_extra=EXPERT | {"unit": "mm"}
    )
    """Of the objective lens."""

    amplitude_contrast: float = Field(default=0.1, ge=0, le=1, json_schema_extra=EXPERT)
    """Part of the contrast that is absorption."""

    signal: float = Field(default=1.0, gt=0, json_schema_extra=EXPERT)
    """Factor on the contrast of the specimen; 0.3 to 0.5 is as hard as thick cells."""

    split: Literal["frames", "tilts"] = Field(default="frames", json_schema_extra=EXPERT)
    """Whether even and odd halves part the frames of each image, or every other image."""

    shift_error: Angstrom = Field(default=0.0, ge=0, json_schema_extra=EXPERT)
    """Misalignment of each image, root mean square along x and y; 5 to 10 is usual."""

    tilt_error: Degrees = Field(default=0.0, ge=0, json_schema_extra=EXPERT)
    """Error of each tilt angle, root mean square."""

    tilt_axis_error: Degrees = Field(default=0.0, json_schema_extra=EXPERT)
    """In-plane error of the tilt axis."""


class TomogramsConfig(Config):
    """Settings of `icelens simulate tomograms`."""

    output: Path = Path("simulated")
    """Folder to write into."""

    maps: tuple[Path, ...] = ()
    """Density maps of molecules, protein bright: files or folders of them."""

    models: tuple[Path, ...] = ()
    """Atomic models, PDB or mmCIF: files or folders of them. The first assembly is built."""

    species: int = Field(default=5, ge=1)
    """How many molecules to generate if neither maps nor models are given."""

    symmetries: tuple[str, ...] = ("C1", "D2", "O", "C7", "I2")
    """Point groups of generated molecules, the lightest first, repeated as needed."""

    mass_range: tuple[float, float] = Field(
        default=(300.0, 2600.0), json_schema_extra=EXPERT | {"unit": "kDa"}
    )
    """Mass of the lightest and the heaviest generated molecule."""

    shape: tuple[
        Annotated[int, Field(ge=16)], Annotated[int, Field(ge=16)], Annotated[int, Field(ge=16)]
    ] = (64, 160, 160)
    """Voxels of a tomogram along z, y and x."""

    pixel_size: Annotated[Angstrom, Field(gt=0)] = 10.0
    """Sampling of the tomograms."""

    count: int = Field(default=1, ge=1)
    """How many tomograms."""

    particles: int | None = Field(default=None, ge=1)
    """Molecules in each tomogram; without it, as many as fill the occupancy."""

    occupancy: float = Field(default=0.12, gt=0, lt=0.5, json_schema_extra=EXPERT)
    """Part of the volume that molecules fill, unless their number is given."""

    membranes: int = Field(default=0, ge=0)
    """Vesicles in each tomogram."""

    gold: int = Field(default=0, ge=0)
    """Gold beads of 10 nm in each tomogram."""

    contrast: Literal["dark", "light"] = "dark"
    """Grey of protein in every density written; reconstruction programs give it dark."""

    seed: int = Field(default=1, ge=0, json_schema_extra=EXPERT)
    """Same seed, same tomograms; tomogram i is drawn from seed + i."""

    recording: Recording = Recording()
    """How the tilt series are recorded."""


def estimate_tomograms(config: TomogramsConfig) -> Estimate:
    """Time from the number of voxels and tilts, memory and disk from the files written."""
    z, y, x = config.shape
    low, high = config.recording.tilt_range
    num_tilts = int((high - low) / config.recording.tilt_step) + 1
    voxels = z * y * x
    seconds = voxels * (_SECONDS_PER_VOXEL + num_tilts * _SECONDS_PER_VOXEL_TILT)
    return Estimate(
        seconds=config.count * seconds,
        memory_bytes=80 * voxels + 400_000_000,
        disk_bytes=config.count * voxels * 20,
        notes=("crowded specimens take longer to fill",),
    )


@job(
    "simulate.tomograms",
    cites=("grant2015measuring", "rohou2015ctffind4"),
    estimate=estimate_tomograms,
)
def tomograms(config: TomogramsConfig, run: Run) -> Path:
    """Simulate tomograms with known truth, from molecules to weighted back-projections.

    Writes even, odd and full tomograms, the truth, labels, picks, tilt angles, and
    `tomograms.star`, which every job of restore reads.
    """
    from icelens.tasks.simulate.tomograms import write_tomograms

    low, high = config.recording.tilt_range
    if not -89 < low < high < 89:
        raise MetadataError(
            f"--recording.tilt-range is {low:g},{high:g}; expected two ascending angles between "
            "-89 and 89 degrees, such as -60,60"
        )
    return write_tomograms(config, run)


JOBS = (tomograms,)
