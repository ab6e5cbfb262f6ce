"""What a form begins with: nothing, another job, a draft, or one chosen input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from icelens.apps.web.forms.fields import Field, fields_of
from icelens.apps.web.forms.fitting import endings_of
from icelens.apps.web.forms.values import Typed, as_typed
from icelens.apps.web.workbench import Workbench
from icelens.jobs.job import Job
from icelens.jobs.project.entry import PENDING
from icelens.jobs.project.trash import StateError
from icelens.jobs.registry import find_job, tasks

FIRST_TASKS = ("restore", "pick", "pose", "hetero")
TASK_TITLES = {
    "restore": "Restore tomograms",
    "pick": "Pick particles",
    "pose": "Find orientations",
    "hetero": "See different structures",
    "simulate": "Simulate data with known truth",
    "tools": "Tools",
}
_LAST = ("device", "output")


@dataclass(frozen=True)
class Beginning:
    """What a form shows at first.

    Attributes:
        values: As typed, by the settings' dotted names.
        number: Of the draft or waiting job that is edited; None for a new one.
        origin: What it is a copy of, such as `J7`; empty for nothing.
    """

    job: str
    values: Mapping[str, Typed]
    title: str = ""
    lane: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    after: tuple[int, ...] = ()
    run_now: bool = False
    parts: int = 1
    number: int | None = None
    state: str = ""
    origin: str = ""

    @classmethod
    def of(
        cls,
        bench: Workbench,
        job_name: str,
        *,
        clone: int | None,
        draft: int | None,
        inputs: Sequence[tuple[str, str]],
    ) -> "Beginning":
        """A form for a job; each of `inputs` is a path and the setting it is meant for.

        Raises:
            UnknownEntryError: If there is no job to copy or edit.
            UnknownJobError: If there is no such kind of job.
            StateError: If the job to be edited has begun.
        """
        if draft is not None:
            return _of_draft(bench, draft)
        if clone is not None:
            return _of_clone(bench, clone)
        job = find_job(job_name)
        values: dict[str, Typed] = {}
        for path, setting in inputs:
            values |= _input_values(job, path, setting)
        return cls(job.name, values)


@dataclass(frozen=True)
class Offer:
    """A job to choose, and the setting that takes the file one came with; empty without a file."""

    job: Job[Any, Any]
    setting: str


@dataclass(frozen=True)
class Group:
    """Fields of one level: those of the job itself, then its sections.

    Attributes:
        sections: Titles and fields; the first has no title.
        changed: Keys whose values differ from the defaults.
    """

    level: str
    sections: tuple[tuple[str, tuple[Field, ...]], ...]
    changed: tuple[str, ...]

    @property
    def writes(self) -> bool:
        """Whether all its fields name what is written, not what is read."""
        return all(each.is_written for _, fields in self.sections for each in fields)


def groups_of(fields: Sequence[Field], values: Mapping[str, Typed]) -> list[Group]:
    """Fields by level and section; levels without fields are left out."""
    found = []
    for level in ("required", "usual", "expert"):
        chosen = [each for each in fields if each.level == level]
        # where it runs and writes matters less than what it does
        chosen.sort(key=lambda each: _LAST.index(each.key) + 1 if each.key in _LAST else 0)
        names = sorted({each.section for each in chosen}, key=lambda name: name != "")
        sections = tuple(
            (name, tuple(each for each in chosen if each.section == name)) for name in names
        )
        changed = tuple(each.key for each in chosen if each.key in values)
        if chosen:
            found.append(Group(level, sections, changed))
    return found


def jobs_by_task(path: str, kind: str = "") -> list[tuple[str, str, list[Offer]]]:
    """Task, title and jobs, the four capabilities first.

    Args:
        path: Only jobs that can take this file; all if empty.
        kind: What the file is, such as `particles`; told from its ending if empty.
    """
    grouped = tasks()
    order = [*(name for name in FIRST_TASKS if name in grouped)]
    order += [name for name in grouped if name not in order]
    found = []
    for name in order:
        offers = [Offer(job, _setting_for(job, path, kind)) for job in grouped[name]]
        offers = [offer for offer in offers if offer.setting or not path]
        if offers:
            found.append((name, TASK_TITLES.get(name, name.capitalize()), offers))
    return found


def _input_values(job: Job[Any, Any], path: str, setting: str) -> dict[str, Typed]:
    """The path at its setting, or at the first input that takes files of its ending."""
    key = setting or _setting_for(job, path, "")
    named = [each for each in _inputs(job) if path and each.key == key]
    return {key: [path] if named[0].widget == "paths" else path} if named else {}


def _setting_for(job: Job[Any, Any], path: str, kind: str) -> str:
    """The first input that takes a file, needed ones before others; empty if none does."""
    if not path:
        return ""
    fitting = (
        each.key
        for each in sorted(_inputs(job), key=lambda each: each.level != "required")
        if (kind in each.kinds if kind else path.lower().endswith(endings_of(each.kinds) or "\0"))
    )
    return next(fitting, "")


def _inputs(job: Job[Any, Any]) -> list[Field]:
    return [each for each in fields_of(job.name) if each.kinds and not each.is_written]


def _of_clone(bench: Workbench, number: int) -> Beginning:
    entry = bench.queue.get(number)
    job = find_job(entry.job)
    settings = dict(entry.settings)
    output = str(settings.get("output", ""))
    if output == entry.folder or output.startswith(f"{entry.folder}/"):
        settings.pop("output")
    return Beginning(
        job.name,
        as_typed(job, settings),
        title=f"{entry.title.removesuffix(' (copy)')} (copy)",
        lane=entry.lane,
        variables=entry.variables,
        priority=entry.priority,
        parts=max(1, entry.tasks),
        origin=entry.name,
    )


def _of_draft(bench: Workbench, number: int) -> Beginning:
    entry = bench.queue.get(number)
    if entry.state not in ("draft", *PENDING) or entry.removed:
        raise StateError(f"{entry.name}: is {entry.state}; clone it to change it")
    job = find_job(entry.job)
    settings = dict(entry.settings)
    if settings.get("output") == entry.folder:
        settings.pop("output")
    return Beginning(
        job.name,
        as_typed(job, settings),
        title=entry.title,
        lane=entry.lane,
        variables=entry.variables,
        priority=entry.priority,
        after=entry.after,
        run_now=entry.run_now,
        parts=max(1, entry.tasks),
        number=entry.number,
        state=entry.state,
    )
