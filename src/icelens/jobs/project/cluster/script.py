"""The script a job is submitted with: the lane's template, everything put into it quoted."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from icelens.core.errors import IcelensError, InputFileError
from icelens.jobs.project.cluster.lane_file import LaneFile, Value
from icelens.jobs.project.cluster.states import task_ranges

TEMPLATE_NAME = "script.sh.j2"
_SAFE_FOLDER = re.compile(r"(?!/)[\w./+-]+", re.ASCII)
_SAFE_NAME = re.compile(r"[A-Za-z][\w-]*", re.ASCII)


class ScriptError(IcelensError):
    """A template, or what shall be put into it, that gives no script."""


@dataclass(frozen=True)
class Submission:
    """One attempt of a job, or some tasks of it, to be given to a cluster.

    Attributes:
        number: Of the job.
        attempt: Of this job; a new one whenever it is submitted anew.
        title: Of the job.
        identity: Of the project.
        project: Its folder, absolute; the cluster's machines see it under the same path.
        folder: Where script and the scheduler's log go, relative to the project.
        command: What shall run, such as the supervisor of the attempt.
        tasks: Numbers of the tasks, from 1, of an array; none for a job that is one piece. The
            number is the last word of the command.
        at_once: Tasks that may run at a time; 0 for as many as the cluster lets.
        after: Ids of jobs of the cluster that have to succeed before.
        is_distributed: Whether torchrun may share the job among GPUs and machines.
        variables: What the job says of the lane's variables.
    """

    number: int
    attempt: int
    title: str
    identity: str
    project: Path
    folder: str
    command: tuple[str, ...]
    tasks: tuple[int, ...] = ()
    at_once: int = 0
    after: tuple[str, ...] = ()
    is_distributed: bool = False
    variables: Mapping[str, Value] = field(default_factory=dict)

    @property
    def job_name(self) -> str:
        """Name at the cluster, of this attempt alone, by which it is found again."""
        return f"icelens-{self.identity}-{self.number}-{self.attempt}"

    @property
    def log(self) -> str:
        """The scheduler's log without its ending, which templates choose."""
        return f"{self.folder}/scheduler-{self.attempt}"


def lane_variables(file: LaneFile, place: str, given: Mapping[str, Value]) -> dict[str, Value]:
    """Values of the lane's variables: those given, the defaults for the others.

    Raises:
        ScriptError: If a name is unknown or a value is not of the kind of its default.
    """
    unknown = sorted(set(given) - set(file.defaults))
    if unknown:
        raise ScriptError(
            f"{place}: no variable {', '.join(unknown)[:80]}; it has "
            f"{', '.join(file.defaults) or 'none'}"
        )
    return {
        name: _like(default, given.get(name, default), f"{place}: {name}")
        for name, default in file.defaults.items()
    }


def render(file: LaneFile, template: Path, submission: Submission) -> str:
    """Make the script of a submission.

    Whatever an expression of the template gives is quoted for the shell, lists word by word; what
    holds a line break or another control character is refused, so that no value can add a line.

    Raises:
        ScriptError: If the template is wrong or a value cannot be used.
        InputFileError: If the template cannot be read.
    """
    _check(file, template, submission)
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        finalize=_quoted,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    try:
        text = template.read_text(encoding="utf-8")
        return environment.from_string(text).render(_context(file, template, submission))
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(f"{template}: cannot be read ({error}); mend the lane") from error
    except jinja2.TemplateSyntaxError as error:
        raise ScriptError(f"{template}: line {error.lineno}: {error.message}; mend it") from error
    except IcelensError as error:
        raise ScriptError(f"{template}: {error}") from error
    except Exception as error:  # a template is a program of the site's own
        said = " ".join(str(error).split())[:200]
        raise ScriptError(f"{template}: {said}; mend the template") from error


def _context(file: LaneFile, template: Path, submission: Submission) -> dict[str, Any]:
    tasks = submission.tasks
    variables = lane_variables(file, str(template.parent), submission.variables)
    given: dict[str, Any] = {
        "job_name": submission.job_name,
        "number": submission.number,
        "attempt": submission.attempt,
        # a title is free text, and stands in a comment
        "title": " ".join("".join(c if c.isprintable() else " " for c in submission.title).split()),
        "project": str(submission.project),
        "folder": submission.folder,
        "log": submission.log,
        "command": list(submission.command),
        "python": submission.command[0],
        "tasks": list(tasks),
        "task_ranges": task_ranges(tasks),
        "first_task": min(tasks, default=0),
        "last_task": max(tasks, default=0),
        "at_once": submission.at_once,
        "after": list(submission.after),
        "is_distributed": submission.is_distributed,
    }
    taken = set(given) & set(variables)
    if taken:
        raise ScriptError(f"defaults has {min(taken)}, which every script has; rename it")
    return given | variables


def _check(file: LaneFile, template: Path, submission: Submission) -> None:
    place = template.parent
    if not _SAFE_FOLDER.fullmatch(submission.folder) or ".." in Path(submission.folder).parts:
        raise ScriptError(
            f"{place}: the job's folder is {submission.folder!r:.80}, expected letters, digits, "
            "`. _ - + /` below the project; rename it"
        )
    if not _SAFE_NAME.fullmatch(submission.job_name):
        raise ScriptError(f"{place}: {submission.job_name!r:.80} is no name for a job")
    if not submission.tasks:
        return
    if not file.array:
        raise ScriptError(f"{place}: has no arrays; run the job in one piece, or set array: true")
    if not 1 <= min(submission.tasks) <= max(submission.tasks) <= file.max_tasks:
        raise ScriptError(
            f"{place}: has tasks {min(submission.tasks)} to {max(submission.tasks)}, expected 1 to "
            f"{file.max_tasks} (max_tasks); run fewer at a time"
        )


def _quoted(value: object) -> object:
    """What an expression of the template becomes in the script."""
    if isinstance(value, jinja2.Undefined):
        return value  # says which name it is when it is printed
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(str(_quoted(word)) for word in value)
    text = "" if value is None else str(value)
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ScriptError(
            f"{text!r:.80} has a line break or another control character; rename or change it"
        )
    return shlex.quote(text)


def _like(default: Value, value: Value, place: str) -> Value:
    """The value as the kind of the default; forms and command lines give text."""
    text = str(value).strip()
    if isinstance(default, bool):
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise ScriptError(f"{place} is {text!r:.80}, expected true or false")
    if isinstance(default, int):
        if re.fullmatch(r"\d{1,9}", text):
            return int(text)
        raise ScriptError(f"{place} is {text!r:.80}, expected a whole number, 0 or more")
    if isinstance(default, float):
        if re.fullmatch(r"\d{1,9}(\.\d{0,9})?", text):
            return float(text)
        raise ScriptError(f"{place} is {text!r:.80}, expected a number, 0 or more")
    return text
