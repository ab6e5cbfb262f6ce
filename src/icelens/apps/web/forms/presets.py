"""Presets: named settings of a job in the project's folder, files as `--config` takes them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from icelens.apps.web.forms.fields import holds_paths
from icelens.apps.web.forms.short_yaml import check_short
from icelens.apps.web.forms.values import Typed, as_typed
from icelens.core.errors import IcelensError, InputFileError
from icelens.core.io.atomic import atomic_path
from icelens.core.io.plain_file import read_plain
from icelens.jobs.job import Job
from icelens.jobs.project.project import Project
from icelens.jobs.settings import settings_of
from icelens.jobs.validation import read_settings

PRESETS_NAME = "presets"
MOST_BYTES = 2**18
_MOST = 200
_NAME = re.compile(r"\w[\w .+=-]{0,59}")


class PresetError(IcelensError):
    """A preset that cannot be kept or found."""


@dataclass(frozen=True)
class Preset:
    """Named settings.

    Attributes:
        name: Of the file, without its ending.
        values: As a form shows them.
        problem: Why the file cannot be used; empty if it can.
        modified: ISO, UTC.
    """

    name: str
    values: Mapping[str, Typed]
    problem: str
    modified: str


def presets_of(project: Project, job: Job[Any, Any]) -> list[Preset]:
    """The presets of a job, by name."""
    folder = _folder(project, job)
    paths = sorted(folder.glob("*.yaml"))[:_MOST] if folder.is_dir() else []
    return [_preset(path, job) for path in paths if _NAME.fullmatch(path.stem)]


def save_preset(
    project: Project, job: Job[Any, Any], name: str, settings: Mapping[str, Any]
) -> None:
    """Keep settings under a name; inputs and output are left out, they are of one job.

    Raises:
        PresetError: If the name cannot be one.
    """
    kept = _without_paths(job, settings)
    text = yaml.safe_dump(kept, allow_unicode=True, sort_keys=False, default_flow_style=False)
    with atomic_path(_path(project, job, name)) as temporary:
        head = f"# icelens {job.task} {job.command} --config FILE\n"
        temporary.write_text(head + text, encoding="utf-8")


def delete_preset(project: Project, job: Job[Any, Any], name: str) -> None:
    """Remove a preset.

    Raises:
        PresetError: If there is none of that name.
    """
    try:
        _path(project, job, name).unlink()
    except FileNotFoundError as error:
        raise PresetError(f"{name}: no such preset of {job.name}") from error


def settings_in(path: Path, job: Job[Any, Any]) -> dict[str, Any]:
    """Settings of a YAML or JSON file or a run's record, for a form.

    Raises:
        InputFileError: If the file is not what it should be.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputFileError(
                f"{path}: is too large for settings; choose a YAML file or run.json"
            )
        check_short(read_plain(path, MOST_BYTES))
        return read_settings(path, job)
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}); choose another"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputFileError(
            f"{path}: holds more than plain settings ({error}); choose another"
        ) from error


def _preset(path: Path, job: Job[Any, Any]) -> Preset:
    try:
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
        return Preset(path.stem, as_typed(job, settings_in(path, job)), "", modified)
    except (IcelensError, OSError) as error:
        return Preset(path.stem, {}, str(error), "")


def _without_paths(job: Job[Any, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: _copied(value) for name, value in settings.items()}
    for setting in settings_of(job.config_type):
        if any(holds_paths(kind) for kind in setting.alternatives):
            place: Any = kept
            for name in setting.path[:-1]:
                place = place.get(name) if isinstance(place, dict) else None
            if isinstance(place, dict):
                place.pop(setting.path[-1], None)
    return kept


def _copied(value: Any) -> Any:  # noqa: ANN401 - JSON
    return (
        {name: _copied(item) for name, item in value.items()} if isinstance(value, dict) else value
    )


def _folder(project: Project, job: Job[Any, Any]) -> Path:
    return project.folder / PRESETS_NAME / job.name


def _path(project: Project, job: Job[Any, Any], name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise PresetError(
            f"{name!r:.80}: is no name for a preset; expected letters, digits, blanks and .+=-_, "
            "60 at most"
        )
    folder = _folder(project, job)
    if not folder.resolve().is_relative_to(project.folder):
        raise PresetError(f"{PRESETS_NAME}: leads out of the project; make it a folder")
    return folder / f"{name.strip()}.yaml"
