"""Jobs of pick that look into a project and fill it: settings and names."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from icelens.core.io.volume_header import PixelSizeFrom
from icelens.jobs.config import EXPERT, Angstrom, Config
from icelens.jobs.job import job
from icelens.jobs.run import Run
from icelens.tasks.pick.settings import NamedSourceText, RunsConfig, SourceText


class BrowseConfig(Config):
    """Settings of `icelens pick browse`."""

    project: Path
    """Configuration of a copick project (JSON), or a plain folder of tomograms with a table of
    coordinates (STAR or CSV)."""

    runs: tuple[str, ...] = ()
    """Names of the runs to look at; without them, all."""


@job("pick.browse")
def browse(config: BrowseConfig, run: Run) -> str:
    """Say what a project holds: objects, and the tomograms, picks and segmentations of each run.

    What cannot be read is named at the end, and the exit status is then 2.
    """
    from icelens.tasks.pick.browse import browse_project

    return browse_project(config, run.on_event)


class ImportConfig(Config):
    """Settings of `icelens pick import`."""

    project: Path
    """Configuration of the project (JSON); made if it does not exist."""

    folder: Path | None = None
    """Folder of tomograms (MRC, TIFF, OME-Zarr); each is a run, named up to its first dot."""

    picks: Path | None = None
    """Coordinates to import: RELION particles (STAR), or CSV with columns z, y, x."""

    voxel_size: Annotated[Angstrom, Field(gt=0)] | None = None
    """Sampling of the tomograms, needed where headers do not know it and checked where they do."""

    tomogram_type: str = "raw"
    """What to call this reconstruction, such as wbp or denoised."""

    output_voxel_size: Annotated[Angstrom, Field(gt=0)] | None = None
    """Bring tomograms to this coarser sampling by cropping their Fourier transform."""

    runs: tuple[str, ...] = ()
    """Names of the runs to import; without them, all."""

    objects: tuple[str, ...] = ()
    """Objects to add to the project as name=radius in Å, or name= for what is no particle."""

    object_name: str | None = None
    """What the picks are of, if their table does not say."""

    user: str = "imported"
    """Who the picks are from."""

    session: str = "0"
    """Session that the picks are from."""

    unit: Literal["auto", "angstrom", "voxel"] = "auto"
    """Of coordinates in a CSV. Auto takes Å, and refuses numbers that look like voxels."""

    overlay: Path | None = None
    """Folder that a new project is written to; without it, beside the configuration, with its name
    and _overlay."""

    pixel_size_from: PixelSizeFrom = Field(default="error", json_schema_extra=EXPERT)
    """Whose sampling counts if a header and --voxel-size differ by more than 1 %."""


@job("pick.import")
def import_folder(config: ImportConfig, run: Run) -> str:
    """Bring tomograms and coordinates into a copick project, which is made if there is none.

    Tomograms become OME-Zarr in three levels. Everything is checked before anything is written.
    """
    from icelens.tasks.pick.import_folder import import_into_project

    return import_into_project(config, run.on_event)


class TargetsConfig(RunsConfig):
    """Settings of `icelens pick targets`."""

    picks: tuple[str, ...] = ()
    """Picks to paint as spheres, NAME,USER,SESSION; repeated for each object."""

    truth: SourceText | None = None
    """Paint the picks of every particle from this source, USER,SESSION."""

    segmentations: tuple[str, ...] = ()
    """Segmentations of membranes and the like to take over, NAME,USER,SESSION; repeated."""

    radius_scale: float = Field(default=0.7, gt=0)
    """Radius of the spheres, as a part of each object's radius."""

    target: NamedSourceText = ("targets", "icelens", "1")
    """The segmentation to write, NAME,USER,SESSION."""

    output: Path = Path("targets")
    """Folder for the record and the report; the segmentations go into the project."""


@job("pick.targets")
def targets(config: TargetsConfig, run: Run) -> Path:
    """Paint picks as spheres into a segmentation of each run, with the labels of the project.

    Where spheres overlap, the nearer centre wins; spheres lie over segmentations. Training needs
    no such step: this is for viewing and for other programs.
    """
    from icelens.tasks.pick.targets import write_targets

    return write_targets(config, run)


JOBS = (browse, import_folder, targets)
