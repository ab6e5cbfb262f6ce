"""How jobs of the cluster stand, read from what the scheduler prints, tasks of arrays too."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from icelens.jobs.project.cluster.lane_file import LaneFile

Phase = Literal["pending", "running", "done", "failed", "cancelled", "unknown"]
_FIRST_OF_TASKS: tuple[Phase, ...] = ("running", "pending", "failed", "cancelled", "done")


@dataclass(frozen=True)
class ClusterState:
    """How a job of the cluster stands, as far as the scheduler says.

    Whether a job that is gone succeeded, only the exit code tells that it left itself.

    Attributes:
        phase: `unknown` if the scheduler has forgotten the job, or uses a word the lane lacks.
        word: The scheduler's own word, such as `TIMEOUT`.
        reason: What it adds, such as why a job waits.
        tasks: Of an array, by number; those it has forgotten are missing.
    """

    phase: Phase
    word: str = ""
    reason: str = ""
    tasks: Mapping[int, "ClusterState"] = field(default_factory=dict)

    @property
    def is_gone(self) -> bool:
        """Whether it neither waits nor runs; an unknown word counts as running."""
        return self.phase not in ("pending", "running") and not (
            self.phase == "unknown" and self.word
        )

    def counts(self) -> dict[Phase, int]:
        """How many tasks of an array stand how."""
        phases = [state.phase for state in self.tasks.values()]
        return {phase: phases.count(phase) for phase in dict.fromkeys(phases)}


UNKNOWN = ClusterState("unknown")


def id_key(external_id: str) -> str:
    """The number in an id: schedulers write one job as `12`, `12_3`, `12[].server`."""
    found = re.search(r"\d+", external_id)
    return found.group() if found else external_id


def read_states(file: LaneFile, text: str, ids: Iterable[str]) -> dict[str, ClusterState]:
    """Read what the status command printed.

    Args:
        file: Of the lane.
        text: What its `status` printed.
        ids: Those asked for; each gets a state.
    """
    wanted = {id_key(external_id): external_id for external_id in ids}
    whole: dict[str, ClusterState] = {}
    tasks: dict[str, dict[int, ClusterState]] = {}
    for found in re.finditer(file.state_pattern, text, re.MULTILINE):
        groups = {name: (value or "").strip() for name, value in found.groupdict().items()}
        key = id_key(groups["id"])
        if key not in wanted:
            continue
        word = groups["state"]
        state = ClusterState(_phase(file, word), word, groups.get("reason", ""))
        numbers = task_numbers(groups.get("task", ""))
        if numbers:
            tasks.setdefault(key, {}).update(dict.fromkeys(numbers, state))
        else:
            whole[key] = state
    return {
        external_id: _joined(whole.get(key, UNKNOWN), tasks.get(key, {}))
        for key, external_id in wanted.items()
    }


def task_numbers(text: str) -> list[int]:
    """Numbers of tasks in `3`, `[3]`, `[4-9]`, `[1,4-9:2%3]`; none in `0`, `-` or nothing.

    Schedulers that print a number for jobs that are no array print 0; tasks count from 1.
    """
    numbers: list[int] = []
    for part in text.strip("_[]").partition("%")[0].split(","):
        found = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6})(?::(\d{1,6}))?)?", part.strip())
        if found:
            first, last, step = (int(value or 0) for value in found.groups())
            numbers += range(first, max(first, last) + 1, step or 1)
    return [number for number in numbers if number > 0]


def task_ranges(numbers: Iterable[int]) -> str:
    """`1-3,7` of 1, 2, 3, 7: how schedulers are told the tasks of an array."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _phase(file: LaneFile, word: str) -> Phase:
    words: dict[Phase, tuple[str, ...]] = {
        "pending": file.states.pending,
        "running": file.states.running,
        "done": file.states.done,
        "failed": file.states.failed,
        "cancelled": file.states.cancelled,
    }
    for phase, known in words.items():
        if word in known:
            return phase
    return "unknown"


def _joined(whole: ClusterState, tasks: Mapping[int, ClusterState]) -> ClusterState:
    """The state of an array is that of the task that matters most."""
    if not tasks:
        return whole
    for phase in _FIRST_OF_TASKS:
        for state in tasks.values():
            if state.phase == phase:
                return ClusterState(phase, state.word, state.reason, dict(sorted(tasks.items())))
    return ClusterState("unknown", next(iter(tasks.values())).word, "", dict(sorted(tasks.items())))
