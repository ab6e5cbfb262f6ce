"""Jobs of restore that need no network: list tomograms, deconvolve and mask them."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from icelens.core.errors import MetadataError
from icelens.core.io.volume_header import PixelSizeFrom
from icelens.jobs.config import EXPERT, Angstrom, Config, Degrees
from icelens.jobs.job import Estimate, Job, job
from icelens.jobs.run import Run

if TYPE_CHECKING:
    from icelens.tasks.restore.deconvolve import DeconvolutionSettings
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

    pixel_size_from: PixelSizeFrom = Field(default="error", json_schema_extra=EXPERT)
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


class ListedConfig(Config):
    """What deconvolution and masking share."""

    star: Path
    """STAR file listing the tomograms, as `icelens restore prepare` writes it."""

    tomograms: str = "all"
    """Rows to work on: `all`, numbers and ranges such as `1,3-5` (rlnIndex), or `2/5` for the
    second of five shares."""

    pixel_size_from: PixelSizeFrom = Field(default="error", json_schema_extra=EXPERT)
    """Whose pixel size counts where STAR and file header differ by more than 1 %: metadata (the
    STAR), header, or error to stop."""


class DeconvolveConfig(ListedConfig):
    """Settings of `icelens restore deconvolve`."""

    output: Path = Path("deconvolved")
    """Folder for the deconvolved tomograms."""

    input_column: Literal["full", "even", "odd", "denoised", "corrected"] = "full"
    """Which tomogram of each row to deconvolve."""

    snr_falloff: float = Field(default=1.0, ge=0)
    """How fast the signal-to-noise ratio falls with resolution; more is smoother."""

    deconvolution_strength: float = 1.0
    """log10 of the signal-to-noise ratio at low resolution; more restores stronger."""

    highpass_nyquist: float = Field(default=0.02, gt=0, le=1)
    """High-pass corner as a fraction of Nyquist; more flattens the background."""

    phase_flipped: bool = False
    """The tomograms are phase flipped already."""

    chunk_size: Annotated[int, Field(ge=16)] | Literal["auto"] = Field(
        default="auto", json_schema_extra=EXPERT | {"unit": "px"}
    )
    """Side of the chunks a tomogram is filtered in; the result does not depend on it."""

    threads: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """CPU threads; 0 takes as many as there are cores."""

    def settings(self) -> "DeconvolutionSettings":
        """The filter's settings as the computation takes them."""
        from icelens.tasks.restore.deconvolve import DeconvolutionSettings

        return DeconvolutionSettings(
            snr_falloff=self.snr_falloff,
            strength=self.deconvolution_strength,
            highpass_nyquist=self.highpass_nyquist,
            phase_flipped=self.phase_flipped,
        )


class MaskConfig(ListedConfig):
    """Settings of `icelens restore mask`."""

    output: Path = Path("masks")
    """Folder for the masks."""

    input_column: Literal[
        "auto", "denoised", "corrected", "deconvolved", "full", "halves", "even", "odd"
    ] = "auto"
    """What masks are made from; auto takes the denoised tomogram, else the deconvolved, else the
    full one, else the mean of both halves."""

    density_percentage: float = Field(default=50.0, ge=0, le=100, json_schema_extra={"unit": "%"})
    """Voxels kept by rank of density; above 99.8 keeps all."""

    std_percentage: float = Field(default=50.0, ge=0, le=100, json_schema_extra={"unit": "%"})
    """Voxels kept by rank of local standard deviation; above 99.8 keeps all."""

    z_crop: float = Field(default=0.2, ge=0, lt=1)
    """Part of the thickness that is left out, half of it at either face."""

    patch_size: int = Field(default=4, ge=1, json_schema_extra={"unit": "binned px"})
    """Half window of the ranks, in voxels of the volume binned by 2."""

    contrast: Literal["dark", "light"] = "dark"
    """How protein looks in the tomograms: dark, as reconstruction programs leave it, or light."""


# Measured on one core with 512x512x200 voxels.
_DECONVOLVE_SECONDS, _MASK_SECONDS = 1.5e-7, 4e-8
_MASK_BYTES, _LIBRARIES = 4, 250_000_000


def estimate_deconvolve(config: DeconvolveConfig) -> Estimate:
    """Time and disk by counting voxels; memory is bounded by the chunk."""
    counts = _voxels(config, (config.input_column,))
    memory = _LIBRARIES + min(9 * max(counts, default=0), 500_000_000)
    return Estimate(_DECONVOLVE_SECONDS * sum(counts), memory, 4 * sum(counts), (_ONE_CORE,))


def estimate_mask(config: MaskConfig) -> Estimate:
    """Time, memory and disk by counting voxels."""
    order = ("denoised", "deconvolved", "full", "even")
    columns = {"auto": order, "halves": ("even",)}.get(config.input_column, (config.input_column,))
    counts = _voxels(config, columns)
    memory = _LIBRARIES + _MASK_BYTES * max(counts, default=0)
    return Estimate(_MASK_SECONDS * sum(counts), memory, sum(counts), (_ONE_CORE,))


_ONE_CORE = "Time is for one CPU core, without reading from a slow disk."


def _voxels(config: ListedConfig, columns: tuple[str, ...]) -> list[int]:
    """Voxels of each chosen tomogram, by the first of these columns that it has."""
    from icelens.core.io.tomogram_star import read_tomograms
    from icelens.core.io.volumes import read_header

    counts = []
    for row in read_tomograms(config.star).select(config.tomograms):
        present = [column for column in columns if getattr(row, column) is not None]
        path = row.require(present[0] if present else columns[0])
        counts.append(math.prod(read_header(path).shape))
    return counts


@job(
    "restore.deconvolve",
    cites=("tegunov2019realtime",),
    estimate=estimate_deconvolve,
    shared_by="tomograms",
)
def deconvolve(config: DeconvolveConfig, run: Run) -> list[Path]:
    """Correct tomograms for the CTF by a Wiener filter; grey scale and contrast are kept."""
    from icelens.tasks.restore.classical import deconvolve_tomograms

    return deconvolve_tomograms(config, run)


@job("restore.mask", cites=("liu2022isonet",), estimate=estimate_mask, shared_by="tomograms")
def mask(config: MaskConfig, run: Run) -> list[Path]:
    """Mask what holds protein, so that training does not learn from empty ice.

    A polygon named in rlnMaskBoundary (an IMOD model, or a text file of points x y z) bounds it.
    """
    from icelens.tasks.restore.classical import mask_tomograms

    return mask_tomograms(config, run)


JOBS: tuple[Job[Any, Any], ...] = (prepare, deconvolve, mask)
