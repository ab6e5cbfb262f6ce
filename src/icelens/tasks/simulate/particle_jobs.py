"""Job of simulate for single particles: its name, its settings and what it costs."""

from pathlib import Path

from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run
from icelens.tasks.simulate.image_settings import DEFAULT_BOX, DEFAULT_COUNT, ImageSettings

# Measured on one core, for images of 64 px.
SECONDS_PER_PIXEL = 7e-7


class ParticlesConfig(ImageSettings):
    """Settings of `icelens simulate particles`."""

    output: Path = Path("simulated_particles")
    """Folder to write into."""

    map: Path | None = None
    """Density of the particle, protein bright; without map and model one is generated."""

    model: Path | None = None
    """Atomic model instead of a map, PDB or mmCIF; its first assembly is built."""

    particles_star: Path | None = None
    """Particles whose poses and optics are taken over; without it both are drawn at random."""

    symmetry: str = "C1"
    """Point group: a generated particle has it, a given map is averaged over it."""


def estimate_particles(config: ParticlesConfig) -> Estimate:
    """Time and disk from the number of pixels, memory from the padded transform of the map."""
    box_size = config.box_size
    if box_size is None and config.map is not None and config.particles_star is None:
        from icelens.core.io.volumes import read_header

        box_size = max(read_header(config.map).shape)
    box_size = box_size or DEFAULT_BOX
    is_listed = config.particles_star is not None
    note = "for the default number and size of images: --particles-star is not read for it"
    pixels = (config.count or DEFAULT_COUNT) * box_size**2
    return Estimate(
        seconds=SECONDS_PER_PIXEL * pixels,
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
