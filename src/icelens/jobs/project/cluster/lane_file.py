"""`lane.yaml`: how a cluster takes a job, tells of it and ends it, as its site wrote it down."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from icelens.core.errors import InputFileError
from icelens.jobs.config import Config
from icelens.jobs.project.cluster.ending import ReasonKind
from icelens.jobs.project.cluster.plain_yaml import read_mapping

LANE_NAME = "lane.yaml"
NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,39}$"
_LOCAL = re.compile(r"cpu|local|gpu-?\d*")
"""Names of the lanes of this machine."""
_PLACEHOLDERS = {"script", "id", "ids", "job_name"}
_LONGEST_SHOWN = 80


def is_lane_name(name: str) -> bool:
    """Whether a lane of a cluster may be called so."""
    return bool(re.fullmatch(NAME_PATTERN, name)) and not _LOCAL.fullmatch(name)


def _regular_expression(text: str) -> str:
    try:
        re.compile(text, re.MULTILINE)
    except re.error as error:
        raise ValueError(f"no regular expression ({error})") from error
    return text


def _known_placeholders(words: tuple[str, ...]) -> tuple[str, ...]:
    for found in re.findall(r"\{(\w+)\}", " ".join(words)):
        if found not in _PLACEHOLDERS:
            raise ValueError(
                f"no placeholder {{{found}}}; there are {{script}}, {{id}}, {{ids}}, {{job_name}}"
            )
    return words


Pattern = Annotated[str, AfterValidator(_regular_expression)]
Words = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_known_placeholders)]
Value = bool | int | float | str


class SchedulerWords(Config):
    """The scheduler's words for how a job stands; a word that is not here is `unknown`."""

    pending: tuple[str, ...]
    running: tuple[str, ...]
    done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()


class LaneFile(Config):
    """What `lane.yaml` may say; unknown keys are refused."""

    name: str = Field(pattern=NAME_PATTERN)
    """How jobs name the lane."""
    title: str = Field(min_length=1, max_length=80)
    """How people read it."""
    kind: Literal["cluster"]
    submit: Words
    """Command that queues `{script}` and prints the job's id."""
    script_on_stdin: bool = False
    """Whether it reads the script from its standard input, as bsub does."""
    id_pattern: Pattern
    """Regular expression with one group, the id in what `submit` and `find` print."""
    find: Words
    """Command that prints the id of the job called `{job_name}`, or nothing."""
    status: Words
    """Command that tells of the jobs `{ids}`; a word that is `{ids}` alone becomes one word for
    each, within a word they are joined by commas."""
    state_pattern: Pattern
    """Regular expression with the groups `id` and `state`, perhaps `task` and `reason`, found once
    for each job in what `status` prints."""
    states: SchedulerWords
    cancel: Words
    """Command that ends the job `{id}`, queued or running."""
    explain: tuple[Words, ...] = ()
    """Commands that may tell why the job `{id}` ended; what fails is passed over."""
    reasons: dict[ReasonKind, tuple[Pattern, ...]] = Field(default_factory=dict)
    """Regular expressions for what `explain` and the scheduler's lines in the log say, by what they
    mean."""
    forgotten_pattern: Pattern = ""
    """Regular expression for lines that say no more than: this job is not, or no longer, known."""
    array: bool = False
    """Whether the script starts tasks as an array."""
    task_id: str = "{id}_{task}"
    """How the scheduler writes a task of an array; where the array's id has `[]`, the number goes
    in there instead."""
    max_tasks: int = Field(default=1000, ge=1)
    """Largest number of a task."""
    timeout: float = Field(default=60.0, gt=0, le=3600)
    """Seconds after which a command of the scheduler is given up."""
    defaults: dict[str, Value] = Field(default_factory=dict)
    """Variables of the script, which each job may change."""
    help: dict[str, str] = Field(default_factory=dict)
    """A sentence for some of them."""

    @model_validator(mode="after")
    def _holds_together(self) -> "LaneFile":
        if not is_lane_name(self.name):
            raise ValueError(f"name: {self.name} is a lane of this machine; choose another")
        for key, words, placeholder in (
            ("submit", self.submit, "" if self.script_on_stdin else "{script}"),
            ("find", self.find, "{job_name}"),
            ("status", self.status, "{ids}"),
            ("cancel", self.cancel, "{id}"),
        ):
            if placeholder not in " ".join(words):
                raise ValueError(f"{key}: has no {placeholder}; add it")
        if re.compile(self.id_pattern).groups != 1:
            raise ValueError("id_pattern: needs one group (...), around the id")
        missing = {"id", "state"} - set(re.compile(self.state_pattern).groupindex)
        if missing:
            raise ValueError(f"state_pattern: needs a group (?P<{min(missing)}>...)")
        for name in self.defaults:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise ValueError(f"defaults: {name!r:.40} is no name of a variable (a-z, 0-9, _)")
        unknown = set(self.help) - set(self.defaults)
        if unknown:
            raise ValueError(f"help: {min(unknown):.40} is not among the defaults")
        return self


def read_lane_file(path: Path) -> LaneFile:
    """Read a `lane.yaml`.

    Raises:
        InputFileError: With the first thing that is wrong, in one line.
    """
    content = read_mapping(path)
    try:
        return LaneFile.model_validate(content)
    except ValidationError as error:
        raise InputFileError(f"{path}: {_first_problem(error)}") from error


def _first_problem(error: ValidationError) -> str:
    found = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in found["loc"])
    message = found["msg"].removeprefix("Value error, ")
    if found["type"] == "missing":
        return f"{place} is missing; add it, as in the lanes that come with icelens"
    if found["type"] == "extra_forbidden":
        return f"no key {place:.60}; it has {', '.join(LaneFile.model_fields)}"
    if not place:
        return message
    value = " ".join(repr(found["input"]).split())
    shown = value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}..."
    return f"{place} is {shown}, {message.replace('Input should be', 'expected')}; change it"
