"""Find every job: in `icelens.tasks.*`, and in other packages that offer an entry point.

A task offers its jobs in `jobs.py`, or in several files whose names end in `_jobs.py`; each ends
with `JOBS = (...)`. Its package may name them in the tuple `ORDER`, as help shall list them.
Another package names such a module under the entry-point group `icelens.tasks`.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from icelens.core.errors import IcelensError
from icelens.jobs.job import Job

ENTRY_POINT_GROUP = "icelens.tasks"


class UnknownJobError(IcelensError):
    """A task or job of that name does not exist."""


def all_jobs() -> tuple[Job[Any, Any], ...]:
    """Every job, ordered as the tasks list them.

    Raises:
        TypeError: If two jobs carry one name: a mistake of whoever declared the second.
    """
    jobs: dict[str, Job[Any, Any]] = {}
    for module in _job_modules():
        for job in module.JOBS:
            if jobs.setdefault(job.name, job) is not job:
                raise TypeError(f"{module.__name__}: the job {job.name} is declared twice")
    return tuple(jobs.values())


def tasks() -> dict[str, tuple[Job[Any, Any], ...]]:
    """The jobs of each task in its order, the tasks by alphabet."""
    grouped: dict[str, list[Job[Any, Any]]] = {}
    for job in all_jobs():
        grouped.setdefault(job.task, []).append(job)
    return {task: _in_order(task, grouped[task]) for task in sorted(grouped)}


def find_job(name: str) -> Job[Any, Any]:
    """The job called `task.job`.

    Raises:
        UnknownJobError: If there is none; the message offers the nearest name.
    """
    by_name = {job.name: job for job in all_jobs()}
    if name not in by_name:
        raise UnknownJobError(f"{name}: no such job; {did_you_mean(name, by_name)}")
    return by_name[name]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A half sentence that offers the nearest known words, or all of them if none is near."""
    candidates = sorted(known)
    near = get_close_matches(word, candidates, n=2, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(near) + "?"
    return "known: " + (", ".join(candidates) or "none")


def _in_order(task: str, jobs: list[Job[Any, Any]]) -> tuple[Job[Any, Any], ...]:
    """Jobs as the `ORDER` of their task has them; those that it does not name come last."""
    if importlib.util.find_spec(f"icelens.tasks.{task}") is None:
        return tuple(jobs)
    order = getattr(importlib.import_module(f"icelens.tasks.{task}"), "ORDER", ())
    place = {command: number for number, command in enumerate(order)}
    return tuple(sorted(jobs, key=lambda job: place.get(job.command, len(place))))


def _job_modules() -> Iterator[ModuleType]:
    # By name, because this layer lies below the tasks and may not import them.
    tasks_package = importlib.import_module("icelens.tasks")
    for task in pkgutil.iter_modules(tasks_package.__path__, "icelens.tasks."):
        if not task.ispkg:
            continue
        package = importlib.import_module(task.name)
        names = [module.name for module in pkgutil.iter_modules(package.__path__)]
        for name in sorted(names, key=lambda name: (name != "jobs", name)):
            if name == "jobs" or name.endswith("_jobs"):
                yield importlib.import_module(f"{task.name}.{name}")
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        yield entry.load()
