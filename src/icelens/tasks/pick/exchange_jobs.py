"""Jobs of pick that pass picks on to other programs and take theirs: settings and names."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, OUTPUT_FILE, Angstrom, Config, Degrees
from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run
from icelens.tasks.pick.settings import RunsConfig, SourceText

PositiveAngstrom = Annotated[Angstrom, Field(gt=0)]
ExportFormat = Literal["relion5", "relion31", "warp", "dynamo", "eman", "csv", "chimerax"]


class MicroscopeConfig(Config):
    """What the microscope was; goes into the table of optics."""

    voltage: float = Field(default=300.0, gt=0, json_schema_extra=EXPERT)
    """In kV."""

    spherical_aberration: float = Field(default=2.7, ge=0, json_schema_extra=EXPERT)
    """In mm."""

    amplitude_contrast: float = Field(default=0.1, ge=0, le=1, json_schema_extra=EXPERT)
    """As a fraction."""


class ExportConfig(RunsConfig, MicroscopeConfig):
    """Settings of `icelens pick export`."""

    picks: SourceText
    """Whose picks to export: USER,SESSION."""

    format: ExportFormat
    """Program to write for. Relion31 is also read by RELION 4."""

    output: Path = Field(json_schema_extra=OUTPUT_FILE)
    """File to write; a folder for eman and chimerax, which keep a file for each run."""

    objects: tuple[str, ...] = ()
    """Names of the objects to export; without them, all."""

    min_score: float | None = None
    """Leave out picks that score lower."""

    coordinate_pixel_size: PositiveAngstrom | None = None
    """Pixel size that coordinates count in, such as that of the unbinned tilt series; without it,
    the tomogram's. CSV and ChimeraX count in Å, Dynamo always in voxels of the tomogram."""

    tilt_range: tuple[Degrees, Degrees] | None = Field(default=None, json_schema_extra=EXPERT)
    """Lowest and highest tilt, which a Dynamo table notes for each particle."""


@job("pick.export")
def export(config: ExportConfig, run: Run) -> Path:
    """Write picks for another program: RELION, Warp, Dynamo, EMAN2, ChimeraX, or as CSV.

    Objects become class numbers where a format has no names: their labels in the project. What a
    format cannot hold is said.
    """
    from icelens.tasks.pick.export import export_picks

    return export_picks(config, run)


class ImportPicksConfig(RunsConfig):
    """Settings of `icelens pick import-picks`."""

    picks_file: Path
    """Picks of RELION, Warp, Dynamo, EMAN2, ChimeraX, copick, a CSV, or a table of voxels x y z."""

    picks: SourceText
    """Under whose name to keep them: USER,SESSION."""

    object: str | None = None
    """Object that all picks are of; without it, the file's names, or class numbers as labels."""


@job("pick.import-picks")
def import_picks(config: ImportPicksConfig, run: Run) -> str:
    """Take picks of another program into a project.

    Tomograms in the file are matched to runs by name; a file of one tomogram goes to the run that
    --runs names. Picks outside their tomogram are left out and counted; more than 1 % of them mean
    another unit or pixel size, and are refused.
    """
    from icelens.tasks.pick.import_picks import import_file

    return import_file(config, run)


class ExtractConfig(RunsConfig, MicroscopeConfig):
    """Settings of `icelens pick extract`."""

    picks: SourceText
    """Whose picks to cut out: USER,SESSION."""

    box_size: int = Field(ge=8, le=1024)
    """Side of a box in voxels; twice the diameter of the particle leaves room to align it."""

    objects: tuple[str, ...] = ()
    """Names of the objects to cut out; without them, all."""

    min_score: float | None = None
    """Leave out picks that score lower."""

    normalise: bool = True
    """Give the background around the particle mean 0 and standard deviation 1, as RELION needs."""

    invert: bool = True
    """Make dark protein bright, as RELION needs; choose false for tomograms with bright protein."""

    orient: bool = False
    """Turn each box into the particle's own frame; else boxes stay as the tomogram is, and only the
    table knows the angles."""

    tilt_range: tuple[Degrees, Degrees] | None = None
    """Lowest and highest tilt, for the volume of weights that notes the missing wedge."""

    defocus: Annotated[Angstrom, Field(ge=0)] | None = None
    """Underfocus at zero tilt, for the CTF in the volume of weights. Leave it out for tomograms
    whose CTF was corrected in full."""

    tomograms_star: Path | None = None
    """List of tomograms of `icelens restore`, which knows tilts, dose and defocus of each run."""

    is_phase_flipped: bool = Field(default=False, json_schema_extra=EXPERT)
    """The tomogram's phases were flipped: the CTF's amplitude is noted, without its sign."""

    between_voxels: bool = Field(default=True, json_schema_extra=EXPERT)
    """Shift boxes by the part of a voxel that is left, so that particles are centred exactly; else
    the rest is noted in rlnOriginXAngst and no value is interpolated."""

    output: Path = Path("subtomograms")
    """Folder for the boxes, the weights and their table, particles.star."""


def estimate_extract(config: ExtractConfig) -> Estimate:
    """Disk space from the number of picks."""
    from icelens.core.io.copick.project import open_project
    from icelens.tasks.pick.picked import collect_picks

    project = open_project(config.project)
    picks = collect_picks(project, config.picks, runs=config.runs, objects=config.objects)
    voxels = config.box_size**3
    return Estimate(
        seconds=len(picks) * (2e-7 if not config.orient else 2e-6) * voxels,
        memory_bytes=400_000_000 + 60 * voxels,
        disk_bytes=len(picks) * 4 * voxels * (2 if config.orient else 1),
        notes=(f"{len(picks)} picks",),
    )


@job("pick.extract", estimate=estimate_extract)
def extract(config: ExtractConfig, run: Run) -> Path:
    """Cut subtomograms around picks, with a RELION table that notes angles, CTF and missing wedge.

    Writes one MRC file per particle, a volume of weights (CTF times measured region) per run, and
    particles.star. A box that leaves the tomogram is filled with its mean up to a quarter of its
    voxels; beyond that the pick is left out, counted and named.
    """
    from icelens.tasks.pick.extract import extract_subtomograms

    return extract_subtomograms(config, run)


JOBS = (export, import_picks, extract)
