"""Settings of `icelens hetero abinitio`. Imports no torch."""

from pathlib import Path

from pydantic import Field

from icelens.jobs.config import EXPERT, Angstrom, PositiveAngstrom, TimeLimitConfig
from icelens.tasks.hetero.image_settings import ImagesConfig


class AbinitioConfig(ImagesConfig, TimeLimitConfig):
    """Settings of `icelens hetero abinitio`."""

    output: Path
    """Folder of the run."""

    latent_dim: int = Field(default=0, ge=0, le=10)
    """Coordinates of a latent, for particles of several shapes; 0 finds one structure."""

    starts: int = Field(default=3, ge=1, le=20)
    """Searches from different random beginnings; the likeliest goes on, and all are compared."""

    max_shift: Angstrom = Field(default=15.0, ge=0)
    """How far particles may lie off the centre of their images."""

    rounds: int = Field(default=3, ge=0, le=20)
    """Rounds of local refinement in two half sets, after the search."""

    state_rounds: int = Field(default=1, ge=0, le=20, json_schema_extra=EXPERT)
    """With --latent-dim: how often poses are refined against the states of the particles."""

    search_resolution: PositiveAngstrom = Field(default=16.0, json_schema_extra=EXPERT)
    """Finest detail of the search, which uses 20 shells at most; the refinement goes on."""

    iterations: int = Field(default=60, ge=1, le=10000, json_schema_extra=EXPERT)
    """Steps of each start."""

    batch_size: int = Field(default=200, ge=10, json_schema_extra=EXPERT)
    """Particles in a step."""

    passes: int = Field(default=3, ge=1, le=20, json_schema_extra=EXPERT)
    """How often the likeliest start is compared with all particles on all rotations."""
