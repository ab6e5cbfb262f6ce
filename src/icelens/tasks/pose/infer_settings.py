"""Settings of `icelens pose infer`; declared once, imports no torch."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from icelens.jobs.config import EXPERT, Angstrom, ComputeConfig, Degrees, PositiveAngstrom


class PosingConfig(ComputeConfig):
    """How a model finds poses; shared by infer and watch."""

    model: Path
    """Folder of `icelens pose train`, or one checkpoint of it."""

    refine: bool = True
    """Improve the network's poses by comparing images with projections of the reference."""

    reconstruct: bool = True
    """Reconstruct both half maps while poses are found, and the map of all."""

    map: Path | None = None
    """Reference to refine against; without it, the map that the model made of its own training
    images, each half set its own."""

    min_zscore: float | None = None
    """Leave out particles with a lower directional z-score: neither refined nor reconstructed."""

    networks: Literal["matching", "crossed", "1", "2", "both"] = Field(
        default="matching", json_schema_extra=EXPERT
    )
    """Which half set's network answers for which half: its own, the other's, always that of 1 or 2,
    or the surer of both. Only `matching` keeps half maps independent."""

    top_k_network: int = Field(default=3, ge=1, le=50, json_schema_extra=EXPERT)
    """Poses of the network that refinement starts from."""

    top_k: int = Field(default=1, ge=1, le=50)
    """Poses to write for each particle; further ones in columns _top2, _top3 ..."""

    angular_range: Degrees = Field(default=9.0, gt=0, le=180)
    """How far refinement looks around each pose."""

    angular_step: Degrees = Field(default=3.0, gt=0, json_schema_extra=EXPERT)
    """Distance of the rotations that refinement tries before it improves the best continuously."""

    max_shift: Annotated[Angstrom, Field(ge=0)] = Field(
        default=10.0, json_schema_extra=EXPERT | {"unit": "Å"}
    )
    """How far refinement moves the particle from where the network saw it."""

    max_resolution: PositiveAngstrom | None = Field(
        default=None, json_schema_extra=EXPERT | {"unit": "Å"}
    )
    """Finest detail that refinement compares; without it, what the pixels hold."""

    mask_diameter: PositiveAngstrom | None = Field(
        default=None, json_schema_extra=EXPERT | {"unit": "Å"}
    )
    """Diameter of the sphere of the reference that counts; without it, that of the model."""

    stack_root: Path | None = Field(default=None, json_schema_extra=EXPERT)
    """Folder of the image stacks, if they are not where the particle file says."""


class InferConfig(PosingConfig):
    """Settings of `icelens pose infer`."""

    particles: tuple[Path, ...] = Field(min_length=1)
    """STAR files (RELION) or .cs files (cryoSPARC); several are joined. Poses in them are not
    looked at."""

    output: Path
    """Folder for particles.star, the maps, curves and the report."""

    workers: int = Field(default=1, ge=1, le=64)
    """Processes that share the work; with several GPUs each takes one in turn. The result does not
    depend on their number."""

    first: int | None = Field(default=None, ge=1, json_schema_extra=EXPERT)
    """Only so many particles, from the beginning."""
