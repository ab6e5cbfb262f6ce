"""What is related: the picks of each run, and the mask of its membrane."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icelens.core.data.picks import Picks
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.geometry.inside import refuse_many_outside, refuse_voxels
from icelens.core.io.copick.project import PicksKey, Project, SegmentationKey
from icelens.tasks.pick.membrane_jobs import MembraneConfig
from icelens.tasks.pick.picked import Frame
from icelens.tasks.pick.settings import source_of
from icelens.tasks.pick.target_labels import SHAPE_TOLERANCE

_SAME_SAMPLING = 0.01


@dataclass(frozen=True)
class Related:
    """One run with the picks and the segmentation to relate."""

    run: str
    picks: tuple[PicksKey, ...]
    segmentation: SegmentationKey


@dataclass(frozen=True, eq=False)
class Mask:
    """The membrane's voxels `(z, y, x)` with its labels, and the sampling in Å."""

    labels: npt.NDArray[np.generic]
    is_inside: npt.NDArray[np.bool_]
    pixel_size: float

    @property
    def frame(self) -> Frame:
        """Its grid."""
        z, y, x = self.labels.shape
        return Frame((z, y, x), self.pixel_size)


def find_related(config: MembraneConfig, project: Project) -> tuple[Related, ...]:
    """The runs to work on, each with its picks and its segmentation.

    Raises:
        MetadataError: If no run has such picks, an object or run is unknown, a run that was asked
            for has no such picks, or the segmentation is not the only one that fits.
    """
    source = source_of(config.picks)
    for name in config.objects:
        project.find(name)
    related = []
    for run in project.select_runs(config.runs):
        keys = [key for key in project.picks(run) if key.source == source]
        if config.objects:
            keys = [key for key in keys if key.name in config.objects]
        if not keys and config.runs:
            known = ", ".join(map(str, project.picks(run))) or "none"
            raise MetadataError(
                f"{project.path}: run {run} has no picks of {source} of these objects; there are "
                f"{known}"
            )
        if keys:
            related.append(Related(run, tuple(keys), _segmentation(config, project, run)))
    if not related:
        raise MetadataError(
            f"{project.path}: no run has picks of {source}; make some with `icelens pick localize` "
            "or name others with --picks"
        )
    return tuple(related)


def read_mask(config: MembraneConfig, project: Project, related: Related) -> Mask:
    """The membrane of a run.

    Raises:
        GeometryError: If the segmentation has another shape than the run's tomogram.
    """
    key = related.segmentation
    volume = project.read_segmentation(related.run, key)
    for tomogram in project.tomograms(related.run):
        if abs(tomogram.pixel_size - key.pixel_size) > _SAME_SAMPLING * key.pixel_size:
            continue
        shape = project.tomogram_shape(related.run, tomogram)
        if max(abs(a - b) for a, b in zip(shape, volume.shape, strict=True)) > SHAPE_TOLERANCE:
            raise GeometryError(
                f"{project.path}: segmentation {key} of run {related.run} has {volume.shape} "
                f"voxels but its tomogram {tomogram} {shape}; segment that tomogram"
            )
    labels = np.asarray(volume.array)
    is_inside = labels != 0 if config.label is None else labels == config.label
    return Mask(labels, is_inside, volume.pixel_size)


def check_inside(
    project: Project, related: Related, key: PicksKey, picks: Picks, mask: Mask
) -> int:
    """Number of picks that lie outside the segmentation.

    Raises:
        MetadataError: If they are more than 1 % (and more than one).
    """
    grid = mask.frame
    where = f"{project.path}: run {related.run}, {key}"
    refuse_voxels(where, picks.position_zyx, shape=grid.shape, pixel_size=grid.pixel_size)
    outside = int((~grid.holds(picks)).sum())
    if outside > 1:
        what = f"{key} in {related.run}, {grid}"
        refuse_many_outside(str(project.path), {what: outside}, len(picks))
    return outside


def _segmentation(config: MembraneConfig, project: Project, run: str) -> SegmentationKey:
    name, *source = config.segmentation
    known = project.segmentations(run)
    fitting = [
        key
        for key in known
        if key.name == name
        and source in ([], [key.source.user_id, key.source.session_id])
        and (config.voxel_size is None or _is_near(key.pixel_size, config.voxel_size))
    ]
    if len(fitting) == 1:
        return fitting[0]
    problem = "no" if not fitting else "more than one"
    raise MetadataError(
        f"{project.path}: run {run} has {problem} segmentation {','.join(config.segmentation)}; "
        f"there are {_listed(known)}, choose with --segmentation NAME,USER,SESSION and --voxel-size"
    )


def _is_near(found: float, wanted: float) -> bool:
    return abs(found - wanted) <= _SAME_SAMPLING * wanted


def _listed(keys: Sequence[SegmentationKey]) -> str:
    return ", ".join(map(str, keys)) or "none"
