"""Job of tools that deletes what a run of hetero kept on its way."""

from pathlib import Path

from pydantic import Field

from icelens.jobs.config import Config
from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run


class CleanConfig(Config):
    """Settings of `icelens tools clean`."""

    run: Path
    """Folder of a run of hetero."""

    keep_every: int = Field(default=5, ge=0)
    """Keep the latents and checkpoints of every so many epochs; 0 keeps those of the last alone."""

    caches: bool = True
    """Delete prepared images too; they are made again when they are needed."""


def estimate_clean(config: CleanConfig) -> Estimate:
    """What would be deleted, in words."""
    from icelens.tasks.tools.clean import deletable, told_size

    found = deletable(config)
    lines = [f"would delete {path} ({told_size(path)})" for path in found]
    return Estimate(notes=tuple(lines) or ("nothing to delete",))


@job("tools.clean", estimate=estimate_clean)
def clean(config: CleanConfig, run: Run) -> str:
    """Delete intermediate latents, checkpoints and caches of a run of hetero; results stay.

    Always kept: final files, the last epoch, every --keep-every-th, and all that is not listed by
    --dry-run. Links are neither followed nor deleted.
    """
    from icelens.tasks.tools.clean import clean_run

    return clean_run(config, run)


JOBS = (clean,)
