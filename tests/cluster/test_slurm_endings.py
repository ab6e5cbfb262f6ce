"""Jobs that SLURM, its machines or somebody at them end early say why, and are resumed."""

import os
import signal
import subprocess

import pytest
from cluster_project import CHECKPOINTED, ClusterProject, wait_for

pytestmark = pytest.mark.cluster


def steps_of(project: ClusterProject) -> list[int]:
    return [int(line) for line in (project.folder / "steps.txt").read_text().split()]


def assert_resumes(project: ClusterProject, before: int) -> None:
    """A second attempt goes on where the first stopped; nothing is done twice."""
    (project.folder / "hurry.txt").write_text("")
    external_id = project.lane.submit_once(project.submission(1, 2))
    assert project.wait_until_gone(external_id).phase == "done"
    assert 1 <= before < 30
    assert steps_of(project) == list(range(1, 31))


def test_a_cancelled_job_stops_cleanly_and_is_resumed(cluster_project: ClusterProject) -> None:
    cluster_project.program(CHECKPOINTED)
    external_id = cluster_project.lane.submit_once(cluster_project.submission(1))
    cluster_project.wait_for_text("steps.txt", "3\n")
    cluster_project.lane.cancel(external_id)
    assert cluster_project.wait_until_gone(external_id).phase == "cancelled"
    attempt = cluster_project.attempt(1)
    assert attempt is not None
    assert (attempt.exit_code, attempt.is_cancelled) == (130, True)
    cluster_project.lane.cancel(external_id)  # again: it is gone, which is no error
    assert_resumes(cluster_project, len(steps_of(cluster_project)))


def test_a_job_cancelled_before_it_began_says_so(cluster_project: ClusterProject) -> None:
    cluster_project.program("")
    lane = cluster_project.lane
    variables = {"cpus": 4, "nodes": 2}
    blocker = lane.submit_once(
        cluster_project.submission(
            1, words=("-c", "import time; time.sleep(60)"), variables=variables
        )
    )
    waiting = lane.submit_once(cluster_project.submission(2, variables=variables))
    state = wait_for(
        lambda: (s := cluster_project.state(waiting)).reason in ("Resources", "Priority") and s,
        "the second to wait",
    )
    assert state.phase == "pending"
    subprocess.run(["scancel", waiting], check=True)
    cluster_project.wait_until_gone(waiting)
    assert cluster_project.attempt(2) is None
    ending = lane.ending(waiting)
    assert (ending.state, "JobState=CANCELLED" in ending.cause) == ("stopped", True)
    lane.cancel(blocker)
    cluster_project.wait_until_gone(blocker)


def test_a_job_killed_by_the_scheduler_leaves_no_exit_code_and_is_resumed(
    cluster_project: ClusterProject,
) -> None:
    cluster_project.program(CHECKPOINTED)
    lane = cluster_project.lane
    external_id = lane.submit_once(cluster_project.submission(1, words=("program.py", "deaf")))
    cluster_project.wait_for_text("steps.txt", "3\n")
    subprocess.run(["scancel", "--signal=KILL", "--full", external_id], check=True)
    assert cluster_project.wait_until_gone(external_id).phase == "cancelled"
    attempt = cluster_project.attempt(1)
    assert attempt is not None
    assert attempt.exit_code is None
    ending = lane.ending(external_id)
    assert ending.state == "stopped"
    assert "cancelled at the cluster, not from here" in ending.cause
    assert_resumes(cluster_project, len(steps_of(cluster_project)))


def test_a_job_killed_by_its_machine_is_failed_with_a_remedy(
    cluster_project: ClusterProject,
) -> None:
    cluster_project.program(CHECKPOINTED)
    lane = cluster_project.lane
    submission = cluster_project.submission(1)
    external_id = lane.submit_once(submission)
    cluster_project.wait_for_text("steps.txt", "3\n")
    attempt = cluster_project.attempt(1)
    assert attempt is not None
    os.kill(attempt.pid, signal.SIGKILL)
    assert cluster_project.wait_until_gone(external_id).phase == "failed"
    ending = lane.ending(external_id, lane.logs(submission))
    assert ending.state == "failed"
    assert ending.cause.endswith("nor did the cluster say why (FAILED)")
    assert "resume" in ending.remedy
    assert_resumes(cluster_project, len(steps_of(cluster_project)))


def test_a_node_that_fails_is_told_from_a_job_that_fails(cluster_project: ClusterProject) -> None:
    cluster_project.program(CHECKPOINTED)
    lane = cluster_project.lane
    submission = cluster_project.submission(1)
    external_id = lane.submit_once(submission)
    cluster_project.wait_for_text("steps.txt", "3\n")
    node = "icelens1"
    try:
        subprocess.run(
            ["scontrol", "update", f"NodeName={node}", "State=down", "Reason=test"], check=True
        )
        state = cluster_project.wait_until_gone(external_id)
    finally:
        # it is back by itself once it has spoken to the controller: then there is nothing to resume
        subprocess.run(["scontrol", "update", f"NodeName={node}", "State=resume"], check=False)
    assert state.word == "NODE_FAIL"
    assert "the machine it ran on failed" in lane.ending(external_id).cause
    # --no-requeue: the job does not start again by itself, beside the attempt that resumes it
    assert_resumes(cluster_project, len(steps_of(cluster_project)))


def end_soon(external_id: str) -> None:
    """Let the time of a job end soon; SLURM counts limits in minutes, and looks twice a minute."""
    subprocess.run(
        ["scontrol", "update", f"JobId={external_id}", "EndTime=now+2seconds"], check=True
    )


def test_a_job_that_meets_its_time_limit_says_so_and_is_resumed(
    cluster_project: ClusterProject,
) -> None:
    cluster_project.program(CHECKPOINTED)
    lane = cluster_project.lane
    submission = cluster_project.submission(1, words=("program.py", "deaf"))
    external_id = lane.submit_once(submission)
    cluster_project.wait_for_text("steps.txt", "3\n")
    end_soon(external_id)
    assert cluster_project.wait_until_gone(external_id).word == "TIMEOUT"
    ending = lane.ending(external_id, lane.logs(submission))
    assert ending.state == "stopped"
    assert ending.cause == "the cluster ended it at its time limit (JobState=TIMEOUT)"
    by_log = lane.ending("999999", lane.logs(submission))  # SLURM has forgotten it, the log has not
    assert "DUE TO TIME LIMIT" in by_log.cause
    assert_resumes(cluster_project, len(steps_of(cluster_project)))


def test_before_the_time_limit_a_job_is_asked_to_stop(cluster_project: ClusterProject) -> None:
    cluster_project.program(CHECKPOINTED)
    external_id = cluster_project.lane.submit_once(cluster_project.submission(1))
    cluster_project.wait_for_text("steps.txt", "3\n")
    subprocess.run(
        ["scontrol", "update", f"JobId={external_id}", "EndTime=now+50seconds"], check=True
    )
    cluster_project.wait_until_gone(external_id)
    attempt = cluster_project.attempt(1)
    assert attempt is not None
    assert (attempt.exit_code, attempt.is_cancelled) == (130, True)
    assert_resumes(cluster_project, len(steps_of(cluster_project)))
