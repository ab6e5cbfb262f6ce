"""The tasks of an array of the cluster: which are open, and how the job stands by them."""

from pathlib import Path

from icelens.jobs.project.attempt import ERR_NAME, Attempt, attempt_path, read_attempt
from icelens.jobs.project.cluster.states import ClusterState
from icelens.jobs.project.entry import Entry
from icelens.jobs.project.outcome import STOPPED_BY_USER, Outcome, last_error
from icelens.jobs.project.project import Project
from icelens.jobs.project.remedies import remedy_for


def open_tasks(control: Path, entry: Entry) -> tuple[int, ...]:
    """Tasks that no earlier attempt has done; all of them if every one is done."""
    numbers = range(1, entry.tasks + 1)
    done = {number for number in numbers if _is_done(control, entry.attempt - 1, number)}
    return tuple(number for number in numbers if number not in done) or tuple(numbers)


def tasks_outcome(project: Project, entry: Entry, state: ClusterState) -> Outcome | None:
    """How an array stands; None before any task has begun, and as long as none can tell."""
    control = project.control(entry.number)
    asked = open_tasks(control, entry)
    attempts = {task: read_attempt(attempt_path(control, entry.attempt, task)) for task in asked}
    begun = {task: attempt for task, attempt in attempts.items() if attempt and attempt.host}
    if not begun:
        return None
    ended = {task: each for task, each in begun.items() if each.exit_code is not None}
    count = entry.tasks - len(asked) + sum(each.exit_code == 0 for each in ended.values())
    progress = {"stage": "tasks", "done": count, "total": entry.tasks}
    if len(ended) < len(asked) and not state.is_gone:
        return Outcome("running", progress=progress)
    wrong = {task: each for task, each in attempts.items() if each is None or each.exit_code != 0}
    if not wrong:
        return Outcome("done", progress=progress)
    if entry.is_cancelling or any(each and each.is_cancelled for each in wrong.values()):
        return Outcome("stopped", STOPPED_BY_USER, progress=progress)
    cause = f"{len(wrong)} of {entry.tasks} tasks did not end well; " + _first(control, wrong)
    remedy = f"{remedy_for(cause)} Resuming repeats only the tasks that are not done."
    return Outcome("failed", cause, remedy, progress=progress)


def _first(control: Path, wrong: dict[int, Attempt | None]) -> str:
    """What the first task that failed said."""
    for task, attempt in wrong.items():
        said = last_error(control / ERR_NAME.replace(".", f"-{task}."))
        if said and attempt is not None and attempt.exit_code is not None:
            return f"task {task}: {said}"
    task = next(iter(wrong))
    return f"task {task} is gone from the cluster and left no exit code"


def _is_done(control: Path, attempt: int, task: int) -> bool:
    found = (read_attempt(attempt_path(control, each, task)) for each in range(1, attempt + 1))
    return any(each is not None and each.exit_code == 0 for each in found)
