"""The job of pose that refines given poses: its name and what it costs."""

from pathlib import Path

from icelens.core.errors import IcelensError
from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run
from icelens.tasks.pose.refine_settings import RefineConfig

_SECONDS_PER_PARTICLE = 5e-3
"""On one core, box 64, 6 degrees in steps of 2; the finest samples cost most of it."""
_BYTES_PER_TABLE_VOXEL = 8.0


def estimate_refine(config: RefineConfig) -> Estimate:
    """Time from the number of particles and samples, memory from the padded transform."""
    from icelens.core.io.particle_files import read_particles

    try:
        particles = read_particles(
            config.particles,
            stack_root=config.stack_root,
            tomograms=config.tomograms,
            skip_missing=config.skip_missing,
            pixel_size=config.pixel_size,
        ).particles
    except IcelensError:
        return Estimate()
    if not len(particles):
        return Estimate()
    box_size = int(particles.box_size().max())
    pixel_size = float(particles.pixel_size().min())
    finest = max(config.max_resolution or 0.0, 2.0 * pixel_size)
    radius = box_size * pixel_size / finest
    seconds = _SECONDS_PER_PARTICLE * len(particles) * (radius / 32.0) ** 2 * config.iterations
    table = _BYTES_PER_TABLE_VOXEL * (4.0 * radius) ** 3
    return Estimate(
        seconds=seconds,
        memory_bytes=int(4e8 + 3.0 * table * (2 if config.halves else 1)),
        disk_bytes=500 * len(particles) + (3 * 4 * box_size**3 if config.halves else 0),
        notes=("Time is for one CPU core.",),
    )


@job("pose.refine", estimate=estimate_refine)
def refine(config: RefineConfig, run: Run) -> Path:
    """Refine poses locally by the likelihood of the images given a map.

    A ball of rotations round each given pose is compared at low resolution, the best few are
    improved at full resolution on angles and shifts together. Writes the particles with
    rlnAngleRot/Tilt/Psi, rlnOriginX/YAngst, rlnParticleFigureOfMerit (share of the posterior),
    rlnLogLikeliContribution and ilPoseWidthDegrees; the poses they came with are kept in
    ilAngleRotGiven, ilAngleTiltGiven, ilAnglePsiGiven, ilOriginXGivenAngst, ilOriginYGivenAngst.
    """
    from icelens.tasks.pose.refine import refine_particles

    return refine_particles(config, run)


JOBS = (refine,)
