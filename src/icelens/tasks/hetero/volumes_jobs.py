"""Declaration of `icelens hetero volumes`. Imports no torch."""

from pathlib import Path
from typing import Any

from pydantic import Field

from icelens.jobs.config import EXPERT, PositiveAngstrom
from icelens.jobs.job import Estimate, Job, job
from icelens.jobs.run import Run
from icelens.tasks.hetero.analysis_settings import OfRunConfig
from icelens.tasks.hetero.costs import SECONDS_PER_VOXEL


class VolumesConfig(OfRunConfig):
    """Settings of `icelens hetero volumes`."""

    output: Path = Path("volumes")
    """Folder for the volumes, volumes.csv and the report."""

    latent: Path | None = None
    """Where volumes are wanted: CSV with columns latent_1 ..., or a text file with the numbers of
    one latent on each line; they are named volume_001 and so on."""

    rows: str | None = None
    """Or volumes at the latents of these particles: rows of the run's particle file, from 0, such
    as 0,15,30; they are named row_000015."""

    box_size: int | None = Field(default=None, ge=8)
    """Side of coarser volumes of the same width, in pixels; the pixel size grows."""

    low_pass: PositiveAngstrom | None = None
    """Take out what is finer than this, with a soft edge."""

    mask: Path | None = None
    """Mask from 0 to 1 that volumes are multiplied by and compared within, on any grid."""

    normalise: bool = False
    """Bring the mean of each volume inside the mask (or a sphere) to 0 and its deviation to 1."""

    invert: bool = False
    """Multiply grey values by -1; protein is bright without it."""

    flip_hand: bool = False
    """Mirror volumes along z about their centre voxel, which stays where it is."""

    crop: int | None = Field(default=None, ge=2)
    """Keep the middle of so many pixels; the header says where it was."""

    half_maps: bool = False
    """Write two independent volumes of each state, too: of the decoders of both half sets where
    the model has them, else of images that lie nearest."""

    uncertainty: bool = False
    """Write half of the absolute difference of those two as a map, too."""

    check_images: bool = True
    """Compare each volume with a map of the images that lie nearest to it."""

    epoch: int | None = Field(default=None, ge=0, json_schema_extra=EXPERT)
    """Take the latents of --rows as they were after this epoch; the model is the final one."""

    num_particles: int = Field(default=1000, ge=2, json_schema_extra=EXPERT)
    """Particles, the nearest ones, that a map of images is made of."""


def estimate_volumes(config: VolumesConfig) -> Estimate:
    """Time and disk from the number and size of the volumes."""
    from icelens.tasks.hetero.hetero_run import open_hetero_run
    from icelens.tasks.hetero.volumes_run import wanted_states

    run = open_hetero_run(config.run)
    latent, _ = wanted_states(config, run)
    voxels = len(latent) * (config.box_size or run.box_size) ** 3
    notes = (
        "time is that of one CPU core for decoding by a network; comparing with images adds that "
        "of a reconstruction of --num-particles images for each volume",
    )
    files = 1 + 2 * config.half_maps + config.uncertainty
    return Estimate(
        seconds=SECONDS_PER_VOXEL * voxels,
        memory_bytes=500_000_000,
        disk_bytes=4 * files * voxels,
        notes=notes,
    )


@job("hetero.volumes", estimate=estimate_volumes)
def volumes(config: VolumesConfig, run: Run) -> Path:
    """Make the volumes of a run at given latents or particles, and say what backs each.

    volumes.csv says for every volume how many particles lie near it (supported, sparse or
    extrapolated), to which resolution two independent halves agree, and how well it agrees with
    a map of the images nearest to it.
    """
    from icelens.tasks.hetero.volumes_run import make_volumes

    return make_volumes(config, run)


JOBS: tuple[Job[Any, Any], ...] = (volumes,)
