"""Declaration of `icelens pose infer`. Imports no torch."""

from pathlib import Path
from typing import Any

from icelens.jobs.job import Job, job
from icelens.jobs.run import Run
from icelens.tasks.pose.costs import estimate_infer
from icelens.tasks.pose.infer_settings import InferConfig


@job(
    "pose.infer",
    cites=("klee2023image", "sanchezgarcia2025cryopares", "gorski2005healpix"),
    estimate=estimate_infer,
    resumable=True,
)
def infer(config: InferConfig, run: Run) -> Path:
    """Find the poses of particles with a trained model, refine them and reconstruct their map.

    Each half set is answered by the network of the same half. Writes particles.star, both half
    maps, the map of all, their correlation, and a report that says whether the particles are what
    the model learnt.
    """
    from icelens.tasks.pose.infer import infer as find

    return find(config, run)


JOBS: tuple[Job[Any, Any], ...] = (infer,)
