"""Check what was typed into a form: all mistakes at once, each at its field, and the command."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from icelens.apps.jobs.submitting import changed_settings
from icelens.apps.web.forms.fitting import is_written
from icelens.apps.web.forms.outside import leading_out
from icelens.apps.web.forms.values import Problem, Typed, bare, read_values
from icelens.apps.web.roots import Roots
from icelens.jobs.config import Config, ConfigError
from icelens.jobs.job import Job
from icelens.jobs.project.project import Project
from icelens.jobs.project.settings_paths import portable, with_output
from icelens.jobs.settings import Setting, command_line, paths_in, settings_of
from icelens.jobs.validation import known_name, make_config, mistakes

_ENDED = {"stopped": "was stopped", "failed": "failed"}


@dataclass(frozen=True)
class Checked:
    """What came of a check.

    Attributes:
        settings: In JSON form, for the queue: those that differ from the defaults.
        config: None if something is wrong.
        problems: What has to be mended.
        warnings: What may be meant so.
        command: The line that does the same; empty if something is wrong.
    """

    settings: Mapping[str, Any]
    config: Config | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()
    command: str = ""


def check(
    job: Job[Any, Any], values: Mapping[str, Typed], *, project: Project, roots: Roots, folder: str
) -> Checked:
    """Check typed values as the queue will take them.

    Args:
        job: What they are for.
        values: By the settings' dotted names.
        project: Paths are meant from its folder.
        roots: Every path has to lie below one.
        folder: Of the job, where it writes unless told otherwise.
    """
    read, problems = read_values(job, values)
    settings = portable(project, job, read, project.folder)
    problems += [
        Problem(setting.key, str(error), is_final=True)
        for setting, error in leading_out(job, settings, roots)
    ]
    config, wrong = _configured(job, with_output(job, settings, folder))
    have = {problem.field for problem in problems}
    problems += [problem for problem in wrong if not problem.field or problem.field not in have]
    if config is None or problems:
        return Checked(settings, None, tuple(problems))
    kept = changed_settings(job, config)
    kept.pop("output", None)
    if "output" in settings:
        # also the usual one: left out, it would mean the job's own folder
        kept["output"] = settings["output"]
    return Checked(
        kept,
        config,
        (),
        tuple(_missing(job, config, project)),
        command_line(job, config),
    )


def _configured(
    job: Job[Any, Any], settings: Mapping[str, Any]
) -> tuple[Config | None, list[Problem]]:
    by_key = {setting.key: setting for setting in settings_of(job.config_type)}
    try:
        return make_config(job.config_type, settings), []
    except ConfigError as error:
        cause = error.__cause__
        if not isinstance(cause, ValidationError):
            return None, [Problem("", str(error))]
        found = mistakes(job.config_type, cause)
        return None, [_placed(key, line, by_key) for key, line in found]


def _placed(key: str, line: str, by_key: Mapping[str, Setting]) -> Problem:
    """A mistake at its field; one of several settings stands at the first it names."""
    if key in by_key:
        setting = by_key[key]
        is_missing = line == f"{known_name(setting)} is missing: {setting.help}"
        return Problem(key, "is needed" if is_missing else bare(line, setting))
    words = line.replace(",", " ").replace(":", " ").split()
    named = {setting.flag: setting.key for setting in by_key.values()}
    return Problem(next((named[word] for word in words if word in named), ""), line)


def _missing(job: Job[Any, Any], config: Config, project: Project) -> Iterator[Problem]:
    for key, path in paths_in(config):
        if not is_written(job.name, key) and not (project.folder / path).exists():
            yield Problem(key, f"{path} does not exist{_made_by(project, path)}")


def _made_by(project: Project, path: Path) -> str:
    """Which job will write a path, or was to write it, if one is seen to."""
    text = project.relative(path)
    query = (
        "SELECT number, job, state, folder, settings FROM jobs WHERE removed IS NULL "
        "AND state != 'done' AND (folder = ? OR substr(?, 1, length(folder) + 1) = folder || '/' "
        "OR instr(settings, ?) > 0) ORDER BY number DESC LIMIT 100"
    )
    with project.connection() as connection:
        rows = connection.execute(query, (text, text, json.dumps(text))).fetchall()
    for row in rows:
        settings = json.loads(row["settings"])
        named = [key for key, value in settings.items() if value == text]
        is_inside = f"{text}/".startswith(f"{row['folder']}/")
        if is_inside or any(is_written(row["job"], key) for key in named):
            if row["state"] in ("stopped", "failed"):
                return f"; J{row['number']}, which was to write it, {_ENDED[row['state']]}"
            return f" yet; J{row['number']} will write it"
    return ""
