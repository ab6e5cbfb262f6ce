"""Job of simulate for single particles: its name, its settings and what it costs."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, Angstrom, Config, Degrees, PositiveAngstrom
from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run

# Measured on one core, for images of 64 px.
_SECONDS_PER_PIXEL = 7e-7
_DEFAULT_BOX = 64
_DEFAULT_COUNT = 2000


class ParticlesConfig(Config):
    """Settings of `icelens simulate particles`."""

    output: Path = Path("simulated_particles")
    """Folder to write into."""

    map: Path | None = None
    """Density of the particle, protein bright; without map and model one is generated."""

    model: Path | None = None
    """Atomic model instead of a map, PDB or mmCIF; its first assembly is built."""

    particles_star: Path | None = None
    """Particles whose poses and optics are taken over; without it both are drawn at random."""

    count: int | None = Field(default=None, ge=1)
    """How many particles: 2000, or all of --particles-star; fewer are its first rows."""

    box_size: int | None = Field(default=None, ge=8, le=2048, json_schema_extra={"unit": "px"})
    """Side of the images: that of the map, or 64 px."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling of the images: that of the map, or 3 Å."""

    symmetry: str = "C1"
    """Point group: a generated particle has it, a given map is averaged over it."""

    snr: float | None = Field(default=0.1, gt=0)
    """Variance of the signal, CTF included, in the disc that the particle fills, over that of the
    noise; none adds no noise. Taken over a whole box the ratio would be several times smaller."""

    noise: Literal["white", "coloured"] = "white"
    """White, or stronger at low and weaker at high frequency as in micrographs."""

    defocus_range: tuple[Angstrom, Angstrom] = (5000.0, 25000.0)
    """Least and greatest underfocus, drawn evenly."""

    max_shift: Angstrom = Field(default=6.0, ge=0)
    """Particles lie off the centre by up to this along x and y, drawn evenly."""

    seed: int = Field(default=1, ge=0)
    """Same seed, same images."""

    astigmatism: Angstrom = Field(default=200.0, ge=0, json_schema_extra=EXPERT)
    """Standard deviation of the difference between the two defoci."""

    phase_shift: Degrees = Field(default=0.0, json_schema_extra=EXPERT)
    """Of a phase plate."""

    b_factor: float = Field(default=0.0, ge=0, json_schema_extra=EXPERT | {"unit": "Å²"})
    """Of the envelope of every image."""

    voltage: float = Field(default=300.0, gt=0, json_schema_extra=EXPERT | {"unit": "kV"})
    """Acceleration voltage."""

    spherical_aberration: float = Field(
        default=2.7, ge=0, json_schema_extra=EXPERT | {"unit": "mm"}
    )
    """Of the objective lens."""

    amplitude_contrast: float = Field(default=0.1, ge=0, le=1, json_schema_extra=EXPERT)
    """Part of the contrast that is absorption."""

    optics_groups: int = Field(default=1, ge=1, le=9, json_schema_extra=EXPERT)
    """Groups that particles are dealt to in turn; group g is sampled 1 + (g - 1) / 10 as coarsely,
    and every other one at 200 kV."""

    preferred_views: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Directions from which particles are mostly seen; 0 sees them from everywhere."""

    view_spread: Degrees = Field(default=20.0, ge=0, json_schema_extra=EXPERT)
    """Standard deviation about each preferred direction."""

    mask_diameter: PositiveAngstrom | None = Field(
        default=None, json_schema_extra=EXPERT | {"unit": "Å"}
    )
    """Disc in which the signal is measured; without it, what holds 99 % of the squared density."""

    premultiplied: bool = Field(default=False, json_schema_extra=EXPERT)
    """Multiply the images by their CTF, noise and all, as RELION can."""

    stack_size: int = Field(default=2000, ge=1, json_schema_extra=EXPERT)
    """Images in each file, at most."""

    mass: Annotated[float, Field(ge=20, le=100_000)] | None = Field(
        default=None, json_schema_extra=EXPERT | {"unit": "kDa"}
    )
    """Of a generated particle; without it, as large as fits into the box."""

    map_pixel_size: PositiveAngstrom | None = Field(
        default=None, json_schema_extra=EXPERT | {"unit": "Å"}
    )
    """Sampling of the map, if its header does not know it."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the stacks that --particles-star names, if they are not where it says."""


def estimate_particles(config: ParticlesConfig) -> Estimate:
    """Time and disk from the number of pixels, memory from the padded transform of the map."""
    box_size = config.box_size
    if box_size is None and config.map is not None and config.particles_star is None:
        from icelens.core.io.volumes import read_header

        box_size = max(read_header(config.map).shape)
    box_size = box_size or _DEFAULT_BOX
    is_listed = config.particles_star is not None
    note = "for the default number and size of images: --particles-star is not read for it"
    pixels = (config.count or _DEFAULT_COUNT) * box_size**2
    return Estimate(
        seconds=_SECONDS_PER_PIXEL * pixels,
        memory_bytes=150 * box_size**3 + 400_000_000,
        disk_bytes=4 * pixels + 4 * box_size**3,
        notes=(note,) if is_listed else (),
    )


@job("simulate.particles", cites=("rohou2015ctffind4",), estimate=estimate_particles)
def particles(config: ParticlesConfig, run: Run) -> Path:
    """Simulate images of single particles with known poses, from a map, a model or nothing.

    Writes particles.star (RELION 3.1) with the true poses and random half sets, image stacks, and
    map.mrc, the truth at the images' sampling and on their grey scale: noise has a standard
    deviation of 1.
    """
    from icelens.tasks.simulate.particles import write_particle_images

    return write_particle_images(config, run)


JOBS = (particles,)
