"""Jobs of tools that take particle files apart and put them together."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from icelens.jobs.config import EXPERT, OUTPUT_FILE, Config
from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run

# Reading and writing a pixel, measured on one core with warm files.
_SECONDS_PER_PIXEL = 3e-9


class SelectParticlesConfig(Config):
    """Settings of `icelens tools select-particles`."""

    particles: Path
    """Particles to choose from, .star or .cs."""

    output: Path = Field(default=Path("selected.star"), json_schema_extra=OUTPUT_FILE)
    """File to write; .cs only from .cs."""

    where: str | None = None
    """Condition on columns, such as "rlnParticleFigureOfMerit > 0.5 and rlnClassNumber in (1, 4)";
    for .cs files ctf/df1_A is ctf_df1_A, and the elements of lists count from _0."""

    rows: str | None = None
    """Numbers of rows from 1, such as 1-100,250; counted before anything is left out."""

    remove_missing: bool = False
    """Leave out images whose stack is missing or too short."""

    random: int | None = Field(default=None, ge=1)
    """Keep so many of what is left, drawn at random; their order stays."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Same seed, same draw."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the stacks, if they are not where the file says; the new file will know."""


@job("tools.select-particles")
def select_particles(config: SelectParticlesConfig, run: Run) -> Path:
    """Write some rows of a particle file: by condition, number, chance, or presence of images.

    Settings are applied in the order of this help. Rows keep their order, and optics groups and
    other blocks stay as they are.
    """
    from icelens.tasks.tools.select_particles import write_selection

    return write_selection(config, run)


class SplitParticlesConfig(Config):
    """Settings of `icelens tools split-particles`."""

    particles: Path
    """Particles to part, .star or .cs."""

    output: Path = Path("split")
    """Folder for the parts, each with all blocks."""

    parts: int = Field(default=2, ge=2)
    """How many parts of equal size, to one row."""

    half_sets: bool = False
    """Part by rlnRandomSubset instead; where it is not known, half sets are drawn and written."""

    by: str | None = None
    """Part by the values of this column instead."""

    shuffle: bool = Field(default=False, json_schema_extra=EXPERT)
    """Deal rows to the parts at random, not one stretch after the other; their order stays."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Same seed, same parts."""


@job("tools.split-particles")
def split_particles(config: SplitParticlesConfig, run: Run) -> Path:
    """Part a particle file into several, by number, by half set or by a column's values.

    Every row is in one part, and rows keep their order.
    """
    from icelens.tasks.tools.split_particles import write_parts

    return write_parts(config, run)


class JoinParticlesConfig(Config):
    """Settings of `icelens tools join-particles`."""

    particles: tuple[Path, ...] = Field(min_length=1)
    """Particle files, .star or .cs; the rows of one follow those of another."""

    output: Path = Field(default=Path("joined.star"), json_schema_extra=OUTPUT_FILE)
    """STAR file to write."""

    remove_duplicates: bool = False
    """Keep only the first row of an image that comes more than once."""

    keep_groups: bool = Field(default=False, json_schema_extra=EXPERT)
    """Keep optics groups apart even if they agree in all but their number."""


@job("tools.join-particles")
def join_particles(config: JoinParticlesConfig, run: Run) -> Path:
    """Put particle files together, optics groups numbered anew.

    Groups of different files that agree in name and every value become one. Columns that only some
    files have say elsewhere what their absence means, or nothing.
    """
    from icelens.tasks.tools.join_particles import write_joined

    return write_joined(config, run)


class RegroupStacksConfig(Config):
    """Settings of `icelens tools regroup-stacks`."""

    particles: Path
    """Particles whose images lie in many files, .star or .cs."""

    output: Path = Path("regrouped")
    """Folder for the new stacks and particles.star."""

    stack_size: int = Field(default=10_000, ge=1)
    """Images in each new stack, at most."""

    float16: bool = False
    """Write half precision (MRC mode 12), which takes half the space."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the old stacks, if they are not where the file says."""


def estimate_regroup(config: RegroupStacksConfig) -> Estimate:
    """Time and disk from the number and size of the images."""
    from icelens.core.io.particle_files import read_particles

    particles = read_particles(config.particles, stack_root=config.stack_root).particles
    pixels = int((particles.box_size() ** 2).sum())
    return Estimate(
        seconds=_SECONDS_PER_PIXEL * pixels,
        memory_bytes=500_000_000,
        disk_bytes=(2 if config.float16 else 4) * pixels,
    )


@job("tools.regroup-stacks", estimate=estimate_regroup)
def regroup_stacks(config: RegroupStacksConfig, run: Run) -> Path:
    """Copy the images of many small stacks into few large ones.

    For file systems and programs that mind many files. Only images that the file names are copied,
    in the order of its rows; images of different boxes or pixel sizes go to different stacks.
    """
    from icelens.tasks.tools.regroup_stacks import write_stacks

    return write_stacks(config, run)


class HistogramConfig(Config):
    """Settings of `icelens tools histogram`."""

    particles: Path
    """Particle file, or any STAR file with a table."""

    columns: tuple[str, ...] = Field(min_length=1)
    """Names of columns with numbers."""

    output: Path = Path("histograms")
    """Folder for pictures, histograms.csv and percentiles.csv."""

    bins: int = Field(default=50, ge=2, le=10_000)
    """Bins of each histogram."""

    block: str | None = Field(default=None, json_schema_extra=EXPERT)
    """Block of the STAR file; without it, that of the particles or the only one."""

    clip_percent: Annotated[float, Field(ge=0, lt=50)] = Field(
        default=0.0, json_schema_extra=EXPERT
    )
    """Leave this share out at either end of the pictures, in percent; the table counts all."""


@job("tools.histogram")
def histogram(config: HistogramConfig, run: Run) -> Path:
    """Draw how the values of columns are distributed, and write bins and percentiles as tables."""
    from icelens.tasks.tools.column_histograms import write_histograms

    return write_histograms(config, run)


JOBS = (select_particles, split_particles, join_particles, regroup_stacks, histogram)
