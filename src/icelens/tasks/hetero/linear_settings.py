"""Settings of `icelens hetero linear`. Imports no torch."""

from pathlib import Path

from pydantic import Field

from icelens.jobs.config import EXPERT
from icelens.tasks.hetero.image_settings import ImagesConfig


class LinearConfig(ImagesConfig):
    """Settings of `icelens hetero linear`."""

    output: Path = Path("linear")
    """Folder for mean, components, latents and the report."""

    components: int = Field(default=10, ge=1, le=30)
    """Principal components to try; those are kept that make images likelier which they were not
    made of."""

    contrast_spread: float = Field(default=0.1, ge=0, le=0.3, json_schema_extra=EXPERT)
    """Standard deviation to begin with of how strongly particles show, which is then measured, so
    that it does not make a component of its own; 0 takes all to be as strong."""
