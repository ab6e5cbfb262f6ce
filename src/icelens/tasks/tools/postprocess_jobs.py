"""The job that makes a final map of two half maps: settings and name; the work is beside."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from icelens.core.io.volume_header import PixelSizeFrom
from icelens.jobs.config import EXPERT, Angstrom, Config, PositiveAngstrom
from icelens.jobs.job import Estimate, job
from icelens.jobs.run import Run

Width = Annotated[Angstrom, Field(ge=0)]


class PostprocessConfig(Config):
    """Settings of `icelens tools postprocess`."""

    half_1: Path
    """Map of one half set, not sharpened or masked."""

    half_2: Path
    """Map of the other half set, on the same grid."""

    mask: Path | None = None
    """Soft mask; made from the density if left out."""

    pixel_size: PositiveAngstrom | None = None
    """Sampling, needed if the headers do not know it."""

    b_factor: float | None = Field(default=None, json_schema_extra={"unit": "Å²"})
    """Sharpen by this instead of the Guinier plot's slope; negative sharpens, 0 only weighs."""

    guinier_low: PositiveAngstrom = 10.0
    """Coarsest resolution of the Guinier plot's line; its finest is the map's own."""

    low_pass: PositiveAngstrom | None = None
    """Nothing finer is kept, and the Guinier plot's line ends there."""

    local_resolution: bool = False
    """Also measure the resolution at every place, and filter each at its own."""

    auto_mask: Literal["density", "sphere"] = "density"
    """Without a mask: what the density fills, or the sphere that fits into the box."""

    mask_threshold: float | None = Field(default=None, json_schema_extra=EXPERT)
    """Of the low-passed mean of both halves; Otsu's if left out."""

    mask_low_pass: PositiveAngstrom = Field(default=15.0, json_schema_extra=EXPERT)
    """Resolution to which the density is filtered before it is thresholded."""

    mask_dilation: Width = Field(default=8.0, json_schema_extra=EXPERT)
    """How much wider the mask is than the thresholded density."""

    mask_edge: Width | None = Field(default=None, json_schema_extra=EXPERT)
    """Width of the mask's soft edge; 6 px if left out."""

    local_window: PositiveAngstrom | None = Field(default=None, json_schema_extra=EXPERT)
    """Diameter of the windows of local resolution; eight times the resolution if left out."""

    local_threshold: float = Field(default=0.5, gt=0, lt=1, json_schema_extra=EXPERT)
    """Height of the correlation in a window that counts as its resolution."""

    pixel_size_from: PixelSizeFrom = Field(default="error", json_schema_extra=EXPERT)
    """Whose pixel size counts if a header and --pixel-size differ by more than 1 %."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Draws the random phases of the mask's correction."""

    output: Path = Path("postprocess")
    """Folder for sharpened.mrc, mask.mrc, the curves, pictures and the report."""


def estimate_postprocess(config: PostprocessConfig) -> Estimate:
    """Time, memory and disk from the number of voxels."""
    from icelens.core.io.volumes import read_header

    z, y, x = read_header(config.half_1).shape
    voxels = z * y * x
    # windows of local resolution overlap by the same share whatever their size
    seconds = (1e-5 if config.local_resolution else 2e-6) * voxels
    num_maps = 2 + 2 * config.local_resolution
    return Estimate(seconds, 60 * voxels + 400_000_000, 4 * num_maps * voxels)


@job(
    "tools.postprocess",
    cites=("rosenthal2003optimal", "chen2013highresolution"),
    estimate=estimate_postprocess,
)
def postprocess(config: PostprocessConfig, run: Run) -> Path:
    """Say the resolution of two half maps and make the final, sharpened map of them.

    Masks them, corrects their Fourier shell correlation for the mask, weighs their mean by it,
    sharpens it by the slope of its Guinier plot and cuts it where the correlation first falls
    below 0.143. Writes sharpened.mrc, mask.mrc, fsc.csv, guinier.csv, pictures and a report; with
    --local-resolution also local_resolution.mrc and locally_filtered.mrc.
    """
    from icelens.tasks.tools.postprocess import postprocess_halves

    return postprocess_halves(config, run)


JOBS = (postprocess,)
