"""A lane of a cluster: scripts are made, submitted once, asked after, ended and explained."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from icelens.core.io.atomic import atomic_path
from icelens.core.io.plain_file import open_plain
from icelens.jobs.project.cluster.ending import Ending, ending_from
from icelens.jobs.project.cluster.lane_file import LANE_NAME, LaneFile, Value, read_lane_file
from icelens.jobs.project.cluster.scheduler import (
    Answer,
    SchedulerError,
    SubmissionRefusedError,
    ask,
    filled,
)
from icelens.jobs.project.cluster.script import TEMPLATE_NAME, Submission, lane_variables, render
from icelens.jobs.project.cluster.states import UNKNOWN, ClusterState, read_states

_LOG_BYTES = 65_536
_ID = re.compile(r"\d[\w.\[\]@-]*", re.ASCII)
"""An id cannot be taken for an option of a command, whatever a project's database holds."""
_IDS_AT_ONCE = 200
"""Ids in one status command: a command line has an end."""


@dataclass(frozen=True)
class Variable:
    """A variable of the lane's script, for a form.

    Attributes:
        default: Tells the kind, too.
    """

    name: str
    default: Value
    help: str


@dataclass(frozen=True)
class ClusterLane:
    """A folder with `lane.yaml` and a template.

    Attributes:
        folder: Where they lie.
        file: What `lane.yaml` says.
    """

    folder: Path
    file: LaneFile

    @property
    def name(self) -> str:
        """How jobs name it."""
        return self.file.name

    @property
    def title(self) -> str:
        """How people read it."""
        return self.file.title

    @property
    def has_arrays(self) -> bool:
        """Whether a job may be submitted in tasks, numbered from 1 to `max_tasks`."""
        return self.file.array

    @property
    def max_tasks(self) -> int:
        """Largest number of a task."""
        return self.file.max_tasks

    @property
    def variables(self) -> list[Variable]:
        """What a job may change of its script, for a form."""
        help_of = self.file.help
        return [
            Variable(name, default, help_of.get(name, ""))
            for name, default in self.file.defaults.items()
        ]

    def check_variables(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """Values of all variables.

        Raises:
            ScriptError: If a name is unknown or a value is of the wrong kind.
        """
        return lane_variables(self.file, str(self.folder), given)

    def render(self, submission: Submission) -> str:
        """The script of a submission.

        Raises:
            ScriptError: If the template is wrong or a value cannot be used.
        """
        return render(self.file, self.folder / TEMPLATE_NAME, submission)

    def write_script(self, submission: Submission) -> Path:
        """Write the script into the submission's folder, as `submit-<attempt>.sh`.

        Raises:
            ScriptError: If the template is wrong or a value cannot be used.
            InputFileError: If it cannot be written.
        """
        text = self.render(submission)
        path = submission.project / submission.folder / f"submit-{submission.attempt}.sh"
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        return path

    def submit_once(self, submission: Submission) -> str:
        """Submit, or return the id of this very attempt if it was submitted before.

        A dispatcher that was killed after submitting and before noting the id asks again; the name
        of the job, which no other attempt has, answers.

        Raises:
            SubmissionRefusedError: If the scheduler says no.
            SchedulerError: If it cannot be asked; call again later.
        """
        found = self.find(submission.job_name)
        return found or self.submit(self.write_script(submission), cwd=submission.project)

    def submit(self, script: Path, *, cwd: Path) -> str:
        """Give a script to the scheduler and return the id of the job.

        Raises:
            SubmissionRefusedError: With the scheduler's words.
            SchedulerError: If its answer holds no id, or does not come: the job may be queued,
                which `find` tells.
        """
        values = {"script": str(script), "job_name": script.stem}
        stdin = script if self.file.script_on_stdin else None
        answer = self._ask(self.file.submit, values, cwd=cwd, script=stdin)
        if answer.code != 0:
            raise SubmissionRefusedError(
                f"{self._place}: {self.file.submit[0]} refused {script} (it said: {answer.said}); "
                "change the job's variables or the lane"
            )
        found = re.search(self.file.id_pattern, answer.out, re.MULTILINE)
        if found is None:
            raise SchedulerError(
                f"{self._place}: {self.file.submit[0]} printed no id (it said: {answer.said}); "
                "mend id_pattern"
            )
        return found.group(1)

    def find(self, job_name: str) -> str | None:
        """The id of the job of that name; None if the scheduler knows none.

        Raises:
            SchedulerError: If it cannot be asked; then nobody may submit either.
        """
        answer = self._ask(self.file.find, {"job_name": job_name})
        self._refuse_trouble(answer, self.file.find)
        found = re.search(self.file.id_pattern, answer.out, re.MULTILINE)
        return found.group(1) if found else None

    def states(self, ids: Iterable[str]) -> dict[str, ClusterState]:
        """How jobs stand, each id with a state; one command serves many ids.

        Raises:
            SchedulerError: If the scheduler cannot be asked.
        """
        found = dict.fromkeys(ids, UNKNOWN)
        wanted = [external_id for external_id in found if _ID.fullmatch(external_id)]
        for start in range(0, len(wanted), _IDS_AT_ONCE):
            part = wanted[start : start + _IDS_AT_ONCE]
            answer = self._ask(self.file.status, {"ids": part})
            self._refuse_trouble(answer, self.file.status)
            found |= read_states(self.file, answer.out, part)
        return found

    def cancel(self, external_id: str) -> None:
        """End a job, queued or running, or all tasks of an array; one that is gone is no error.

        Raises:
            SchedulerError: If the scheduler says no, or cannot be asked.
        """
        if not _ID.fullmatch(external_id):
            raise SchedulerError(
                f"{self._place}: {external_id!r:.60} is no id of a job; cancel it there"
            )
        answer = self._ask(self.file.cancel, {"id": external_id})
        self._refuse_trouble(answer, self.file.cancel)

    def task_id(self, external_id: str, task: int) -> str:
        """How the scheduler calls one task of an array, for `cancel` and `ending`."""
        if "[]" in external_id:
            return external_id.replace("[]", f"[{task}]")
        return self.file.task_id.replace("{id}", external_id).replace("{task}", str(task))

    def ending(self, external_id: str, logs: Sequence[Path] = ()) -> Ending:
        """Why a job that left no exit code is gone.

        Args:
            external_id: Of the job, or of a task.
            logs: The scheduler's logs of it, as `logs` finds them.
        """
        commands = self.file.explain if _ID.fullmatch(external_id) else ()
        said = [text for words in commands if (text := self._try(words, external_id))]
        said += [_end_of(path) for path in logs]
        return ending_from(said, self.file.reasons, self._word(external_id))

    def logs(self, submission: Submission, task: int | None = None) -> list[Path]:
        """The scheduler's logs of an attempt or of one of its tasks, those that exist."""
        pattern = f"{Path(submission.log).name}{'' if task is None else f'-{task}'}.*"
        return sorted((submission.project / submission.folder).glob(pattern))

    @property
    def _place(self) -> str:
        return str(self.folder / LANE_NAME)

    def _ask(
        self,
        words: Sequence[str],
        values: Mapping[str, str | Sequence[str]],
        *,
        cwd: Path | None = None,
        script: Path | None = None,
    ) -> Answer:
        command = filled(words, values)
        return ask(self._place, command, timeout=self.file.timeout, cwd=cwd, script=script)

    def _refuse_trouble(self, answer: Answer, words: Sequence[str]) -> None:
        """A command may fail for jobs the scheduler has forgotten, and for no other reason."""
        if answer.code == 0:
            return
        lines = [line for line in answer.err.splitlines() if line.strip()]
        pattern = self.file.forgotten_pattern
        if lines and pattern and all(re.search(pattern, line) for line in lines):
            return
        raise SchedulerError(
            f"{self._place}: {words[0]} failed with {answer.code} (it said: {answer.said}); is the "
            "scheduler up?"
        )

    def _try(self, words: Sequence[str], external_id: str) -> str:
        try:
            return self._ask(words, {"id": external_id}).out
        except SchedulerError:
            return ""

    def _word(self, external_id: str) -> str:
        try:
            return self.states([external_id])[external_id].word
        except SchedulerError:
            return ""


def read_lane(folder: Path) -> ClusterLane:
    """Read a lane's folder.

    Raises:
        InputFileError: If `lane.yaml` is missing or wrong.
    """
    return ClusterLane(folder.absolute(), read_lane_file(folder / LANE_NAME))


def _end_of(path: Path) -> str:
    try:
        with open_plain(path) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_BYTES))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
