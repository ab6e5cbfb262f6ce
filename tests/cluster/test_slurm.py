"""The lane for SLURM as a real SLURM understands it: one on this machine, started for the tests."""

from pathlib import Path
from typing import Any

import pytest
from cluster_project import ClusterProject, wait_for

from icelens.jobs.project.cluster.scheduler import SchedulerError, SubmissionRefusedError

pytestmark = pytest.mark.cluster


def test_a_job_runs_in_the_project_and_leaves_its_exit_code(
    cluster_project: ClusterProject,
) -> None:
    cluster_project.program("import os\nopen('here.txt', 'w').write(os.getcwd())\n")
    submission = cluster_project.submission(7)
    external_id = cluster_project.lane.submit_once(submission)
    assert cluster_project.wait_until_gone(external_id).phase == "done"
    assert (cluster_project.folder / "here.txt").read_text() == str(cluster_project.folder)
    attempt = cluster_project.attempt(7)
    assert attempt is not None
    assert (attempt.exit_code, attempt.is_cancelled) == (0, False)
    assert len(cluster_project.lane.logs(submission)) == 1


def test_a_failing_job_leaves_its_exit_code(cluster_project: ClusterProject) -> None:
    cluster_project.program("raise SystemExit(3)\n")
    external_id = cluster_project.lane.submit_once(cluster_project.submission(1))
    assert cluster_project.wait_until_gone(external_id).phase == "failed"
    attempt = cluster_project.attempt(1)
    assert attempt is not None
    assert attempt.exit_code == 3


def test_an_attempt_is_submitted_once_however_often_it_is_tried(
    cluster_project: ClusterProject,
) -> None:
    cluster_project.program("open('runs.txt', 'a').write('run\\n')\n")
    submission = cluster_project.submission(1)
    first = cluster_project.lane.submit_once(submission)
    assert cluster_project.lane.submit_once(submission) == first
    cluster_project.wait_until_gone(first)
    assert cluster_project.lane.submit_once(submission) == first  # SLURM remembers it a while
    assert (cluster_project.folder / "runs.txt").read_text() == "run\n"
    second = cluster_project.lane.submit_once(cluster_project.submission(1, 2))
    assert second != first
    cluster_project.wait_until_gone(second)
    tenth = cluster_project.submission(1, 10)
    assert cluster_project.lane.find(tenth.job_name) is None  # attempt 1 is not attempt 10


ARRAY = """
import pathlib, sys, time
task = sys.argv[1]
pathlib.Path(f"begun_{task}.txt").write_text("")
while not pathlib.Path("go.txt").exists():
    time.sleep(0.1)
pathlib.Path(f"done_{task}.txt").write_text(task)
sys.exit(5 if task == "7" else 0)
"""


def test_tasks_of_an_array_run_each_with_its_number(cluster_project: ClusterProject) -> None:
    cluster_project.program(ARRAY)
    submission = cluster_project.submission(4, tasks=(1, 2, 3, 7), at_once=2)
    lane = cluster_project.lane
    external_id = lane.submit_once(submission)
    assert lane.submit_once(submission) == external_id

    def two_run() -> Any:
        state = cluster_project.state(external_id)
        return state if state.counts().get("running") == 2 else None

    state = wait_for(two_run, "two tasks to run")
    assert state.phase == "running"
    assert state.counts() == {"running": 2, "pending": 2}
    assert set(state.tasks) == {1, 2, 3, 7}
    (cluster_project.folder / "go.txt").write_text("")
    state = cluster_project.wait_until_gone(external_id)
    assert state.phase == "failed"
    assert {task: each.phase for task, each in state.tasks.items()} == {
        1: "done", 2: "done", 3: "done", 7: "failed",
    }  # fmt: skip
    codes = {}
    for task in (1, 2, 3, 7):
        attempt = cluster_project.attempt(4, 1, task)
        assert attempt is not None
        codes[task] = attempt.exit_code
        assert (cluster_project.folder / f"done_{task}.txt").read_text() == str(task)
        assert len(lane.logs(submission, task)) == 1
    assert codes == {1: 0, 2: 0, 3: 0, 7: 5}


def test_one_task_of_an_array_can_be_cancelled_and_explained(
    cluster_project: ClusterProject,
) -> None:
    cluster_project.program(ARRAY)
    lane = cluster_project.lane
    external_id = lane.submit_once(cluster_project.submission(4, tasks=(1, 2), at_once=1))
    cluster_project.wait_for_text("begun_1.txt", "")
    lane.cancel(lane.task_id(external_id, 2))
    wait_for(
        lambda: cluster_project.state(external_id).tasks[2].phase == "cancelled", "task 2 to go"
    )
    assert cluster_project.state(external_id).phase == "running"
    ending = lane.ending(lane.task_id(external_id, 2))
    assert ending.state == "stopped"
    assert "cancelled at the cluster" in ending.cause
    (cluster_project.folder / "go.txt").write_text("")
    cluster_project.wait_until_gone(external_id)


def test_a_job_waits_for_the_one_before_it(cluster_project: ClusterProject) -> None:
    cluster_project.program(
        "import pathlib, sys, time\n"
        "if sys.argv[1] == 'first':\n"
        "    while not pathlib.Path('go.txt').exists(): time.sleep(0.1)\n"
        "    pathlib.Path('first.txt').write_text('')\n"
        "else:\n"
        "    pathlib.Path('second.txt').write_text(str(pathlib.Path('first.txt').exists()))\n"
    )
    lane = cluster_project.lane
    first = lane.submit_once(cluster_project.submission(1, words=("program.py", "first")))
    second = lane.submit_once(
        cluster_project.submission(2, words=("program.py", "second"), after=(first,))
    )
    wait_for(lambda: lane.states([first])[first].phase == "running", "the first to run")
    states = lane.states([first, second])
    assert (states[second].phase, states[second].reason) == ("pending", "Dependency")
    (cluster_project.folder / "go.txt").write_text("")
    assert cluster_project.wait_until_gone(second).phase == "done"
    assert (cluster_project.folder / "second.txt").read_text() == "True"


def test_a_job_after_a_failed_one_is_dropped_and_says_why(cluster_project: ClusterProject) -> None:
    cluster_project.program("raise SystemExit(1)\n")
    lane = cluster_project.lane
    first = lane.submit_once(cluster_project.submission(1))
    second = lane.submit_once(cluster_project.submission(2, after=(first,)))
    cluster_project.wait_until_gone(second)
    assert cluster_project.attempt(2) is None
    ending = lane.ending(second)
    assert ending.state == "failed"
    assert "a job before it failed" in ending.cause


RANKS = """
import os, torch, torch.distributed as dist
dist.init_process_group("gloo")
total = torch.ones(1)
dist.all_reduce(total)
with open(f"rank_{dist.get_rank()}.txt", "w") as told:
    print(int(total), os.environ["LOCAL_RANK"], os.environ["SLURMD_NODENAME"], file=told)
dist.destroy_process_group()
"""


def test_training_is_shared_by_the_processes_of_two_nodes(cluster_project: ClusterProject) -> None:
    cluster_project.program(RANKS)
    submission = cluster_project.submission(
        1,
        words=("-m", "program"),
        variables={"nodes": 2, "gpus": 2, "memory": "1500M"},
        is_distributed=True,
    )
    external_id = cluster_project.lane.submit_once(submission)
    state = cluster_project.wait_until_gone(external_id)
    said = (cluster_project.control(1) / "err.txt").read_text()
    assert state.phase == "done", said
    ranks = [(cluster_project.folder / f"rank_{rank}.txt").read_text().split() for rank in range(4)]
    assert [total for total, _, _ in ranks] == ["4"] * 4
    assert sorted((node, local) for _, local, node in ranks) == [
        ("icelens1", "0"), ("icelens1", "1"), ("icelens2", "0"), ("icelens2", "1"),
    ]  # fmt: skip


def test_a_refused_submission_tells_what_slurm_said(cluster_project: ClusterProject) -> None:
    cluster_project.program("")
    submission = cluster_project.submission(1, variables={"partition": "nix"})
    with pytest.raises(SubmissionRefusedError, match="invalid partition specified: nix") as caught:
        cluster_project.lane.submit_once(submission)
    assert "\n" not in str(caught.value)
    assert cluster_project.lane.find(submission.job_name) is None


def test_a_value_with_shell_words_stays_one_value(cluster_project: ClusterProject) -> None:
    cluster_project.program("")
    submission = cluster_project.submission(1, variables={"account": "x; touch $(pwd)/bad.txt"})
    external_id = cluster_project.lane.submit_once(submission)  # SLURM keeps no accounts here
    cluster_project.wait_until_gone(external_id)
    assert not (cluster_project.folder / "bad.txt").exists()


def test_forgotten_jobs_are_unknown_and_the_others_are_told(
    cluster_project: ClusterProject,
) -> None:
    cluster_project.program("")
    lane = cluster_project.lane
    external_id = lane.submit_once(cluster_project.submission(1))
    cluster_project.wait_until_gone(external_id)
    states = lane.states(["888888", external_id, "999999"])
    assert [state.phase for state in states.values()] == ["unknown", "done", "unknown"]
    assert lane.states(["999999"])["999999"].is_gone
    lane.cancel("999999")
    assert "gone from the cluster" in lane.ending("999999").cause


def test_a_scheduler_that_does_not_answer_is_not_taken_for_no_job(
    cluster_project: ClusterProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slurm: Path
) -> None:
    submission = cluster_project.submission(1)
    text = (slurm / "slurm.conf").read_text().replace("SlurmctldPort=", "SlurmctldPort=1 #")
    (tmp_path / "slurm.conf").write_text(text + "MessageTimeout=2\n")
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "slurm.conf"))
    with pytest.raises(SchedulerError, match="squeue"):
        cluster_project.lane.submit_once(submission)
    assert not (cluster_project.control(1) / "submit-1.sh").exists()
