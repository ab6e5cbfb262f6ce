"""Put what a form says into the queue: a draft, a job, or its parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from icelens.apps.web.forms.checking import Checked, check
from icelens.apps.web.forms.lanes import Scalar, check_lane, is_cluster, lanes_for_parts
from icelens.apps.web.forms.values import Problem, Typed
from icelens.apps.web.workbench import Workbench
from icelens.core.errors import IcelensError
from icelens.jobs.job import Job
from icelens.jobs.project.entry import Entry
from icelens.jobs.project.project import Project
from icelens.jobs.project.settings_paths import job_folder
from icelens.jobs.project.shared_jobs import submit_shares
from icelens.jobs.registry import find_job


@dataclass(frozen=True)
class Wish:
    """What a form says.

    Attributes:
        values: As typed, by the settings' dotted names.
        parts: Processes that share the job; 1 for none.
    """

    job: str
    values: Mapping[str, Typed]
    lane: str = ""
    variables: Mapping[str, Scalar] = field(default_factory=dict)
    priority: int = 0
    after: tuple[int, ...] = ()
    run_now: bool = False
    title: str = ""
    parts: int = 1
    is_draft: bool = False


class WishError(IcelensError):
    """A form with mistakes; `problems` says which."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the mistakes."""
        self.problems = problems
        count = len(problems)
        first = problems[0]
        more = f", and {count - 1} more" if count > 1 else ""
        super().__init__(f"{first.field or 'settings'}: {first.message}{more}")


def checked(bench: Workbench, wish: Wish, number: int | None = None) -> Checked:
    """Check the settings of a form.

    Args:
        bench: Whose project.
        wish: What the form says.
        number: Of the job that is edited; None for a new one.
    """
    job = find_job(wish.job)
    folder = job_folder(number or next_number(bench.project), job)
    return check(job, wish.values, project=bench.project, roots=bench.roots, folder=folder)


def submit(bench: Workbench, wish: Wish) -> list[Entry]:
    """Queue a new job, or keep it as a draft, whose settings may be incomplete.

    Raises:
        WishError: With every mistake.
    """
    found = checked(bench, wish)
    _refuse(bench, wish, found, None)
    job = find_job(wish.job)
    if wish.parts > 1 and not is_cluster(bench.project, wish.lane):
        lanes = lanes_for_parts(bench.project, wish.lane, wish.parts)
        return submit_shares(
            bench.queue,
            job,
            found.settings,
            lanes,
            title=wish.title,
            is_draft=wish.is_draft,
            priority=wish.priority,
            after=wish.after,
            run_now=wish.run_now,
        )
    options = _options(wish)
    return [bench.queue.submit(wish.job, found.settings, is_draft=wish.is_draft, **options)]


def edit(bench: Workbench, number: int, wish: Wish) -> Entry:
    """Change a draft, or a job that waits; a draft that shall be none any more is queued.

    Raises:
        WishError: With every mistake.
        StateError: If the job has begun.
    """
    entry = bench.queue.get(number)
    found = checked(bench, wish, number)
    if wish.job != entry.job:
        raise WishError([Problem("", f"{entry.name} is a job of {entry.job}, not {wish.job:.80}")])
    _refuse(bench, wish, found, number)
    changed = bench.queue.edit(number, settings=found.settings, **_options(wish))
    if changed.state == "draft" and not wish.is_draft:
        return bench.queue.start(number)
    return changed


def next_number(project: Project) -> int:
    """The number that the next job will probably get."""
    with project.connection() as connection:
        row = connection.execute("SELECT max(number) AS number FROM jobs").fetchone()
    return int(row["number"] or 0) + 1


def _options(wish: Wish) -> dict[str, Any]:
    return {
        "lane": wish.lane,
        "variables": wish.variables,
        "priority": wish.priority,
        "after": wish.after,
        "run_now": wish.run_now,
        "title": wish.title,
        "tasks": wish.parts if wish.parts > 1 else 0,
    }


def _refuse(bench: Workbench, wish: Wish, found: Checked, number: int | None) -> None:
    """Raise every mistake; what a draft lacks may come later, but a path outside never."""
    problems = list(found.problems)
    if wish.is_draft:
        problems = [each for each in problems if not _may_wait(each)]
    problems += check_lane(bench.project, wish.lane, wish.variables, wish.parts)
    problems += _check_parts(find_job(wish.job), wish)
    problems += _check_after(bench, wish, number)
    if problems:
        raise WishError(problems)


def _may_wait(problem: Problem) -> bool:
    return not problem.is_final


def _check_parts(job: Job[Any, Any], wish: Wish) -> list[Problem]:
    if wish.parts <= 1:
        return []
    if not job.shared_by:
        return [Problem("parts", "this job runs as one process; leave it at 1")]
    if job.shared_by in ("tomograms", "runs") and wish.values.get(job.shared_by) not in (
        None, "", [], "all",
    ):  # fmt: skip
        return [Problem("parts", f"parts are cut from all {job.shared_by}; leave that field empty")]
    return []


def _check_after(bench: Workbench, wish: Wish, number: int | None) -> list[Problem]:
    """Jobs to wait for must exist and not wait for this one in turn."""
    seen: set[int] = set()
    ahead = list(wish.after)
    while ahead:
        other = ahead.pop()
        if other == number:
            return [Problem("after", "this job would wait for itself")]
        if other not in seen:
            seen.add(other)
            try:
                ahead += bench.queue.get(other).after
            except IcelensError as error:
                return [Problem("after", str(error))]
    return []
