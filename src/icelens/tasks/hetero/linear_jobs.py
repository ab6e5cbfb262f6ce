"""Declaration of `icelens hetero linear`. Imports no torch."""

from pathlib import Path
from typing import Any

from icelens.jobs.job import Job, job
from icelens.jobs.run import Run
from icelens.tasks.hetero.linear_costs import estimate_linear
from icelens.tasks.hetero.linear_settings import LinearConfig


@job(
    "hetero.linear",
    cites=("tagare2015directly", "punjani20213d", "gilles2025recovar"),
    estimate=estimate_linear,
)
def linear(config: LinearConfig, run: Run) -> Path:
    """Find the mean and principal components of the structures that particle images show.

    The classical baseline of a network, in minutes on a CPU. Writes mean.mrc, component_01.mrc and
    so on, a latent for each particle with its standard deviation (latents.csv), linear.safetensors,
    and a report that says how many components are more than noise. `hetero analyze` and
    `hetero volumes` read the folder as they read that of a network.
    """
    from icelens.tasks.hetero.linear.linear_run import fit_linear

    return fit_linear(config, run)


JOBS: tuple[Job[Any, Any], ...] = (linear,)
