"""Commands that look at jobs of the queue."""

import argparse
import json
import sys
import time
from dataclasses import asdict

from icelens.apps import arguments
from icelens.apps.jobs.acting import numbers_of
from icelens.jobs.journal import LOG_NAME
from icelens.jobs.project.attempt import ERR_NAME
from icelens.jobs.project.cluster.folders import add_lane, find_lanes, lane_problems
from icelens.jobs.project.entry import ENDED, STATES, Entry
from icelens.jobs.project.lanes import local_lanes
from icelens.jobs.project.launch import ensure_dispatcher
from icelens.jobs.project.outcome import tail
from icelens.jobs.project.project import Project
from icelens.jobs.project.queue import Queue
from icelens.jobs.settings import as_text

_LOOK_SECONDS = 0.5


def list_flags(parser: arguments.Parser) -> None:
    """Flags of `list`."""
    add = parser.add_argument
    add("--state", choices=STATES, action="append", default=[], help="only these; may be repeated")
    add("--text", default="", help="only jobs whose title, name or number contains it")
    add("--limit", type=int, default=50, metavar="N", help="at most so many")
    add("--trash", action="store_true", help="those in the trash")
    add("--json", action="store_true", help="for programs")


def list_(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """List jobs."""
    del rest
    ensure_seen(project)
    entries = Queue(project).entries(
        states=given.state, text=given.text, limit=max(0, given.limit), is_removed=given.trash
    )
    if given.json:
        print(json.dumps([asdict(entry) for entry in entries], indent=2, ensure_ascii=False))
        return 0
    for entry in entries:
        title = "" if entry.title == entry.job.replace(".", " ") else f"  {entry.title}"
        cause = f"  ({entry.cause.splitlines()[0]})" if entry.cause else ""
        print(
            f"{entry.name:>6}  {entry.state:8} {_progress(entry):>6}  {entry.job:24}{title}{cause}"
        )
    if not entries:
        print("no jobs", file=sys.stderr)
    return 0


def show_flags(parser: arguments.Parser) -> None:
    """Flags of `show`."""
    parser.add_argument("number", metavar="J7", help="number of the job")
    parser.add_argument("--json", action="store_true", help="for programs")


def show(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """Show a job."""
    del rest
    ensure_seen(project)
    entry = Queue(project).get(numbers_of([given.number])[0])
    if given.json:
        print(json.dumps(asdict(entry), indent=2, ensure_ascii=False))
        return 0
    print(f"{entry.name} {entry.title}: {entry.state} {_progress(entry)}".rstrip())
    for label, text in (("cause", entry.cause), ("remedy", entry.remedy)):
        if text:
            print(f"{label:10}" + text.replace("\n", "\n" + " " * 10))
    facts = {"job": entry.job, "folder": entry.folder, "lane": entry.lane or "default",
             "created": entry.created, "started": entry.started, "ended": entry.ended,
             "after": ", ".join(f"J{number}" for number in entry.after)}  # fmt: skip
    for label, value in facts.items():
        if value:
            print(f"{label:10}{value}")
    for name, value in entry.settings.items():
        print(f"  {name}: {as_text(value)}")
    folder = project.absolute(entry.folder)
    log = tail(folder / LOG_NAME, 2000) or tail(project.control(entry.number) / ERR_NAME, 2000)
    if log:
        print("end of the log:\n" + "\n".join(log.splitlines()[-10:]))
    return 0


def wait_flags(parser: arguments.Parser) -> None:
    """Flags of `wait`."""
    parser.add_argument("numbers", nargs="*", metavar="J7", help="jobs; without, all that are open")
    parser.add_argument("--timeout", type=float, default=None, metavar="S", help="seconds at most")


def wait(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """Wait for jobs; 0 if all are done, 2 if one is not, or the time is over."""
    del rest
    queue = Queue(project)
    numbers = numbers_of(given.numbers) if given.numbers else []
    if not numbers:
        open_ones = queue.entries(states=("queued", "waiting", "running"), limit=10**6)
        numbers = [entry.number for entry in open_ones]
    ensure_dispatcher(project)
    until = None if given.timeout is None else time.monotonic() + given.timeout
    said: dict[int, str] = {}
    while True:
        entries = [queue.get(number) for number in numbers]
        for entry in entries:
            if said.get(entry.number) != entry.state:
                said[entry.number] = entry.state
                print(f"{entry.name} {entry.title}: {entry.state}", flush=True)
        stuck = [each for each in entries if each.state == "waiting" and each.remedy]
        if all(each.state in ENDED or each in stuck for each in entries):
            for entry in (*stuck, *(each for each in entries if each.state == "failed")):
                print(f"icelens: {entry.name}: {entry.cause}", file=sys.stderr)
            return 0 if all(each.state == "done" for each in entries) else 2
        if until is not None and time.monotonic() > until:
            print("icelens: the time is over; the jobs go on", file=sys.stderr)
            return 2
        time.sleep(_LOOK_SECONDS)


def diff(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """Say in what jobs differ."""
    del rest
    from icelens.apps.jobs.differences import described

    queue = Queue(project)
    entries = [queue.get(number) for number in numbers_of(given.numbers)]
    if len(entries) < 2:
        raise arguments.UsageError("diff: expected two jobs or more, such as J3 J5")
    print(described(project, entries))
    return 0


def lanes_flags(parser: arguments.Parser) -> None:
    """Flags of `lanes`."""
    add = parser.add_argument
    add(
        "--add",
        default="",
        metavar="KIND",
        help="copy a ready cluster lane: slurm, pbs, torque or lsf",
    )
    add("--name", default="", help="of the lane that is added")


def lanes(project: Project, given: argparse.Namespace, rest: list[str]) -> int:
    """List lanes, or add one."""
    del rest
    if given.add:
        folder = add_lane(project.folder, given.add, given.name or None)
        print(f"made {folder}; edit lane.yaml and script.sh.j2 in it for your site")
        return 0
    for lane in local_lanes(project).values():
        print(f"{lane.name:12} {lane.title}, {lane.slots} job(s) at a time")
    for name, cluster in find_lanes(project.folder).items():
        print(f"{name:12} {cluster.title}, a cluster ({cluster.folder})")
    for problem in lane_problems(project.folder):
        print(f"icelens: {problem}", file=sys.stderr)
    return 0


def ensure_seen(project: Project) -> None:
    """Take in what terminals and processes have said since the queue was last looked at."""
    from icelens.jobs.project.dispatcher import Dispatcher, only_one

    with only_one(project) as may_dispatch:
        if may_dispatch:
            Dispatcher(project).look()


def _progress(entry: Entry) -> str:
    progress = entry.progress
    if entry.state != "running" or not progress or not progress.get("total"):
        return ""
    return f"{100.0 * progress['done'] / progress['total']:.0f} %"
