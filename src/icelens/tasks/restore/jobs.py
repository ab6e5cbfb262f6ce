"""Jobs of restore that need no network: list tomograms, deconvolve and mask them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from icelens.core.errors import MetadataError
from icelens.jobs.config import EXPERT, Angstrom, Config, Degrees
from icelens.jobs.job import Job, job
from icelens.jobs.run import Run

if TYPE_CHECKING:
    from icelens.tasks.restore.find_tomograms import FoundTomogram


class PrepareConfig(Config):
    """Settings of `icelens restore prepare`; every folder may also be a single file."""

    star: Path
    """The list to write; an earlier one is kept as NAME.previous.star."""

    even: Path | None = None
    """Folder of tomograms from even frames or tilts; paired with the odd ones by name."""

    odd: Path | None = None
    """Folder of tomograms from odd frames or tilts."""

    full: Path | None = None
    """Folder of full tomograms, with or without halves."""

    pixel_size: Annotated[Angstrom, Field(gt=0)] | None = None
    """Sampling of the tomograms; none reads it from each file's header."""

    defocus: tuple[Angstrom, ...] = ()
    """Underfocus at zero tilt, one for all or one for each tomogram in the order of the names;
    without it, what the tilt files say."""

    subtomograms: int | None = Field(default=None, ge=1)
    """Boxes that each tomogram gives in an epoch; default: 3000 shared among all."""

    tilt_min: Degrees | None = None
    """Lowest tilt after alignment; without it, what the tilt files say, else -60."""

    tilt_max: Degrees | None = None
    """Highest tilt after alignment; without it, what the tilt files say, else 60."""

    create_average: bool = False
    """Write the mean of both halves and list it as the full tomogram."""

    masks: Path | None = None
    """Folder of masks, matched by name."""

    picks: Path | None = None
    """Folder of picks (box files of x y z voxels, copick JSON, RELION STAR, CSV), matched by name:
    training boxes are cut around them."""

    tilt_files: Path | None = None
    """Folder of .tlt, .rawtlt, .mdoc, Warp .xml, AreTomo .aln or RELION .star files, matched by
    name: tilt angles, dose and defocus of each image."""

    warp: Path | None = None
    """Folder of Warp or WarpTools with .xml files and reconstruction/."""

    aretomo: Path | None = None
    """Folder of AreTomo with .aln files and volumes."""

    relion5: Path | None = None
    """tomograms.star of a RELION-5 project; run in the project's folder."""

    ground_truth: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of noise-free tomograms of a simulation, to score against."""

    voltage: float | None = Field(default=None, gt=0, json_schema_extra=EXPERT | {"unit": "kV"})
    """Acceleration voltage; without it, what the RELION set says, else 300."""

    spherical_aberration: float | None = Field(
        default=None, ge=0, json_schema_extra=EXPERT | {"unit": "mm"}
    )
    """Of the objective lens; without it, what the RELION set says, else 2.7."""

    amplitude_contrast: float | None = Field(default=None, ge=0, le=1, json_schema_extra=EXPERT)
    """Part of the contrast that is absorption; without it, what the RELION set says, else 0.1."""

    pixel_size_from: Literal["error", "metadata", "header"] = Field(
        default="error", json_schema_extra=EXPERT
    )
    """Whose pixel size counts where --pixel-size and a header differ by more than 1 %: metadata
    (--pixel-size), header, or error to stop."""

    check_voxels: bool = Field(default=True, json_schema_extra=EXPERT)
    """Read every voxel once, so that damaged files are found now and not in mid-training."""

    output: Path = Path("prepare")
    """Folder of the record, and of averages."""


def _find(config: PrepareConfig, run: Run) -> "list[FoundTomogram]":
    """Each tomogram's files, from folders or from where another program leaves them."""
    from icelens.tasks.restore import find_tomograms as finding

    sources = {"--warp": config.warp, "--aretomo": config.aretomo, "--relion5": config.relion5}
    used = [flag for flag, path in sources.items() if path is not None]
    if len(used) > 1:
        raise MetadataError(f"{' and '.join(used)} are given; import from one program at a time")
    names = ("even", "odd", "full", "masks", "picks", "ground_truth", "tilt_files")
    places = {name: getattr(config, name) for name in names}
    inputs = finding.Inputs(**{name: (place,) for name, place in places.items() if place})
    if config.relion5 is not None:
        return finding.find_in_relion(config.relion5, inputs)
    if config.warp is not None:
        inputs = finding.warp_inputs(config.warp, inputs, run.on_event)
    if config.aretomo is not None:
        inputs = finding.aretomo_inputs(config.aretomo, inputs)
    return finding.find_in_folders(inputs)


@job("restore.prepare")
def prepare(config: PrepareConfig, run: Run) -> Path:
    """List tomograms in a STAR file: pair halves, match files by name, check that all fit."""
    from icelens.tasks.restore import prepare as listing

    recording = listing.Recording(
        pixel_size=config.pixel_size,
        defocus=config.defocus,
        tilt_min=config.tilt_min,
        tilt_max=config.tilt_max,
        voltage=config.voltage,
        spherical_aberration=config.spherical_aberration,
        amplitude_contrast=config.amplitude_contrast,
        pixel_size_from=config.pixel_size_from,
    )
    tomograms = listing.list_tomograms(
        _find(config, run),
        recording,
        num_subtomograms=config.subtomograms,
        on_event=run.on_event,
    )
    if config.check_voxels:
        listing.check_densities(tomograms, run.on_event)
    if config.create_average:
        tomograms = listing.average_halves(tomograms, run.folder / "average", run.on_event)
    listing.write_list(config.star, tomograms, run.on_event)
    listing.report_list(tomograms, run)
    return config.star


JOBS: tuple[Job[Any, Any], ...] = (prepare,)
