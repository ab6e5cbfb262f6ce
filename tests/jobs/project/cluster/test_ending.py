"""Words of schedulers become a cause and a remedy."""

import pytest

from icelens.jobs.project.cluster.ending import ending_from
from icelens.jobs.project.cluster.folders import _READY
from icelens.jobs.project.cluster.lane_file import read_lane_file


@pytest.mark.parametrize(
    ("kind", "said", "state", "cause"),
    [
        ("slurm", "JobId=3 JobState=TIMEOUT Reason=TimeLimit", "stopped", "time limit"),
        (
            "slurm",
            "error: *** JOB 3 ON n CANCELLED AT 2026 DUE TO TIME LIMIT ***",
            "stopped",
            "time",
        ),
        ("slurm", "JobId=3 JobState=OUT_OF_MEMORY Reason=OutOfMemory", "failed", "more memory"),
        (
            "slurm",
            "slurmstepd: error: Detected 1 oom_kill event in StepId=3",
            "failed",
            "more memory",
        ),
        ("slurm", "JobId=3 JobState=NODE_FAIL Reason=NodeDown", "failed", "machine it ran on"),
        ("slurm", "PREEMPTED|None", "stopped", "more urgent"),
        ("slurm", "CANCELLED by 1000|None", "stopped", "not from here"),
        ("slurm", "JobState=CANCELLED Reason=DependencyNeverSatisfied", "failed", "job before it"),
        ("pbs", "=>> PBS: job killed: walltime 77 exceeded limit 30", "stopped", "time limit"),
        ("pbs", "=>> PBS: job killed: mem 9kb exceeded limit 1kb", "failed", "more memory"),
        ("pbs", "    Exit_status = -29\n", "stopped", "time limit"),
        ("torque", "=>> PBS: job killed: vmem 9 exceeded limit 3", "failed", "more memory"),
        ("torque", "    exit_status = 271\n", "stopped", "not from here"),
        ("lsf", "TERM_RUNLIMIT: job killed after reaching LSF run time limit.", "stopped", "time"),
        ("lsf", "EXIT|137|TERM_MEMLIMIT: job killed", "failed", "more memory"),
        ("lsf", "EXIT|130|TERM_OWNER: job killed by owner", "stopped", "not from here"),
    ],
)
def test_ready_lanes_understand_their_schedulers(
    kind: str, said: str, state: str, cause: str
) -> None:
    reasons = read_lane_file(_READY / kind / "lane.yaml").reasons  # type: ignore[arg-type]
    ending = ending_from([said], reasons)
    assert ending.state == state
    assert cause in ending.cause
    assert ending.remedy.endswith(".")


def test_the_first_text_that_says_anything_decides() -> None:
    reasons = {"time": ["late"], "memory": ["big"]}
    assert "memory" in ending_from(["", "nothing", "too big", "late"], reasons).cause  # type: ignore[arg-type]
    assert "(late)" in ending_from(["late and big"], reasons).cause  # type: ignore[arg-type]


def test_silence_is_a_failure_with_the_last_word() -> None:
    ending = ending_from([], {}, "FAILED")
    assert ending.state == "failed"
    assert ending.cause.endswith("(FAILED)")
    assert "log" in ending.remedy


def test_what_was_said_stays_short() -> None:
    ending = ending_from(["x" * 5000], {"time": ["x+"]})
    assert len(ending.cause) < 200
