"""icelens: cryo-EM with deep learning, one package from tomogram to structure."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__version__ = "0.1.0"


# a run of hetero has more to show than others, and which it is only its folder knows
def open_run(folder: "Path | str") -> Any:  # noqa: ANN401
    """Open the folder of a run in Python or a notebook.

    Args:
        folder: The `--output` of a job.

    Returns:
        `icelens.jobs.opened_run.OpenedRun` with record, settings, metrics, tables and pictures; of
        a run of hetero `icelens.tasks.hetero.opened_hetero_run.OpenedHeteroRun`, which has latents,
        volumes and their figures, too.

    Raises:
        IcelensError: If the folder holds no run, or one that is damaged or unfinished.
    """
    # imported when it is asked for: `icelens --help` answers at once, and core imports this file
    from icelens.apps.open_run import open_run as opened

    return opened(folder)
