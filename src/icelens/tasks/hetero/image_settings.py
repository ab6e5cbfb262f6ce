"""Settings of every job of `icelens hetero` that looks at particle images. Imports no torch."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, DeviceConfig, PositiveAngstrom


class ImagesConfig(DeviceConfig):
    """Which images, and what is done to them before a model sees them."""

    particles: tuple[Path, ...] = Field(min_length=1)
    """Particle images with poses: STAR or .cs files, joined if several."""

    box_size: int | None = Field(default=None, ge=16, le=1024)
    """Side in px of the grid that images are brought to and volumes are made on, by leaving out
    fine detail; even. Without it, that of the images."""

    max_resolution: PositiveAngstrom | None = None
    """Finest detail that is compared; without it, what the grid holds."""

    mask_diameter: PositiveAngstrom | None = None
    """Diameter of what is kept of images and volumes; without it, found from a map of a sample."""

    contrast: Literal["auto", "keep", "invert"] = "auto"
    """Whether grey values are multiplied by -1, because protein is to be bright: auto looks at a
    map of a sample."""

    tilts: int = Field(default=0, ge=0)
    """Images of a tilt series that are used, lowest dose first; 0 for all."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the image stacks, if they are not where the file says."""

    tomograms: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """STAR file of the tomograms of 2D tilt stacks, unless an optimisation set names it."""

    skip_missing: bool = Field(default=False, json_schema_extra=EXPERT)
    """Leave out images whose stack is missing instead of stopping."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """One number that fixes everything drawn at random; the same seed gives the same result."""
