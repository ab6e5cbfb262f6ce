"""Settings of a job of the project: where it writes by default, and paths that can move."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from icelens.jobs.config import Config
from icelens.jobs.job import Job
from icelens.jobs.project.project import JOBS_NAME, Project
from icelens.jobs.run import output_folder
from icelens.jobs.settings import settings_of

_ENDING = re.compile(r"(?<!\w)\.(star|mrc|csv|cs|png|gif|json)\b")
_NAMES = {"star": "particles", "mrc": "map", "cs": "particles"}


def job_folder(number: int, job: Job[Any, Any]) -> str:
    """Folder of a job of the queue, relative to the project."""
    return f"{JOBS_NAME}/{number:04d}-{job.task}-{job.command}"


def with_output(job: Job[Any, Any], settings: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Settings with the output in the job's own folder, where none was given.

    Jobs that by default write beside what they read go on doing so.
    """
    field = job.config_type.model_fields.get("output")
    if field is None or settings.get("output"):
        return dict(settings)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    if extra.get("output") != "file":
        beside = not field.is_required() and field.default is None
        return dict(settings) if beside else {**settings, "output": folder}
    if isinstance(field.default, Path):
        return {**settings, "output": f"{folder}/{field.default.name}"}
    return {**settings, "output": f"{folder}/{_file_name(field.description or '', settings)}"}


def folder_of(config: Config, folder: str) -> str:
    """Where the record of a run with these settings will lie; `folder` if it keeps none."""
    output = getattr(config, "output", None)
    field = type(config).model_fields.get("output")
    extra = field.json_schema_extra if field else None
    if isinstance(extra, dict) and extra.get("output") == "shared" and isinstance(output, Path):
        return str(output)
    found = output_folder(config)
    return folder if found is None else str(found)


def with_paths(
    job: Job[Any, Any], settings: Mapping[str, Any], change: Callable[[str], str]
) -> dict[str, Any]:
    """Settings in JSON form with another text for each path; whether they are valid matters not."""
    changed = _copied(settings)
    for setting in settings_of(job.config_type):
        if not any(_is_path(kind) for kind in setting.alternatives):
            continue
        *sections, name = setting.path
        place: Any = changed
        for section in sections:
            place = place.get(section) if isinstance(place, dict) else None
        if not isinstance(place, dict) or name not in place:
            continue
        value = place[name]
        if isinstance(value, str) and value:
            place[name] = change(value)
        elif isinstance(value, list):
            place[name] = [change(item) if isinstance(item, str) else item for item in value]
    return changed


def portable(
    project: Project, job: Job[Any, Any], settings: Mapping[str, Any], base: Path
) -> dict[str, Any]:
    """Settings whose paths, meant from `base`, are kept as the project keeps paths."""
    return with_paths(job, settings, lambda text: project.relative(base / text))


def _file_name(text: str, settings: Mapping[str, Any]) -> str:
    """A name for a file that the job writes, from its help or else from what it reads."""
    found = _ENDING.search(text)
    if found:
        return f"{_NAMES.get(found[1], 'result')}.{found[1]}"
    endings = [Path(value).suffix for value in settings.values() if isinstance(value, str)]
    ending = next((each for each in endings if _ENDING.fullmatch(each)), ".mrc")
    return f"{_NAMES.get(ending[1:], 'result')}{ending}"


def _is_path(kind: Any) -> bool:  # noqa: ANN401 - annotations are of any type
    return kind is Path or any(_is_path(inner) for inner in get_args(kind))


def _copied(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _copied(value) if isinstance(value, Mapping) else value
        for name, value in settings.items()
    }
