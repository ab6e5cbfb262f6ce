"""What can be picked: the objects of a project with their labels, radii and weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from icelens.core.errors import MetadataError

LARGEST_LABEL = 255
"""What a segmentation of bytes can hold."""
LARGEST_RADIUS = 10_000.0
"""In Å: no particle is as large as that, but one in picometres is, or one without its point."""


@dataclass(frozen=True)
class Source:
    """Who made picks or a segmentation, and in which session; copick's `user_id`, `session_id`."""

    user_id: str
    session_id: str

    def __str__(self) -> str:
        """As one types it: `curation,0`."""
        return f"{self.user_id},{self.session_id}"


@dataclass(frozen=True)
class PickableObject:
    """One kind of object: `label` in multilabel segmentations (never 0), `radius` in Å.

    `is_particle` is false for membranes and other continuous things, which have no radius.
    `metadata` is carried along unchanged.
    """

    name: str
    label: int
    radius: float | None = None
    is_particle: bool = True
    color: tuple[int, int, int, int] = (100, 100, 100, 255)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def weight(self) -> float:
        """Share in a weighted score: `score_weight` or `weight` of the metadata, else 1."""
        value = self.metadata.get("score_weight", self.metadata.get("weight", 1.0))
        return float(value)

    def known_radius(self) -> float:
        """The radius in Å.

        Raises:
            MetadataError: If it is missing, not positive, or larger than any particle.
        """
        if self.radius is None or not 0 < self.radius <= LARGEST_RADIUS:
            raise MetadataError(
                f"object {self.name} has radius {self.radius}; give its radius in Å in the "
                "project's configuration (pickable_objects), or in objects.csv of a plain folder"
            )
        return self.radius
