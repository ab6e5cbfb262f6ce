"""What one can do with the jobs of a project; the command line and the browser both do it here."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from icelens.jobs.project import changes
from icelens.jobs.project.attempt import cancel_path
from icelens.jobs.project.entry import ENDED, PENDING, STATES, Entry, State
from icelens.jobs.project.inputs import earlier_jobs
from icelens.jobs.project.outcome import STOPPED_BY_USER
from icelens.jobs.project.settings_paths import folder_of, job_folder, with_output
from icelens.jobs.project.terminal_runs import interrupt
from icelens.jobs.project.trash import StateError, Trash
from icelens.jobs.record import now
from icelens.jobs.registry import find_job
from icelens.jobs.validation import make_config, merged

MOST_TITLE = 200


class Queue(Trash):
    """The jobs of one project, to be looked at and worked with."""

    def submit(
        self,
        job_name: str,
        settings: Mapping[str, Any],
        *,
        lane: str = "",
        variables: Mapping[str, Any] | None = None,
        priority: int = 0,
        after: Iterable[int] = (),
        run_now: bool = False,
        title: str = "",
        tasks: int = 0,
        is_draft: bool = False,
    ) -> Entry:
        """Put a job in the queue, or keep it as a draft, whose settings may still be wrong.

        Args:
            job_name: `task.job`.
            settings: Those that differ from the defaults; paths are meant from the project.
            lane: Where it shall run; empty for the default.
            variables: For the script of a cluster.
            priority: Higher goes first.
            after: Jobs to wait for, besides those whose output it reads.
            run_now: Start at once, whatever else runs in the lane.
            title: What to call it.
            tasks: Parts for an array of a cluster; 0 for none.
            is_draft: Do not start it yet.

        Raises:
            UnknownJobError: If there is no such job.
            ConfigError: If the settings are not valid; one line for each mistake.
            UnknownEntryError: If a job to wait for does not exist.
        """
        job = find_job(job_name)
        for other in after:
            self.get(other)
        with self.project.connection(is_write=True) as connection:
            number = changes.insert(
                connection,
                {
                    "job": job.name,
                    "task": job.task,
                    "title": _title(title) or f"{job.task} {job.command}",
                    "state": "draft",
                    "settings": dict(settings),
                    "lane": lane,
                    "variables": dict(variables or {}),
                    "priority": priority,
                    "run_now": run_now,
                    "tasks": tasks,
                    "created": now(),
                },
            )
            changes.set_waits(connection, number, after)
            changes.update(connection, number, {"folder": job_folder(number, job)})
            if not is_draft:
                self._enqueue(number)
        return self.get(number)

    def edit(
        self,
        number: int,
        *,
        settings: Mapping[str, Any] | None = None,
        after: Iterable[int] | None = None,
        **values: Any,  # noqa: ANN401 - columns are of any type
    ) -> Entry:
        """Change a job: its title at any time, all else while it is a draft or waits.

        Args:
            number: Of the job.
            settings: New ones, whole.
            after: Jobs to wait for.
            values: `title`, `lane`, `variables`, `priority`, `run_now` or `tasks`.

        Raises:
            StateError: If it has begun.
        """
        entry = self.get(number)
        if "title" in values:
            values["title"] = _title(values["title"]) or entry.title
        if settings is not None:
            values["settings"] = dict(settings)
        only_title = set(values) <= {"title"} and after is None
        allowed: tuple[State, ...] = STATES if only_title else ("draft", *PENDING)
        with self.project.connection(is_write=True) as connection:
            if values and not changes.update(connection, number, values, only_from=allowed):
                raise StateError(f"{entry.name}: has begun ({entry.state}); clone it to change it")
            if after is not None:
                changes.set_waits(connection, number, after)
            if entry.state in PENDING and not only_title:
                self._enqueue(number)
        return self.get(number)

    def start(self, number: int) -> Entry:
        """Queue a draft.

        Raises:
            StateError: If it is none.
            ConfigError: If its settings are not valid.
        """
        entry = self.get(number)
        if entry.state != "draft" or entry.removed:
            raise StateError(f"{entry.name}: is {entry.state}, not a draft; to repeat it clone it")
        self._enqueue(number)
        return self.get(number)

    def cancel(self, number: int) -> Entry:
        """Ask a job to stop: cleanly at first, by force after a grace.

        Raises:
            StateError: If it has ended, or was started from a terminal of another machine.
        """
        entry = self.get(number)
        stopped = {"state": "stopped", "cause": STOPPED_BY_USER, "ended": now()}
        with self.project.connection(is_write=True) as connection:
            is_at_cluster = entry.state == "queued" and entry.is_handed_in
            if not is_at_cluster and changes.update(connection, number, stopped, only_from=PENDING):
                pass
            elif is_at_cluster or (entry.state == "running" and entry.origin == "queue"):
                control = self.project.control(number)
                control.mkdir(parents=True, exist_ok=True)
                cancel_path(control, entry.attempt).touch()
                asked = {"is_cancelling": 1}
                changes.update(connection, number, asked, only_from=("running", "queued"))
            elif entry.state == "running" and interrupt(self.project.absolute(entry.folder)):
                changes.update(connection, number, {"is_cancelling": 1}, only_from=("running",))
            elif entry.state == "running":
                raise StateError(
                    f"{entry.name}: was started from a terminal elsewhere; stop it there by Ctrl-C"
                )
            else:
                raise StateError(f"{entry.name}: is {entry.state}; there is nothing to stop")
        return self.get(number)

    def resume(self, number: int) -> Entry:
        """Queue a stopped, failed or finished job again; what it saved is kept and used.

        Raises:
            StateError: If it has not ended.
        """
        entry = self.get(number)
        if entry.state not in ENDED or entry.removed:
            raise StateError(
                f"{entry.name}: is {entry.state}; only a job that ended can be resumed"
            )
        self._enqueue(number)
        return self.get(number)

    def clone(self, number: int, edits: Mapping[str, Any] | None = None) -> Entry:
        """A draft with the settings of another job, and a folder of its own.

        Args:
            number: Of the job to copy.
            edits: Settings that shall differ.
        """
        entry = self.get(number)
        settings = {**entry.settings}
        output = str(settings.get("output", ""))
        if output == entry.folder or output.startswith(f"{entry.folder}/"):
            settings.pop("output")
        return self.submit(
            entry.job,
            merged(settings, edits or {}),
            lane=entry.lane,
            variables=entry.variables,
            priority=entry.priority,
            title=f"{entry.title.removesuffix(' (copy)')} (copy)",
            tasks=entry.tasks,
            is_draft=True,
        )

    def _enqueue(self, number: int) -> None:
        """Fix a job's settings and folder, find what it has to wait for, and queue it."""
        entry = self.get(number)
        job = find_job(entry.job)
        settings = with_output(job, entry.settings, job_folder(number, job))
        config = make_config(job.config_type, settings)
        folder = self.project.relative(Path(folder_of(config, job_folder(number, job))))
        with self.project.connection(is_write=True) as connection:
            found = earlier_jobs(self.project, connection, number, job.name, config)
            after = sorted({*entry.after, *found})
            changes.set_waits(connection, number, after)
            changes.update(
                connection,
                number,
                {
                    "state": "waiting" if after else "queued",
                    "settings": settings,
                    "folder": folder,
                    "cause": "",
                    "remedy": "",
                    "ended": None,
                    "is_cancelling": 0,
                    "launched": 0,
                    "external_id": "",
                },
                only_from=("draft", *PENDING, *ENDED),
            )


def _title(text: object) -> str:
    """One line without what a terminal would act on, or would turn the line's direction."""
    plain = "".join(letter if letter.isprintable() else " " for letter in str(text))
    return " ".join(plain.split())[:MOST_TITLE]
