"""What forms choose from: lanes, results of earlier jobs, presets."""

from typing import Annotated, get_args

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict

from icelens.apps.web.forms import presets
from icelens.apps.web.forms.answers import JobName, Text, Values
from icelens.apps.web.forms.fitting import Kind
from icelens.apps.web.forms.lanes import LaneAnswer, lanes_of
from icelens.apps.web.forms.results import Result, results_for
from icelens.apps.web.forms.submission import WishError
from icelens.apps.web.forms.values import as_typed, read_values
from icelens.apps.web.request_values import OptionalJob
from icelens.apps.web.workbench import Bench
from icelens.jobs.registry import find_job

router = APIRouter()

PresetName = Annotated[str, Path(min_length=1, max_length=60)]


class LanesAnswer(BaseModel):
    """Lanes, and lines about those that cannot be used."""

    lanes: list[LaneAnswer]
    problems: list[str]


class ResultsAnswer(BaseModel):
    """Results that fit."""

    results: list[Result]


class PresetsAnswer(BaseModel):
    """Presets of a job."""

    presets: list[presets.Preset]


class PresetBody(BaseModel):
    """Values to keep, as typed."""

    model_config = ConfigDict(extra="forbid")
    values: Values


class SettingsQuestion(BaseModel):
    """A file with settings of a job."""

    model_config = ConfigDict(extra="forbid")
    job: Annotated[str, Text]
    file: Annotated[str, Text]


class SettingsAnswer(BaseModel):
    """Values as a form shows them."""

    values: Values


@router.get("/api/lanes")
def lanes(bench: Bench) -> LanesAnswer:
    """Where jobs may run: the CPU, each GPU, and clusters with the variables of their scripts."""
    found, problems = lanes_of(bench.project)
    return LanesAnswer(lanes=found, problems=problems)


@router.get("/api/results")
def results(
    bench: Bench,
    kind: Annotated[str, Query(max_length=200)] = "",
    job: OptionalJob = None,
) -> ResultsAnswer:
    """Results of earlier jobs of some kinds (`particles,stack`), also those still to come."""
    wanted = set(kind.split(","))
    kinds: list[Kind] = [each for each in get_args(Kind) if each in wanted]
    return ResultsAnswer(results=results_for(bench.queue, kinds, only=job))


@router.get("/api/presets/{job}")
def all_presets(bench: Bench, job: JobName) -> PresetsAnswer:
    """The presets of a job."""
    return PresetsAnswer(presets=presets.presets_of(bench.project, find_job(job)))


@router.put("/api/presets/{job}/{name}")
def save(bench: Bench, job: JobName, name: PresetName, body: PresetBody) -> PresetsAnswer:
    """Keep values under a name, without inputs and output; an earlier preset is replaced."""
    declared = find_job(job)
    settings, problems = read_values(declared, body.values)
    if problems:
        raise WishError(problems)
    presets.save_preset(bench.project, declared, name, settings)
    return PresetsAnswer(presets=presets.presets_of(bench.project, declared))


@router.delete("/api/presets/{job}/{name}")
def delete(bench: Bench, job: JobName, name: PresetName) -> PresetsAnswer:
    """Remove a preset."""
    declared = find_job(job)
    presets.delete_preset(bench.project, declared, name)
    return PresetsAnswer(presets=presets.presets_of(bench.project, declared))


@router.post("/api/ask/settings")
def settings(bench: Bench, body: SettingsQuestion) -> SettingsAnswer:
    """Read settings from a YAML or JSON file, or the run.json of an earlier run."""
    job = find_job(body.job)
    found = presets.settings_in(bench.roots.resolve(body.file), job)
    return SettingsAnswer(values=as_typed(job, found))
