"""Declaration of the job that converts a model of octopi. Imports no torch."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from icelens.jobs.config import Angstrom, Config
from icelens.jobs.job import Job, job
from icelens.jobs.run import Run


class ImportOctopiConfig(Config):
    """Convert a model of octopi; only its weights and settings are read, safely."""

    weights: Path
    """Octopi's best_model.pth."""

    settings: Path | None = None
    """Octopi's model_config.yaml; by default the one beside the weights."""

    project: Path | None = None
    """Project that the model was trained on: gives the radii and weights of its objects, and their
    names where model_config.yaml lacks them."""

    voxel_size: Annotated[Angstrom, Field(gt=0)] | None = None
    """Sampling of its training tomograms, where model_config.yaml lacks it."""

    output: Path = Path("imported")
    """Folder for the converted model; give it to --model."""


@job("pick.import-octopi")
def import_octopi(config: ImportOctopiConfig, run: Run) -> Path:
    """Convert a trained model of octopi, reading its weights alone."""
    from icelens.core.events import Message, Saved
    from icelens.tasks.pick.import_octopi import convert, read_model_config

    objects = None
    if config.project is not None:
        from icelens.core.io.copick.project import open_project

        objects = open_project(config.project).objects
    beside = config.weights.with_name("model_config.yaml")
    model = read_model_config(config.settings or beside)
    path, notes = convert(
        config.weights, model, run.folder, objects=objects, pixel_size=config.voxel_size
    )
    for note in notes:
        run.on_event(Message(note))
    run.on_event(Saved(path, "checkpoint"))
    return path


JOBS: tuple[Job[Any, Any], ...] = (import_octopi,)
