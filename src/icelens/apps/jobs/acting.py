"""Commands that change jobs of the queue."""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from icelens.apps import arguments
from icelens.core.errors import IcelensError
from icelens.jobs.project.dispatcher import dispatch_until_idle
from icelens.jobs.project.entry import Entry
from icelens.jobs.project.launch import ensure_dispatcher
from icelens.jobs.project.project import Project, create_project
from icelens.jobs.project.queue import Queue
from icelens.jobs.project.terminal_runs import take_in_all


def init_flags(parser: arguments.Parser) -> None:
    """Flags of `init`."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="of the project")


def init(given: argparse.Namespace) -> int:
    """Make a project, and take in the runs of earlier days."""
    project = create_project(given.project or given.folder)
    found = take_in_all(project)
    print(f"project {project.folder}: took in {found} earlier run(s); open it with: icelens serve")
    return 0


def number_flags(parser: arguments.Parser) -> None:
    """Numbers of jobs."""
    parser.add_argument("numbers", nargs="+", metavar="J7", help="numbers of jobs, 7 or J7")


def no_flags(parser: arguments.Parser) -> None:
    """No flags."""
    del parser


def numbers_of(words: Sequence[str]) -> list[int]:
    """Numbers as they are typed: `7`, `J7`, or several with commas.

    Raises:
        UsageError: If one is none.
    """
    found = []
    for word in re.split(r"[,\s]+", " ".join(words).strip()):
        match = re.fullmatch(r"[Jj]?(\d{1,15})", word)
        if match is None:
            raise arguments.UsageError(f"{word}: expected the number of a job, such as J7")
        found.append(int(match[1]))
    return found


def start(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """Queue drafts."""
    return _with_each(project, given, Queue(project).start, rest, dispatches=True)


def cancel(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """Stop jobs."""
    return _with_each(project, given, Queue(project).cancel, rest)


def resume(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """Queue jobs that ended."""
    return _with_each(project, given, Queue(project).resume, rest, dispatches=True)


def remove(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """Put jobs into the trash."""
    return _with_each(project, given, Queue(project).remove, rest)


def restore(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """Take jobs out of the trash."""
    return _with_each(project, given, Queue(project).restore, rest)


def empty_trash(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """Delete what is in the trash."""
    del given, rest
    print(f"deleted {Queue(project).empty_trash()} job(s)")
    return 0


def dispatch(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """Start what is queued, until nothing is left."""
    del given, rest
    dispatch_until_idle(project)
    return 0


def _with_each(
    project: Project,
    given: argparse.Namespace,
    action: Callable[[int], Entry],
    rest: list[str],
    *,
    dispatches: bool = False,
) -> int:
    del rest
    mistakes = 0
    for number in numbers_of(given.numbers):
        try:
            entry = action(number)
        except IcelensError as error:  # the others are meant all the same
            print(f"icelens: {error}", file=sys.stderr)
            mistakes += 1
            continue
        trash = ", in the trash" if entry.removed else ""
        stopping = ", stopping" if entry.is_cancelling else ""
        print(f"{entry.name} {entry.title}: {entry.state}{stopping}{trash}")
    if dispatches:
        ensure_dispatcher(project)
    return 2 if mistakes else 0
