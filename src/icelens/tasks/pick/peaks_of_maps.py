"""From class maps to picks: peaks of each object's probability, at sub-voxel places."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.io.copick.keys import Features
from icelens.core.volumes.peaks import Refinement, find_peaks
from icelens.tasks.pick.settings import CENTROID_SCALE, EXCLUSION_SCALE

Floats = npt.NDArray[np.float64]


def peaks_of(
    maps: Features,
    each: PickableObject,
    threshold: float,
    *,
    exclusion_scale: float = EXCLUSION_SCALE,
    centroid_scale: float = CENTROID_SCALE,
    refinement: Refinement = "centroid",
) -> tuple[Floats, Floats]:
    """Peaks of one object: positions `(pick, 3)` zyx in Å, best first, and their probabilities.

    Args:
        maps: Class maps as `class_maps` makes them; the attributes name their objects.
        each: What to pick, one of those named.
        threshold: Least probability of a peak.
        exclusion_scale: Least distance of two picks, in radii of the object.
        centroid_scale: Radius of the ball whose centre of mass is taken, likewise.
        refinement: How places get finer than the grid.
    """
    radius = each.known_radius() / maps.pixel_size
    channel = list(maps.attributes["objects"]).index(each.name)
    peaks, heights = find_peaks(
        maps.array[channel],
        threshold=threshold,
        exclusion_radius_px=exclusion_scale * radius,
        refinement=refinement,
        centroid_radius_px=centroid_scale * radius,
    )
    return peaks * maps.pixel_size + np.array(maps.origin_zyx), heights


def picks_of_maps(
    maps: Features,
    objects: Sequence[PickableObject],
    thresholds: Mapping[str, float],
    *,
    run: str,
) -> Picks:
    """All picks of a tomogram, with their probabilities as scores.

    Args:
        maps: Class maps as `class_maps` makes them.
        objects: What to pick.
        thresholds: Least probability of a peak for each object.
        run: Name of the tomogram.
    """
    positions, species, scores = [np.zeros((0, 3))], [], [np.zeros(0)]
    for each in objects:
        places, heights = peaks_of(maps, each, thresholds[each.name])
        positions.append(places)
        scores.append(heights)
        species += [each.name] * len(places)
    joined = np.concatenate(positions)
    return Picks(
        joined,
        species=tuple(species),
        score=np.concatenate(scores),
        tomogram_id=(run,) * len(joined),
    )
