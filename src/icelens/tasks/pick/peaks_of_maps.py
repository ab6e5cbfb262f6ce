"""From class maps to picks: peaks of each object's probability, at sub-voxel places."""

from collections.abc import Mapping, Sequence

import numpy as np

from icelens.core.data.pickable import PickableObject
from icelens.core.data.picks import Picks
from icelens.core.io.copick.keys import Features
from icelens.core.volumes.peaks import find_peaks

EXCLUSION_SCALE = 0.7
"""Two particles of one kind are at least this share of its radius apart."""


def picks_of_maps(
    maps: Features,
    objects: Sequence[PickableObject],
    thresholds: Mapping[str, float],
    *,
    run: str,
    exclusion_scale: float = EXCLUSION_SCALE,
) -> Picks:
    """All picks of a tomogram, with their probabilities as scores.

    Args:
        maps: Class maps as `class_maps` makes them; the attributes name their objects.
        objects: What to pick, of those named.
        thresholds: Least probability of a peak for each object.
        run: Name of the tomogram.
        exclusion_scale: Least distance of two picks of one object, in its radii.
    """
    names = list(maps.attributes["objects"])
    positions, species, scores = [np.zeros((0, 3))], [], [np.zeros(0)]
    for each in objects:
        channel = maps.array[names.index(each.name)]
        peaks, heights = find_peaks(
            channel,
            threshold=thresholds[each.name],
            exclusion_radius_px=exclusion_scale * each.known_radius() / maps.pixel_size,
        )
        positions.append(peaks * maps.pixel_size + np.array(maps.origin_zyx))
        scores.append(heights)
        species += [each.name] * len(peaks)
    joined = np.concatenate(positions)
    return Picks(
        joined,
        species=tuple(species),
        score=np.concatenate(scores),
        tomogram_id=(run,) * len(joined),
    )
