"""Commands that put jobs into the queue."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from icelens.apps import arguments
from icelens.apps.jobs.acting import numbers_of
from icelens.jobs.job import Job
from icelens.jobs.project.entry import Entry
from icelens.jobs.project.launch import ensure_dispatcher
from icelens.jobs.project.project import Project
from icelens.jobs.project.queue import Queue
from icelens.jobs.project.settings_paths import portable
from icelens.jobs.project.shared_jobs import submit_shares
from icelens.jobs.registry import find_job
from icelens.jobs.settings import settings_of, value_at
from icelens.jobs.validation import merged


def submit_flags(parser: arguments.Parser) -> None:
    """Where and when a job shall run; they come before its name."""
    add = parser.add_argument
    add(
        "--lane",
        default="",
        metavar="NAME",
        help="where to run, see icelens jobs lanes; several with commas share the work",
    )
    add("--priority", type=int, default=0, metavar="N", help="higher goes first")
    add("--after", nargs="+", default=[], metavar="J7", help="jobs to wait for")
    add("--run-now", action="store_true", help="start at once, whatever else runs in the lane")
    add("--title", default="", help="what to call it")
    add("--tasks", type=int, default=0, metavar="N", help="run as an array of N tasks on a cluster")
    add(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="variable of a cluster lane, such as time=4:00:00; may be repeated",
    )
    add("--draft", action="store_true", help="keep it without starting it")  # fmt: skip


def clone_flags(parser: arguments.Parser) -> None:
    """Which job to copy."""
    parser.add_argument("--start", action="store_true", help="queue the copy at once")
    parser.add_argument("number", metavar="J7", help="job to copy")


def parted(
    word: str, words: list[str], parser: argparse.ArgumentParser
) -> tuple[list[str], list[str]]:
    """The words for the queue, and those for the job, which begin with its name or number."""
    if word not in ("submit", "clone"):
        return words, []
    flags = {flag: action for action in parser._actions for flag in action.option_strings}
    place = 0
    while place < len(words) and words[place].startswith("--"):
        action = flags.get(words[place].partition("=")[0])
        takes = action is not None and action.nargs != 0 and "=" not in words[place]
        place += 2 if takes else 1
        while action is not None and action.nargs == "+" and place < len(words):
            if not words[place].lstrip("Jj").replace(",", "").isdigit():
                break
            place += 1
    if word == "clone":
        place += 1
    return words[:place], words[place:]


def submit(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """Queue a job.

    Raises:
        UsageError: If no job is named, or the command line is not understood.
        ConfigError: If the settings are not valid.
    """
    if len(rest) < 2 or rest[0].startswith("-"):
        raise arguments.UsageError(
            "submit: expected a job, as in: icelens jobs submit restore refine --star FILE"
        )
    job = find_job(".".join(rest[:2]))
    request = arguments.parse(job, rest[2:])
    settings = portable(project, job, changed_settings(job, request.config), Path.cwd())
    options: dict[str, Any] = {
        "priority": given.priority,
        "after": numbers_of(given.after) if given.after else (),
        "run_now": given.run_now,
        "title": given.title,
        "variables": _variables(given.set),
        "is_draft": given.draft,
    }
    lanes = [lane for lane in given.lane.split(",") if lane]
    if len(lanes) > 1:
        entries = submit_shares(Queue(project), job, settings, lanes, **options)
    else:
        lane = lanes[0] if lanes else ""
        entries = [
            Queue(project).submit(job.name, settings, lane=lane, tasks=given.tasks, **options)
        ]
    for entry in entries:
        print(_told(entry))
    ensure_dispatcher(project)
    return 0


def clone(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """Copy a job; what is typed after its number goes over its settings."""
    queue, number = Queue(project), numbers_of([given.number])[0]
    job = find_job(queue.get(number).job)
    # required settings come from the job that is copied: only what was typed is read here
    edits = portable(project, job, arguments.typed_settings(job, rest), Path.cwd())
    entry = queue.clone(number, edits)
    if given.start:
        entry = queue.start(entry.number)
        ensure_dispatcher(project)
    print(_told(entry))
    return 0


def changed_settings(job: Job[Any, Any], config: Any) -> dict[str, Any]:  # noqa: ANN401
    """Settings in JSON form that differ from the defaults; what is usual stays unwritten."""
    whole = config.model_dump(mode="json")
    changed: dict[str, Any] = {}
    for setting in settings_of(job.config_type):
        if setting.level == "required" or value_at(config, setting.path) != setting.default:
            value: Any = whole
            for name in setting.path:
                value = value[name]
            changed = merged(changed, _nested(setting.path, value))
    return changed


def _nested(path: tuple[str, ...], value: Any) -> Mapping[str, Any]:  # noqa: ANN401
    for name in reversed(path):
        value = {name: value}
    assert isinstance(value, dict), "a setting's path is never empty"
    return value


def _variables(words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    wrong = [name for name, equals, _ in pairs if not equals or not name]
    if wrong:
        raise arguments.UsageError(f"--set {wrong[0]}: expected NAME=VALUE, such as time=4:00:00")
    return {name: value for name, _, value in pairs}


def _told(entry: Entry) -> str:
    lane = f" in lane {entry.lane}" if entry.lane else ""
    after = f", after {', '.join(f'J{number}' for number in entry.after)}" if entry.after else ""
    return f"{entry.name} {entry.title}: {entry.state}{lane}{after}; folder {entry.folder}"
