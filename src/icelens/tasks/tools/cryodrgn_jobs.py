"""Job of tools that hands particles to cryoDRGN."""

from pathlib import Path
from typing import Any

from pydantic import Field

from icelens.jobs.config import EXPERT, Config
from icelens.jobs.job import Job, job
from icelens.jobs.run import Run


class ExportCryodrgnConfig(Config):
    """Settings of `icelens tools export-cryodrgn`."""

    particles: Path
    """Particle images with poses, .star or .cs; give cryoDRGN this file with what is written."""

    output: Path = Path("cryodrgn")
    """Folder for ctf.pkl and pose.pkl."""

    latents: Path | None = None
    """Table of latents (latents.csv of a run) to be written as z.pkl: of these particles, or of the
    larger file."""

    parent: Path | None = None
    """Larger particle file that these were chosen from: their places in it are written as ind.pkl,
    which selects them where cryoDRGN is given the larger file."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the stacks, if they are not where the files say."""


@job("tools.export-cryodrgn", cites=("zhong2021cryodrgn",))
def export_cryodrgn(config: ExportCryodrgnConfig, run: Run) -> Path:
    """Write CTF, poses, and on request latents and an index, as cryoDRGN reads them.

    Rows are in the order of the particle file. What cryoDRGN cannot be told, such as aberrations or
    several pixel sizes, is said.
    """
    from icelens.tasks.tools.export_cryodrgn import write_for_cryodrgn

    return write_for_cryodrgn(config, run)


JOBS: tuple[Job[Any, Any], ...] = (export_cryodrgn,)
