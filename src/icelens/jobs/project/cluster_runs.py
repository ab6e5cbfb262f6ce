"""Jobs of the queue on a cluster: hand them in, ask after them, tell how they ended.

A job waits at the cluster as `queued` with a cause that says so. As on this machine, nothing that
matters is kept in memory: the number of the attempt is in the table before the job is handed in,
and the job's name at the cluster has it, so that whoever comes next finds what was handed in.
"""

import time
from collections.abc import Callable, Sequence

from icelens.core.errors import IcelensError
from icelens.jobs.project import changes
from icelens.jobs.project.attempt import Attempt, attempt_path, claim, read_attempt
from icelens.jobs.project.cluster.folders import find_lanes
from icelens.jobs.project.cluster.lane import ClusterLane
from icelens.jobs.project.cluster.scheduler import SubmissionRefusedError
from icelens.jobs.project.cluster.script import ScriptError, Submission
from icelens.jobs.project.cluster.states import UNKNOWN, ClusterState
from icelens.jobs.project.cluster_tasks import open_tasks, tasks_outcome
from icelens.jobs.project.entry import COLUMNS, Entry, entry_of
from icelens.jobs.project.launch import prepare, supervisor_command
from icelens.jobs.project.outcome import STOPPED_BY_USER, Outcome, supervised_outcome
from icelens.jobs.project.project import Project
from icelens.jobs.project.remedies import remedy_for
from icelens.jobs.registry import find_job

ASK_SECONDS = 5.0
LANES_SECONDS = 10.0
GONE_SECONDS = 30.0
"""A job may be gone from the scheduler a little before its files are seen here."""


class ClusterRuns:
    """The cluster lanes of one project."""

    def __init__(self, project: Project, note: Callable[[Entry, Outcome], None]) -> None:
        """Lanes are read when they are asked for.

        Args:
            project: Where the jobs belong.
            note: Writes down how a job stands.
        """
        self._project = project
        self._note = note
        self._lanes: dict[str, ClusterLane] = {}
        self._read = float("-inf")
        self._gone: dict[tuple[int, int], float] = {}

    def has(self, lane: str) -> bool:
        """Whether a lane of this name is a cluster's."""
        if time.monotonic() - self._read > LANES_SECONDS:
            self._lanes, self._read = find_lanes(self._project.folder), time.monotonic()
        return lane in self._lanes

    def begin(self, entry: Entry) -> None:
        """Give a queued job the number of its attempt; `step` hands it in."""
        values = {"attempt": entry.attempt + 1, "launched": time.time(), "external_id": ""}
        values["cause"] = "is handed in to the cluster"
        with self._project.connection(is_write=True) as connection:
            changes.update(
                connection, entry.number, values, only_from=("queued",), attempt=entry.attempt
            )

    def step(self) -> None:
        """Look once at all that was handed in, or is about to be."""
        by_lane: dict[str, list[Entry]] = {}
        for entry in self._entries():
            if self.has(entry.lane):
                by_lane.setdefault(entry.lane, []).append(entry)
        for name, entries in by_lane.items():
            lane = self._lanes[name]
            try:
                self._look_at(lane, entries)
            except IcelensError as error:
                for entry in entries:  # the scheduler may be down: the jobs are not
                    self._say(entry, {"cause": f"the cluster cannot be asked: {error}"})

    def _entries(self) -> list[Entry]:
        query = (
            f"SELECT {COLUMNS} FROM jobs WHERE state IN ('queued', 'running') AND launched > 0 "
            "AND origin = 'queue' AND removed IS NULL ORDER BY number"
        )
        with self._project.connection() as connection:
            return [entry_of(row) for row in connection.execute(query)]

    def _look_at(self, lane: ClusterLane, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if not entry.external_id:
                self._hand_in(lane, entry)
        known = [entry for entry in entries if entry.external_id]
        if not known:
            return
        states = lane.states([entry.external_id for entry in known])
        for entry in known:
            self._judge(lane, entry, states.get(entry.external_id, UNKNOWN))

    def _hand_in(self, lane: ClusterLane, entry: Entry) -> None:
        """Submit, unless it was submitted before and the note of it was lost."""
        if entry.is_cancelling:
            self._note(entry, Outcome("stopped", STOPPED_BY_USER))
            return
        try:
            prepare(self._project, entry, entry.attempt, {})
            external_id = lane.submit_once(self._submission(entry))
        except (SubmissionRefusedError, ScriptError) as error:
            self._note(entry, Outcome("failed", str(error), remedy_for(str(error))))
            return
        self._say(entry, {"external_id": external_id, "cause": "waits at the cluster"})

    def _submission(self, entry: Entry) -> Submission:
        job = find_job(entry.job)
        control = self._project.control(entry.number)
        return Submission(
            number=entry.number,
            attempt=entry.attempt,
            title=entry.title,
            identity=self._project.identity,
            project=self._project.folder,
            folder=control.relative_to(self._project.folder).as_posix(),
            command=tuple(supervisor_command(control, entry.attempt)),
            tasks=open_tasks(control, entry) if entry.tasks else (),
            is_distributed=job.resumable and not entry.tasks and not job.shared_by,
            variables=entry.variables,
        )

    def _judge(self, lane: ClusterLane, entry: Entry, state: ClusterState) -> None:
        if entry.tasks:
            outcome = tasks_outcome(self._project, entry, state)
            begun = outcome is not None
        else:
            control = self._project.control(entry.number)
            attempt = read_attempt(attempt_path(control, entry.attempt))
            begun = attempt is not None and bool(attempt.host)
            folder = self._project.absolute(entry.folder)
            outcome = supervised_outcome(folder, control, attempt) if attempt and begun else None
            if attempt is not None and attempt.exit_code is None and state.is_gone:
                outcome = None  # the scheduler knows better than this machine why it is gone
        if entry.is_cancelling and (not begun or entry.tasks):
            lane.cancel(entry.external_id)
        if outcome is not None and outcome.state != "running":
            self._note(entry, outcome)
        elif state.is_gone:
            self._judge_gone(lane, entry)
        elif begun or state.phase == "running":
            self._say(entry, {"state": "running", "cause": "", **_progress(outcome)})
        else:
            reason = f" ({state.reason})" if state.reason not in ("", "None") else ""
            self._say(entry, {"cause": f"waits at the cluster{reason}"})

    def _judge_gone(self, lane: ClusterLane, entry: Entry) -> None:
        """Of a job that the scheduler knows no more and that left no exit code."""
        first = self._gone.setdefault((entry.number, entry.attempt), time.monotonic())
        if time.monotonic() - first < GONE_SECONDS and not entry.is_cancelling:
            return
        control = self._project.control(entry.number)
        if not entry.tasks:
            claim(attempt_path(control, entry.attempt), Attempt())  # nobody may begin it now
        if entry.is_cancelling:
            self._note(entry, Outcome("stopped", STOPPED_BY_USER))
            return
        ending = lane.ending(entry.external_id, lane.logs(self._submission(entry)))
        self._note(entry, Outcome(ending.state, ending.cause, ending.remedy))

    def _say(self, entry: Entry, values: dict[str, object]) -> None:
        known: dict[str, object] = {
            "state": entry.state,
            "cause": entry.cause,
            "external_id": entry.external_id,
            "progress": dict(entry.progress) if entry.progress else None,
        }
        if any(known[name] != value for name, value in values.items()):
            with self._project.connection(is_write=True) as connection:
                changes.update(
                    connection,
                    entry.number,
                    values,
                    only_from=("queued", "running"),
                    attempt=entry.attempt,
                )


def _progress(outcome: Outcome | None) -> dict[str, object]:
    return {"progress": dict(outcome.progress)} if outcome and outcome.progress else {}
