"""A refiner for each optics group of some images, calibrated on a sample of them."""

import numpy as np
import numpy.typing as npt

from icelens.core.optics.image_source import ImageSource
from icelens.core.refinement.calibration import ImageGrid, grouped_rows, refiner_on
from icelens.core.refinement.refiner import Refiner
from icelens.core.refinement.refiner_settings import RefinerSettings
from icelens.tasks.pose.refine_reference import Reference


def refiners_for(
    reference: Reference,
    source: ImageSource,
    rows: npt.NDArray[np.int64],
    settings: RefinerSettings,
    *,
    match_amplitudes: bool = True,
) -> dict[int, Refiner]:
    """A refiner for each optics group of the rows; groups on one grid share the reference.

    Args:
        reference: The map, on whatever grid.
        source: The images.
        rows: Which of them will be refined.
        settings: The search.
        match_amplitudes: Give the reference the amplitudes that the images show.
    """
    groups = grouped_rows(source.particles, rows)
    grids = {group: ImageGrid.of(source.particles.optics[group]) for group in groups}
    refiners: dict[int, Refiner] = {}
    for grid in dict.fromkeys(grids.values()):
        refiners |= refiner_on(
            reference.on_grid(grid.box_size, grid.pixel_size),
            grid,
            source,
            {group: members for group, members in groups.items() if grids[group] == grid},
            settings,
            match_amplitudes=match_amplitudes,
        )
    return refiners
