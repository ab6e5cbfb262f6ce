"""Bring the queue up to date: what ended, what may start, what died. Can be killed at any moment.

It keeps nothing in memory that matters. A job is started in three steps, each of which can be the
last: the table says `running` and the number of the attempt; a process is started for it; that
process creates the attempt's file. Where the file does not come, the dispatcher of then creates it
itself, so that a process that is late finds the attempt taken, and queues the job again.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from icelens.core.errors import IcelensError
from icelens.jobs.project import changes
from icelens.jobs.project.attempt import Attempt, attempt_path, claim, read_attempt
from icelens.jobs.project.cluster_runs import ASK_SECONDS, ClusterRuns
from icelens.jobs.project.entry import COLUMNS, Entry, State, entry_of
from icelens.jobs.project.inbox import notes
from icelens.jobs.project.lanes import LocalLane, default_lane, local_lanes
from icelens.jobs.project.launch import prepare, reaped, start_here
from icelens.jobs.project.notices import tell
from icelens.jobs.project.outcome import (
    SILENT_SECONDS,
    STOPPED_BY_USER,
    Outcome,
    lost,
    recorded_outcome,
    supervised_outcome,
)
from icelens.jobs.project.project import Project
from icelens.jobs.project.remedies import remedy_for
from icelens.jobs.project.terminal_runs import take_in
from icelens.jobs.record import now

TICK_SECONDS = 1.0
CLAIM_SECONDS = 30.0
"""A process that was started and did not say so in this time is given up."""
_LOCK_NAME = "dispatcher.lock"


class Dispatcher:
    """Moves the jobs of one project on; one process at a time does, see `only_one`."""

    def __init__(self, project: Project) -> None:
        """Nothing is done before `tick`."""
        self._project = project
        self._children: list[int] = []
        self._clusters = ClusterRuns(project, self._note)
        self._asking: threading.Thread | None = None
        self._asked = float("-inf")

    def tick(self) -> None:
        """Look once at everything, and start what may start."""
        self.look()
        self._start()
        self._ask_clusters()

    def look(self) -> None:
        """See what became of the jobs, without starting any."""
        self._children = reaped(self._children)
        for path, folder in notes(self._project):
            take_in(self._project, folder)
            path.unlink(missing_ok=True)
        running = self._entries("running")
        for entry in running:
            self._read(entry)
        self._release()

    def is_idle(self) -> bool:
        """Whether nothing runs, and nothing can start."""
        return not self._entries("running") and not self._entries("queued")

    def _entries(self, state: State) -> list[Entry]:
        query = f"SELECT {COLUMNS} FROM jobs WHERE state = ? AND removed IS NULL ORDER BY number"
        with self._project.connection() as connection:
            return [entry_of(row) for row in connection.execute(query, (state,))]

    # what became of those that run

    def _read(self, entry: Entry) -> None:
        folder = self._project.absolute(entry.folder)
        if entry.origin == "command line":
            outcome = recorded_outcome(folder, entry.started or "") or lost(entry.progress)
            self._note(entry, outcome)
            return
        if entry.external_id or self._clusters.has(entry.lane):
            return  # the clusters' own thread asks after it
        control = self._project.control(entry.number)
        attempt = read_attempt(attempt_path(control, entry.attempt))
        if attempt is None:
            self._give_up_if_late(entry)
        elif not attempt.host:
            self._queue_again(entry)
        else:
            self._note(entry, supervised_outcome(folder, control, attempt))

    def _note(self, entry: Entry, outcome: Outcome) -> None:
        """Write down how a job stands; one that is silent for too long has died."""
        values: dict[str, object] = {}
        if outcome.progress and outcome.progress != entry.progress:
            values["progress"] = dict(outcome.progress)
        if outcome.state == "running":
            outcome = self._listen(entry, outcome)
        if outcome.state != "running":
            values |= {
                "state": outcome.state,
                "cause": outcome.cause,
                "remedy": outcome.remedy,
                "ended": outcome.ended or now(),
                "is_cancelling": 0,
                "launched": 0,
                "external_id": "",
            }
        if not values:
            return
        with self._project.connection(is_write=True) as connection:
            is_ours = changes.update(
                connection,
                entry.number,
                values,
                only_from=("running", "queued"),
                attempt=entry.attempt,
            )
        if is_ours and outcome.state != "running":
            tell(self._project, entry, outcome)

    def _listen(self, entry: Entry, outcome: Outcome) -> Outcome:
        """Remember, by our own clock, when its heartbeat last changed: clocks of others differ."""
        with self._project.connection() as connection:
            row = connection.execute(
                "SELECT beat, beat_seen FROM jobs WHERE number = ?", (entry.number,)
            ).fetchone()
            if row is None:
                return outcome
            if row["beat"] != outcome.beat or row["beat_seen"] == 0:
                # not a change anybody has to be told of, hence the same revision
                connection.execute(
                    "UPDATE jobs SET beat = ?, beat_seen = ?, revision = revision WHERE number = ?",
                    (outcome.beat, time.time(), entry.number),
                )
                return outcome
        is_silent = time.time() - row["beat_seen"] > SILENT_SECONDS
        return lost(outcome.progress) if is_silent else outcome

    def _give_up_if_late(self, entry: Entry) -> None:
        with self._project.connection() as connection:
            row = connection.execute(
                "SELECT launched FROM jobs WHERE number = ?", (entry.number,)
            ).fetchone()
        if row is None or time.time() - row["launched"] < CLAIM_SECONDS:
            return
        control = self._project.control(entry.number)
        control.mkdir(parents=True, exist_ok=True)
        if claim(attempt_path(control, entry.attempt), Attempt()):
            self._queue_again(entry)

    def _queue_again(self, entry: Entry) -> None:
        with self._project.connection(is_write=True) as connection:
            stopped = entry.is_cancelling
            values: dict[str, object] = {"state": "stopped" if stopped else "queued"}
            values |= {"is_cancelling": 0, "cause": STOPPED_BY_USER if stopped else ""}
            changes.update(
                connection, entry.number, values, only_from=("running",), attempt=entry.attempt
            )

    # what may go on

    def _release(self) -> None:
        """Queue jobs whose predecessors are done; say of the others what holds them up."""
        for entry in self._entries("waiting"):
            with self._project.connection(is_write=True) as connection:
                found = [changes.find(connection, number) for number in entry.after]
                open_ones = [each for each in found if each and each.state != "done"]
                values: dict[str, object] = {"state": "queued", "cause": "", "remedy": ""}
                if open_ones:
                    cause, remedy = _what_holds_up(open_ones)
                    values = {"cause": cause, "remedy": remedy}
                if any(getattr(entry, name) != value for name, value in values.items()):
                    changes.update(connection, entry.number, values, only_from=("waiting",))

    def _start(self) -> None:
        queued = self._entries("queued")
        if not queued:
            return
        lanes = local_lanes(self._project)
        usual = default_lane(lanes)
        busy: dict[str, int] = {}
        for entry in self._entries("running"):
            if entry.origin == "queue":
                busy[entry.lane] = busy.get(entry.lane, 0) + 1
        for entry in sorted(
            queued, key=lambda each: (not each.run_now, -each.priority, each.number)
        ):
            name = entry.lane or usual
            if name not in lanes and self._clusters.has(name):
                if not entry.is_handed_in:
                    self._clusters.begin(entry)
            elif name not in lanes:
                self._fail(entry, f"lane {name}: no such lane; known: {', '.join(lanes)}")
            elif entry.run_now or busy.get(name, 0) < lanes[name].slots:
                busy[name] = busy.get(name, 0) + 1
                self._launch(entry, lanes[name])

    def _ask_clusters(self) -> None:
        """In a thread of its own: schedulers can take their time, local jobs shall not wait."""
        if self._asking is not None and self._asking.is_alive():
            return
        if time.monotonic() - self._asked > ASK_SECONDS:
            self._asked = time.monotonic()
            self._asking = threading.Thread(target=self._clusters.step, daemon=True)
            self._asking.start()

    def _launch(self, entry: Entry, lane: LocalLane) -> None:
        attempt = entry.attempt + 1
        try:
            control = prepare(self._project, entry, attempt, lane.environment)
        except (IcelensError, OSError) as error:
            self._fail(entry, str(error))
            return
        values = {
            "state": "running",
            "attempt": attempt,
            "lane": lane.name,
            "launched": time.time(),
            "beat_seen": 0,
            "started": now(),
            "progress": "",
        }
        with self._project.connection(is_write=True) as connection:
            is_ours = changes.update(
                connection, entry.number, values, only_from=("queued",), attempt=entry.attempt
            )
        if is_ours:
            self._children.append(start_here(control, attempt))

    def _fail(self, entry: Entry, cause: str) -> None:
        values = {
            "state": "failed",
            "cause": cause,
            "remedy": remedy_for(cause),
            "ended": now(),
        }
        with self._project.connection(is_write=True) as connection:
            changes.update(connection, entry.number, values, only_from=("queued",))


def _what_holds_up(entries: list[Entry]) -> tuple[str, str]:
    stuck = [entry for entry in entries if entry.state in ("failed", "stopped", "draft")]
    if stuck:
        first = stuck[0]
        verb = "is a draft" if first.state == "draft" else first.state
        remedy = "Start it" if first.state == "draft" else "Resume it"
        return f"waits for {first.name}, which {verb}", f"{remedy}, or clone this job without it."
    return "waits for " + ", ".join(entry.name for entry in entries), ""


@contextmanager
def only_one(project: Project) -> Iterator[bool]:
    """Whether this process may dispatch; the lock ends with the process that holds it."""
    project.hidden.mkdir(exist_ok=True)
    handle = os.open(project.hidden / _LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(handle)


def dispatch_until_idle(project: Project, *, patience: float = 10.0) -> None:
    """Dispatch as long as there is something to do, and a little longer."""
    with only_one(project) as may_dispatch:
        if not may_dispatch:
            return
        dispatcher, busy = Dispatcher(project), time.monotonic()
        while time.monotonic() - busy < patience:
            dispatcher.tick()
            if not dispatcher.is_idle():
                busy = time.monotonic()
            time.sleep(TICK_SECONDS)


def log_path(project: Project) -> Path:
    """Where a dispatcher without a terminal says what went wrong."""
    return project.hidden / "dispatcher.log"
