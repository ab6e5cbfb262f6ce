"""Settings that simulated images have whatever they show: their grid, optics, noise and poses."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, Angstrom, Config, Degrees, PositiveAngstrom

DEFAULT_BOX, DEFAULT_PIXEL_SIZE, DEFAULT_COUNT = 64, 3.0, 2000
"""px, Å/px and particles, where neither settings nor files say them."""


class ImageSettings(Config):
    """How images of particles are made, of one particle or of several states of it."""

    count: int | None = Field(default=None, ge=1)
    """How many particles: 2000, or all of --particles-star; fewer are its first rows."""

    box_size: int | None = Field(default=None, ge=8, le=2048, json_schema_extra={"unit": "px"})
    """Side of the images: that of the map, or 64 px."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling of the images: that of the map, or 3 Å."""

    snr: float | None = Field(default=0.1, gt=0)
    """Variance of the signal, CTF included, in the disc that the particle fills, over that of the
    noise; none adds no noise. Taken over a whole box the ratio would be several times smaller."""

    snr_region: Literal["particle", "box"] = Field(default="particle", json_schema_extra=EXPERT)
    """Where the variance of the signal is taken: in the particle's disc, or over the whole box, in
    which the same ratio means less noise."""

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
    """Sampling of maps, if their headers do not know it."""

    particles_star: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Particles whose poses and optics are taken over; without it both are drawn at random."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the stacks that --particles-star names, if they are not where it says."""
