"""Declaration of `icelens pose refine`. Imports no torch."""

from pathlib import Path
from typing import Any

from icelens.jobs.job import Job, job
from icelens.jobs.run import Run
from icelens.tasks.pose.costs import estimate_refine
from icelens.tasks.pose.refine_settings import RefineConfig


@job(
    "pose.refine",
    cites=("scheres2012bayesian", "golub1973differentiation"),
    estimate=estimate_refine,
)
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


JOBS: tuple[Job[Any, Any], ...] = (refine,)
