"""Take masks and labels of other programs into a project: look at everything, then write."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.pickable import LARGEST_LABEL, Source
from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.events import Message, Saved
from icelens.core.io.copick.coordinate_tables import run_of, volumes_by_run
from icelens.core.io.copick.keys import SegmentationKey, TomogramKey, check_name
from icelens.core.io.copick.project import Project, open_project
from icelens.core.io.volumes import open_volume, read_header
from icelens.jobs.run import Run
from icelens.tasks.pick.segmentation_jobs import ImportSegmentationConfig

_SAME_SAMPLING = 0.02


def import_labels(config: ImportSegmentationConfig, run: Run) -> str:
    """Write a segmentation for each run that has a file; return a sentence on it.

    Raises:
        MetadataError: If a file has no run, a value no object, or samplings differ.
        GeometryError: If a file has another shape than the tomogram of its run.
    """
    project = open_project(config.project)
    words = zip(config.segmentation, ("name", "user", "session"), strict=True)
    name, user, session = (check_name(text, what) for text, what in words)
    ready = []
    for each, path in _files(config, project).items():
        key = project.choose_tomogram(each, config.voxel_size, config.tomogram_type)
        labels = _on_grid_of(project, each, key, path)
        ready.append((each, key, _numbered(config, project, path, labels)))
    for each, key, labels in ready:
        target = SegmentationKey(key.pixel_size, name, Source(user, session), is_multilabel=True)
        written = project.write_segmentation(each, target, Volume(labels, key.pixel_size))
        run.on_event(Saved(written, "segmentation"))
        share = np.count_nonzero(labels) / labels.size
        level = "info" if share else "warning"
        run.on_event(Message(f"{each}: {100 * share:.2g} % of the voxels are labelled", level))
    return f"{project.path}: imported {','.join(config.segmentation)} of {len(ready)} runs"


def _files(config: ImportSegmentationConfig, project: Project) -> dict[str, Path]:
    """The file of each run."""
    if not config.labels.is_dir():
        named = config.runs or (run_of(config.labels.name),)
        if len(named) > 1:
            raise MetadataError(
                f"{config.labels}: one file, but --runs names {', '.join(named)}; name one run, "
                "or give a folder with a file for each"
            )
        return {project.select_runs(named)[0]: config.labels}
    found = volumes_by_run(config.labels, config.runs)
    project.select_runs(tuple(found))
    return found


def _on_grid_of(
    project: Project, run: str, key: TomogramKey, path: Path
) -> npt.NDArray[np.generic]:
    """The values of a file, which must lie on the tomogram's grid."""
    known = read_header(path).pixel_size
    if known is not None and abs(known / key.pixel_size - 1) > _SAME_SAMPLING:
        raise MetadataError(
            f"{path}: has {known:g} Å/px, but tomogram {key} of run {run} {key.pixel_size:g}; "
            "choose the other tomogram with --voxel-size, or resample the labels"
        )
    array = open_volume(path, pixel_size=key.pixel_size, pixel_size_from="metadata").array
    expected = project.tomogram_shape(run, key)
    if array.shape != expected:
        raise GeometryError(
            f"{path}: has (z, y, x) = {array.shape}, but tomogram {key} of run {run} {expected}; "
            "make the labels on that tomogram"
        )
    return array


def _numbered(
    config: ImportSegmentationConfig,
    project: Project,
    path: Path,
    values: npt.NDArray[np.generic],
) -> npt.NDArray[np.uint8]:
    """The labels of the project's objects, 0 elsewhere."""
    if config.object is not None:
        label = project.find(config.object).label
        if label > LARGEST_LABEL:
            raise MetadataError(
                f"{project.path}: label {label} of {config.object} is above {LARGEST_LABEL}, which "
                "a segmentation cannot hold; number the objects anew"
            )
        return np.where(np.asarray(values) != 0, np.uint8(label), np.uint8(0))
    found = np.unique(np.asarray(values))
    known = {each.label: each.name for each in project.objects}
    strange = [value for value in found.tolist() if value != 0 and value not in known]
    if strange or found[-1] > LARGEST_LABEL:
        shown = ", ".join(f"{value:g}" for value in strange[:3]) or f"{found[-1]:g}"
        listed = ", ".join(f"{label} ({name})" for label, name in known.items()) or "none"
        raise MetadataError(
            f"{path}: holds {shown}, expected labels of the project up to {LARGEST_LABEL}: "
            f"{listed}; if it is a mask, name what it shows with --object"
        )
    return np.asarray(values).astype(np.uint8)
