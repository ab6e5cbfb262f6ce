"""The job of pick that brings masks and labels of other programs into a project. No torch."""

from pathlib import Path
from typing import Any

from icelens.jobs.job import Job, job
from icelens.jobs.run import Run
from icelens.tasks.pick.settings import NamedSourceText, RunsConfig


class ImportSegmentationConfig(RunsConfig):
    """Settings of `icelens pick import-segmentation`."""

    labels: Path
    """A volume of labels (MRC, TIFF, OME-Zarr) on the grid of the tomogram, or a folder of them,
    each named as its run up to its first dot."""

    segmentation: NamedSourceText
    """What to call it in the project: NAME,USER,SESSION. Earlier ones of that name are replaced."""

    object: str | None = None
    """The object that all voxels other than 0 are of, as in a mask; without it, values are the
    labels of the project's objects."""


@job("pick.import-segmentation")
def import_segmentation(config: ImportSegmentationConfig, run: Run) -> str:
    """Take a mask or labels into a project, to train on or to measure distances from.

    The volume must have as many voxels as the run's tomogram. A single file goes to the run that
    --runs names, else to the run of its own name. Everything is checked before anything is written.
    """
    from icelens.tasks.pick.import_segmentation import import_labels

    return import_labels(config, run)


JOBS: tuple[Job[Any, Any], ...] = (import_segmentation,)
