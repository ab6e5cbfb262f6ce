"""Particles with the tables of the file they came from, so that it can be written again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError

if TYPE_CHECKING:
    import pandas

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ParticleFile:
    """What was read from particle files; either `blocks` or `records` is filled.

    Attributes:
        particles: One row per image.
        path: Where they came from (the first file, if several were joined).
        table_row: `(row,)` row of the table that each image comes from. A tilt stack is one row of
            the table and several images.
        blocks: STAR tables by the name of their block.
        records: Rows of a cryoSPARC file, pass-through fields included.
        tomograms: STAR file of the tomograms, where rows of the table are stacks of tilts.
        has_pixel_origins: Whether the table counts origins in pixels, as RELION 3.0 does.
    """

    particles: Particles
    path: Path
    table_row: Integers
    blocks: "Mapping[str, pandas.DataFrame]" = field(default_factory=dict)
    records: npt.NDArray[Any] | None = None
    tomograms: Path | None = None
    has_pixel_origins: bool = False

    def __post_init__(self) -> None:
        """Refuse tables of other particles."""
        if len(self.table_row) != len(self.particles):
            raise GeometryError(
                f"{self.path}: {len(self.table_row)} table rows for {len(self.particles)} images"
            )

    def __len__(self) -> int:
        """Number of images."""
        return len(self.particles)
