"""Say what a project holds, run by run."""

from collections.abc import Iterator

from icelens.core.data.pickable import PickableObject
from icelens.core.errors import IcelensError, InputFileError
from icelens.core.events import Message, OnEvent
from icelens.core.io.copick.project import Project, open_project
from icelens.tasks.pick.project_jobs import BrowseConfig


def browse_project(config: BrowseConfig, on_event: OnEvent) -> str:
    """Describe the project; return a closing sentence.

    Raises:
        InputFileError: One line for each thing that cannot be read.
    """
    project = open_project(config.project)
    runs = project.select_runs(config.runs) if config.runs else project.run_names()
    for each in project.objects:
        on_event(Message(describe_object(each)))
    problems: list[str] = []
    for run in runs:
        lines = [*_tomograms(project, run, problems), *_picks(project, run, problems)]
        lines += [
            f"segmentation {key}, {'labels of objects' if key.is_multilabel else 'one object'}"
            for key in project.segmentations(run)
        ]
        for line in lines or ["nothing"]:
            on_event(Message(f"run {run}: {line}"))
    if problems:
        raise InputFileError("\n".join(problems))
    return f"{project.name}: {len(project.objects)} objects, {len(runs)} runs"


def describe_object(each: PickableObject) -> str:
    """An object with its label, radius and weight."""
    radius = "no radius" if each.radius is None else f"radius {each.radius:g} Å"
    kind = "" if each.is_particle else ", no particle"
    return f"object {each.name}: label {each.label}, {radius}, weight {each.weight:g}{kind}"


def _tomograms(project: Project, run: str, problems: list[str]) -> Iterator[str]:
    try:
        for key in project.tomograms(run):
            header = project.tomogram_header(run, key)
            shape = " x ".join(str(side) for side in header.shape)
            yield (
                f"tomogram {key.tomogram_type}, {key.pixel_size:g} Å/px, {shape} voxels (z, y, x)"
            )
            for name in project.features(run, key):
                yield f"features {name} of {key}"
    except IcelensError as error:
        problems.append(str(error))


def _picks(project: Project, run: str, problems: list[str]) -> Iterator[str]:
    for key in project.picks(run):
        try:
            yield f"{len(project.read_picks(run, key))} picks {key}"
        except IcelensError as error:
            problems.append(str(error))
