"""Job of tools that makes a map of particle images: its settings and what it costs."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, OUTPUT_FILE, Config, PositiveAngstrom
from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run

# Measured on one core: an image, and the inversion of a padded grid.
_SECONDS_PER_PIXEL = 6e-8
_SECONDS_PER_POINT = 2e-7


class ReconstructConfig(Config):
    """Settings of `icelens tools reconstruct`."""

    particles: tuple[Path, ...] = Field(min_length=1)
    """Particle images with poses: STAR or .cs files, joined if several."""

    output: Path = Field(json_schema_extra=OUTPUT_FILE)
    """File for the map, ending in .mrc; half maps and their curve are written beside it."""

    symmetry: str = "C1"
    """Point group that the map is averaged over."""

    halves: bool = False
    """Write the maps of both half sets too, say to which resolution they agree, and weigh the map
    of all images by it. Without rlnRandomSubset particles are dealt to halves at random."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling of the map; that of the images if left out."""

    box_size: Annotated[int, Field(ge=8)] | None = Field(
        default=None, json_schema_extra={"unit": "px"}
    )
    """Side of the map; the extent of the images if left out."""

    mask_diameter: PositiveAngstrom | None = None
    """Soft sphere outside of which the map is zero, and within which half maps are compared. The
    half maps themselves stay whole."""

    max_resolution: PositiveAngstrom | None = None
    """Nothing finer is reconstructed; without it, what the pixels hold."""

    weight_column: str | None = None
    """Column that says how much each image counts, such as rlnParticleFigureOfMerit; from 0 to
    1.5, values beyond count as these."""

    ctf: bool = True
    """Correct for the CTF. Without it images are taken as they are."""

    workers: int = Field(default=1, ge=1)
    """Processes that share the images; each holds grids of its own."""

    device: str = Field(default="cpu", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """Where to compute: cpu, cuda, cuda:N or auto."""

    skip_missing: bool = Field(default=False, json_schema_extra=EXPERT)
    """Leave out images whose stack is missing instead of stopping."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the image stacks, if they are not where the files say."""

    padding: Literal[2, 3] = Field(default=2, json_schema_extra=EXPERT)
    """How much finer than the map's own transform the grid is that images are inserted into."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Deals particles without rlnRandomSubset to half sets."""

    threads: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """CPU threads of each process; 0 takes as many as there are cores, shared among workers."""


def estimate_reconstruct(config: ReconstructConfig) -> Estimate:
    """Time from the pixels of all images, memory from the padded grids."""
    from icelens.core.io.particle_files import read_particles

    particles = read_particles(
        config.particles, stack_root=config.stack_root, skip_missing=config.skip_missing
    ).particles
    box_sizes = particles.box_size()
    box_size = config.box_size or int(box_sizes.max(initial=8))
    points = (config.padding * box_size) ** 3 / 2
    num_maps = 2 if config.halves else 1
    pixels = float((box_sizes.astype(float) ** 2).sum())
    grids = num_maps * config.workers + (num_maps if config.workers > 1 else 0) + 2
    return Estimate(
        seconds=_SECONDS_PER_PIXEL * pixels / config.workers + 3 * _SECONDS_PER_POINT * points,
        memory_bytes=int(16 * points * grids) + 400_000_000 * config.workers,
        disk_bytes=4 * box_size**3 * (3 if config.halves else 1),
    )


@job("tools.reconstruct", cites=("scheres2012bayesian",), estimate=estimate_reconstruct)
def reconstruct(config: ReconstructConfig, run: Run) -> Path:
    """Make a map of particle images from the poses in their file.

    Images are inserted into a padded transform and divided by what their CTFs left. With --halves
    also writes OUTPUT_half_1.mrc, OUTPUT_half_2.mrc, OUTPUT_fsc.csv and OUTPUT_fsc.png.
    """
    from icelens.tasks.tools.reconstruct import reconstruct_particles

    return reconstruct_particles(config, run)


JOBS = (reconstruct,)
