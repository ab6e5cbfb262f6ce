"""Settings of `icelens pose refine`. Imports no torch."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from icelens.jobs.config import EXPERT, OUTPUT_FILE, Angstrom, Config, Degrees, PositiveAngstrom


class RefineConfig(Config):
    """Settings of `icelens pose refine`."""

    particles: tuple[Path, ...] = Field(min_length=1)
    """Particle images with poses: STAR or .cs files, joined if several."""

    map: Path
    """Reference, protein bright; brought to the images' box and pixel size if it has others."""

    output: Path = Field(default=Path("refined.star"), json_schema_extra=OUTPUT_FILE)
    """File for the refined particles; maps and curves of --halves are written beside it."""

    angular_range: Annotated[Degrees, Field(ge=0, le=180)] = 6.0
    """How far from the given pose to look; a pose turns by this and --angular-step at most."""

    angular_step: Annotated[Degrees, Field(gt=0)] = 2.0
    """Distance of the rotations that are tried before the best are improved continuously."""

    max_shift: Annotated[Angstrom, Field(ge=0)] = 10.0
    """How far the shift may move from the given one."""

    max_resolution: PositiveAngstrom | None = None
    """Finest detail that is compared; without it, what the pixels hold."""

    mask_diameter: PositiveAngstrom | None = None
    """Diameter of the sphere of the reference that counts, outside of which noise is measured;
    without it, 0.95 of the box. A tight one makes poses better and their widths truer."""

    top_k: int = Field(default=1, ge=1, le=100)
    """Poses to write for each particle; the second has columns ending in _top2, and so on."""

    symmetry: str = "C1"
    """Point group of the reference: equivalent poses are one, and --halves are averaged over it."""

    iterations: int = Field(default=1, ge=1, le=100)
    """Rounds of refinement; between them the maps are reconstructed anew (needs --halves)."""

    halves: bool = False
    """Refine each half set against a map of its own and write both half maps."""

    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """Where to compute: auto, cpu, cuda, cuda:N or mps."""

    map_half_2: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Reference of half set 2, if --map is the one of half set 1 (with --halves)."""

    initial_resolution: PositiveAngstrom | None = Field(default=None, json_schema_extra=EXPERT)
    """Low-pass of the first reference; with --halves and one --map 20 Å, or the halves would share
    fine detail and agree by it."""

    match_amplitudes: bool = Field(default=True, json_schema_extra=EXPERT)
    """Give the reference the amplitudes that the images show: a sharpened map is no worse then."""

    pixel_size: PositiveAngstrom | None = Field(default=None, json_schema_extra=EXPERT)
    """Sampling of the images, whatever their file says."""

    map_pixel_size: PositiveAngstrom | None = Field(default=None, json_schema_extra=EXPERT)
    """Sampling of the map, needed if its header does not know it."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the image stacks, if they are not where the file says."""

    tomograms: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """STAR file of the tomograms of 2D tilt stacks, unless an optimisation set names it."""

    skip_missing: bool = Field(default=False, json_schema_extra=EXPERT)
    """Leave out images whose stack is missing instead of stopping."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """Deals particles without rlnRandomSubset to half sets."""

    threads: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """CPU threads; 0 takes as many as there are cores."""
