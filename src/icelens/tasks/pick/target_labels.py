"""Labels of one run: spheres of picks, over segmentations on the grid of its tomogram."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icelens.core.data.pickable import PickableObject, Source
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.geometry.inside import is_inside, refuse_voxels
from icelens.core.io.copick.project import PicksKey, Project, SegmentationKey, TomogramKey
from icelens.core.io.volume_header import CONTRADICTION
from icelens.core.volumes.spheres import label_spheres

Labels = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.integer]
Positions = npt.NDArray[np.float64]
Shape = tuple[int, int, int]
SMALLEST_RADIUS_PX = 1.0
SHAPE_TOLERANCE = 4
"""Voxels by which a segmentation may be larger or smaller than its tomogram, at the far end:
other programs round."""


@dataclass(frozen=True)
class Wanted:
    """What is painted: objects with the sources of their picks, and segmentations."""

    picks: tuple[tuple[PickableObject, Source], ...]
    segmentations: tuple[tuple[str, Source], ...]


def target_labels(
    project: Project, run: str, key: TomogramKey, wanted: Wanted, radius_scale: float
) -> tuple[Labels, float]:
    """Labels (z, y, x) of one run on the grid of its tomogram, and its sampling in Å.

    Args:
        project: Holds all of it.
        run: Name of the run.
        key: Its tomogram; only the header is read.
        wanted: Picks and segmentations, those that the run has not left out.
        radius_scale: Of the spheres, by each object's radius; none is below one voxel.

    Raises:
        GeometryError: If a segmentation does not fit the tomogram.
    """
    header = project.tomogram_header(run, key)
    pixel_size = header.pixel_size or key.pixel_size
    labels = np.zeros(header.shape, np.uint8)
    for name, source in wanted.segmentations:
        _take_over(labels, project, run, _segmentation(project, run, key, name, source))
    centres, radii, numbers = [np.empty((0, 3))], [np.empty(0)], [np.empty(0, np.int64)]
    for each, found, inside in positions_of(project, run, key, wanted):
        radius = max(radius_scale * each.known_radius() / pixel_size, SMALLEST_RADIUS_PX)
        centres.append(found[inside] / pixel_size)
        radii.append(np.full(int(inside.sum()), radius))
        numbers.append(np.full(int(inside.sum()), each.label))
    painted = label_spheres(
        header.shape,
        (0, 0, 0),
        np.concatenate(centres),
        np.concatenate(radii),
        np.concatenate(numbers),
    )
    return np.where(painted > 0, painted, labels), pixel_size


def positions_of(
    project: Project, run: str, key: TomogramKey, wanted: Wanted
) -> list[tuple[PickableObject, Positions, npt.NDArray[np.bool_]]]:
    """Each object with its positions (pick, 3) in Å, and which of them lie in the tomogram.

    Raises:
        MetadataError: If positions count voxels.
    """
    header = project.tomogram_header(run, key)
    pixel_size = header.pixel_size or key.pixel_size
    present = set(project.picks(run))
    found = []
    for each, source in wanted.picks:
        if PicksKey(each.name, source) in present:
            places = project.read_picks(run, PicksKey(each.name, source)).position_zyx
            where = f"{project.path}: run {run}, {each.name}"
            refuse_voxels(where, places, shape=header.shape, pixel_size=pixel_size)
            inside = is_inside(places, shape=header.shape, pixel_size=pixel_size)
            found.append((each, places, inside))
    return found


def fitted(values: Integers, shape: Shape, where: str) -> Integers:
    """A segmentation cut or filled with background at the far end to the shape of its tomogram.

    Raises:
        GeometryError: If an axis differs by more than `SHAPE_TOLERANCE` voxels.
    """
    pairs = list(zip(values.shape, shape, strict=True))
    if any(abs(found - expected) > SHAPE_TOLERANCE for found, expected in pairs):
        raise GeometryError(
            f"{where}: has (z, y, x) = {values.shape}, but its tomogram has {shape}; make it on "
            "the grid of the tomogram"
        )
    cut = values[tuple(slice(side) for side in shape)]
    return np.pad(cut, [(0, side - found) for found, side in zip(cut.shape, shape, strict=True)])


def _take_over(labels: Labels, project: Project, run: str, key: SegmentationKey | None) -> None:
    """Put the labels of a segmentation into `labels`."""
    if key is None:
        return
    where = f"{project.path}: {key} of run {run}"
    found = np.asarray(project.read_segmentation(run, key).array).astype(np.int64)
    z, y, x = labels.shape
    values = fitted(found, (z, y, x), where)
    if key.is_multilabel:
        known = [each.label for each in project.objects]
        others = np.setdiff1d(np.unique(values), [0, *known])
        if others.size:
            raise MetadataError(
                f"{where}: label {others[0]} is of no object of the project; add it"
            )
        labels[values > 0] = values[values > 0]
    else:
        labels[values > 0] = project.find(key.name).label


def _segmentation(
    project: Project, run: str, key: TomogramKey, name: str, source: Source
) -> SegmentationKey | None:
    """The segmentation of that name on the tomogram's grid, if the run has one."""
    fitting = [
        each
        for each in project.segmentations(run)
        if (each.name, each.source) == (name, source)
        and abs(each.pixel_size - key.pixel_size) <= CONTRADICTION * key.pixel_size
    ]
    return fitting[0] if fitting else None
