"""Declaration of `icelens tools import-cryodrgn`. Imports no torch.

It is one of the tools, and lies here because it makes a run of hetero.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, Config, PositiveAngstrom
from icelens.jobs.job import Estimate, Job, job
from icelens.jobs.run import Run

# Measured on one core: a row of the STAR file and of the table of latents.
_SECONDS_PER_ROW = 6e-5
_BYTES_OF_POSE = 44


class ImportCryodrgnConfig(Config):
    """Settings of `icelens tools import-cryodrgn`."""

    workdir: Path | None = None
    """Folder that cryoDRGN's train_vae, train_dec, train_nn or abinit wrote to. Without it, only
    particles.star is made, of the --particles, --poses and --ctf that are given."""

    output: Path = Path("imported")
    """Folder for the run: particles.star, latents.csv, the network and a report."""

    epoch: Annotated[int, Field(ge=0)] | None = None
    """Which epoch, as numbered in the names of its files; the last one if left out."""

    particles: Path | None = None
    """Images, if they are not where config.yaml says: .mrcs, .txt, .star or .cs."""

    ctf: Path | None = None
    """CTF parameters (.pkl), if they are not where config.yaml says."""

    poses: Path | None = None
    """Poses (.pkl), if they are not where config.yaml says, or other ones."""

    ind: Path | None = None
    """Index of the chosen images (.pkl), if it is not where config.yaml says."""

    datadir: Path | None = None
    """Folder of the stacks, if they are not where the particles say."""

    shifts: Literal["auto", "box", "pixels"] = "auto"
    """What shifts count: fractions of the box, as cryoDRGN's parsers write them, or pixels, as its
    abinit does. Auto takes pixels for poses that an abinit left in its own folder."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling of the images, where no CTF says it."""

    network: bool = True
    """Convert the network too; without it only particles and latents are written."""

    contrast: Literal["light", "dark"] | None = Field(default=None, json_schema_extra=EXPERT)
    """How particles look in the images: dark ones get the CTF scale -1. Only without --workdir,
    whose settings say it; light if left out."""

    are_tilts: bool = Field(default=False, json_schema_extra=EXPERT)
    """Images are tilts of the particles that rlnGroupName names. With --workdir its settings say
    so."""

    every_epoch: bool = Field(default=False, json_schema_extra=EXPERT)
    """Convert the latents of all epochs that were kept, to judge convergence."""


def estimate_import(config: ImportCryodrgnConfig) -> Estimate:
    """Time and disk from the size of the latents or poses in the folder."""
    folder = config.workdir
    files = [] if folder is None else [*folder.glob("z*.pkl"), *folder.glob("pose*.pkl")]
    given = [config.poses] if config.poses is not None and config.poses.is_file() else []
    rows = max((path.stat().st_size for path in [*files, *given]), default=0) // _BYTES_OF_POSE
    return Estimate(
        seconds=2.0 + _SECONDS_PER_ROW * rows,
        memory_bytes=300_000_000 + 2000 * rows,
        disk_bytes=300 * rows,
        notes=("from the size of the files in the folder",),
    )


@job("tools.import-cryodrgn", cites=("zhong2021cryodrgn",), estimate=estimate_import)
def import_cryodrgn(config: ImportCryodrgnConfig, run: Run) -> Path:
    """Convert a run of cryoDRGN: its particles, latents and network become a run of hetero.

    Nothing in its files is executed: pickles are read as plain arrays, weights as plain tensors.
    `hetero analyze`, `traverse`, `volumes` and `select` then work on it; the encoder is left out,
    so that latents of other images cannot be found. Stacks stay where they are. Without --workdir
    a stack, poses and CTF become a STAR file.
    """
    from icelens.tasks.hetero.import_cryodrgn import import_files

    return import_files(config, run)


JOBS: tuple[Job[Any, Any], ...] = (import_cryodrgn,)
"""The job that takes over runs of another program."""
