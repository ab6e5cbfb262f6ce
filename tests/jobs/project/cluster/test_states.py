"""What schedulers print becomes states, for many jobs at once and for the tasks of arrays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icelens.jobs.project.cluster.folders import _READY
from icelens.jobs.project.cluster.lane_file import LaneFile, read_lane_file
from icelens.jobs.project.cluster.states import (
    UNKNOWN,
    ClusterState,
    read_states,
    task_numbers,
    task_ranges,
)

SLURM = """\
7|RUNNING|None
8|PENDING|Resources
9|COMPLETED|None
10|TIMEOUT|TimeLimit
11|CANCELLED|None
12_[4-6,9%2]|PENDING|JobArrayTaskLimit
12_3|RUNNING|None
12_1|COMPLETED|None
12_2|FAILED|NonZeroExitCode
70|PENDING|Priority
13|HIBERNATING|None
"""
OPENPBS = """\
Job Id: 7.pbs01
    Job_Name = icelens-ab-7-1
    job_state = R
    queue = workq
    comment = Job run at Sun Nov 22 at 01:02 on (n1:ncpus=1)
    Variable_List = PBS_O_HOME=/home/u,
	PBS_O_PATH=/bin

Job Id: 8.pbs01
    Job_Name = x
    job_state = Q
    queue = workq

Job Id: 12[].pbs01
    job_state = B
    array = True

Job Id: 12[1].pbs01
    job_state = X
    Exit_status = 0

Job Id: 12[2].pbs01
    job_state = R

Job Id: 9.pbs01
    job_state = F
    Exit_status = 271
"""
LSF = """\
7|0|RUN|-
8|0|PEND|-
9|0|EXIT|TERM_RUNLIMIT: job killed after reaching LSF run time limit
12|1|DONE|-
12|2|EXIT|-
12|3|PEND|-
"""


def lane_file(kind: str) -> LaneFile:
    return read_lane_file(_READY / kind / "lane.yaml")  # type: ignore[arg-type]


def phases(kind: str, text: str, ids: list[str]) -> list[str]:
    return [state.phase for state in read_states(lane_file(kind), text, ids).values()]


def test_slurm_tells_of_jobs_and_of_tasks() -> None:
    ids = ["7", "8", "9", "10", "11", "12", "13", "14"]
    states = read_states(lane_file("slurm"), SLURM, ids)
    assert [state.phase for state in states.values()] == [
        "running", "pending", "done", "failed", "cancelled", "running", "unknown", "unknown",
    ]  # fmt: skip
    assert states["8"].reason == "Resources"
    assert states["10"].word == "TIMEOUT"
    array = states["12"]
    assert sorted(array.tasks) == [1, 2, 3, 4, 5, 6, 9]
    assert array.counts() == {"done": 1, "failed": 1, "running": 1, "pending": 4}
    assert states["14"] == UNKNOWN
    assert [states[one].is_gone for one in ("7", "10", "14")] == [False, True, True]
    assert not states["13"].is_gone  # a word the lane does not know is no end


def test_openpbs_tells_of_jobs_and_of_subjobs() -> None:
    states = read_states(lane_file("pbs"), OPENPBS, ["7.pbs01", "8.pbs01", "12[].pbs01", "9.pbs01"])
    assert [state.phase for state in states.values()] == ["running", "pending", "running", "done"]
    assert states["7.pbs01"].reason.startswith("Job run at")
    assert {task: each.phase for task, each in states["12[].pbs01"].tasks.items()} == {
        1: "done", 2: "running",
    }  # fmt: skip


def test_torque_tells_of_jobs_and_of_tasks() -> None:
    text = OPENPBS.replace("job_state = F", "job_state = C").replace(
        "job_state = X", "job_state = C"
    )
    ids = ["7.pbs01", "8.pbs01", "9.pbs01"]
    assert phases("torque", text, ids) == ["running", "pending", "done"]
    assert read_states(lane_file("torque"), text, ["12[].pbs01"])["12[].pbs01"].tasks[1].phase == (
        "done"
    )


def test_lsf_tells_of_jobs_and_of_tasks() -> None:
    states = read_states(lane_file("lsf"), LSF, ["7", "8", "9", "12"])
    assert [state.phase for state in states.values()] == ["running", "pending", "failed", "pending"]
    assert states["7"].tasks == {}  # an index of 0 is no task
    assert states["12"].counts() == {"done": 1, "failed": 1, "pending": 1}


def test_an_array_without_a_known_word_is_unknown_and_goes_on() -> None:
    state = read_states(lane_file("slurm"), "12_1|ODD|None\n", ["12"])["12"]
    assert (state.phase, state.word, state.is_gone) == ("unknown", "ODD", False)


@pytest.mark.parametrize(
    "text", ["", "slurm_load_jobs error", "\x00|||", "7|" * 9999, "Job Id: " * 9999]
)
@pytest.mark.parametrize("kind", ["slurm", "pbs", "torque", "lsf"])
def test_nonsense_makes_jobs_unknown(kind: str, text: str) -> None:
    assert phases(kind, text, ["7"]) == ["unknown"]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("3", [3]), ("_3", [3]), ("[4-6,9%2]", [4, 5, 6, 9]), ("[1-7:3]", [1, 4, 7]), ("", []),
        ("0", []), ("-", []), ("[9-4]", [9]), ("x", []), ("[1,x,3]", [1, 3]), ("9999999999", []),
    ],
)  # fmt: skip
def test_tasks_are_read_as_schedulers_write_them(text: str, numbers: list[int]) -> None:
    assert task_numbers(text) == numbers


@given(st.sets(st.integers(1, 200)))
def test_tasks_are_written_as_they_are_read(numbers: set[int]) -> None:
    assert task_numbers(f"[{task_ranges(numbers)}]") == sorted(numbers)


def test_a_state_without_tasks_counts_none() -> None:
    assert ClusterState("running").counts() == {}
