"""Lanes speak to schedulers; here to small commands that print what the real ones print."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from icelens.jobs.project.cluster.lane import ClusterLane
from icelens.jobs.project.cluster.scheduler import SchedulerError, SubmissionRefusedError
from icelens.jobs.project.cluster.script import Submission

MakeLane = Callable[[str], ClusterLane]
Make = Callable[..., Submission]
Fake = Callable[..., Path]


def words_of(told: Path) -> list[str]:
    return told.read_text().splitlines()


@pytest.mark.parametrize(
    ("kind", "command", "printed", "external_id"),
    [
        ("slurm", "sbatch", "123\n", "123"),
        ("slurm", "sbatch", "123;cluster2\n", "123"),
        ("pbs", "qsub", "123.pbs01\n", "123.pbs01"),
        ("pbs", "qsub", "123[].pbs01\n", "123[].pbs01"),
        ("torque", "qsub", "124.head.site.edu\n", "124.head.site.edu"),
        ("lsf", "bsub", "Job <125> is submitted to queue <normal>.\n", "125"),
    ],
)
def test_a_submission_is_one_command_that_gives_an_id(
    lane_of: MakeLane,
    submission_of: Make,
    fake: Fake,
    kind: str,
    command: str,
    printed: str,
    external_id: str,
) -> None:
    told = fake(command, printed)
    for name in ("squeue", "qselect", "bjobs"):
        fake(name)
    submission = submission_of()
    assert lane_of(kind).submit_once(submission) == external_id
    script = submission.project / submission.folder / "submit-1.sh"
    assert script.is_file()
    if kind == "lsf":
        assert Path(f"{told}.stdin").read_text() == script.read_text()
    else:
        assert words_of(told)[-1] == str(script)


@pytest.mark.parametrize(
    ("kind", "finder", "printed", "external_id"),
    [
        ("slurm", "squeue", "88\n88\n88\n", "88"),
        ("pbs", "qselect", "88[].pbs01\n", "88[].pbs01"),
        ("torque", "qselect", "88.head\n", "88.head"),
        ("lsf", "bjobs", "88\n88\n", "88"),
    ],
)
def test_what_was_submitted_is_not_submitted_again(
    lane_of: MakeLane,
    submission_of: Make,
    fake: Fake,
    kind: str,
    finder: str,
    printed: str,
    external_id: str,
) -> None:
    told = fake(finder, printed)
    submitted = [fake(name, "99\n") for name in ("sbatch", "qsub", "bsub")]
    assert lane_of(kind).submit_once(submission_of()) == external_id
    assert any(submission_of().job_name in word for word in words_of(told))
    assert not any(path.exists() for path in submitted)


@pytest.mark.parametrize(
    ("kind", "finder", "err", "code"),
    [
        ("slurm", "squeue", "slurm_load_jobs error: Unable to contact slurm controller", 1),
        ("pbs", "qselect", "Connection refused\nqselect: cannot connect to server", 111),
        ("lsf", "bjobs", "LSF is down. Please wait ...", 255),
    ],
)
def test_nothing_is_submitted_while_the_scheduler_is_silent(
    lane_of: MakeLane, submission_of: Make, fake: Fake, kind: str, finder: str, err: str, code: int
) -> None:
    fake(finder, err=err, code=code)
    submitted = [fake(name, "99\n") for name in ("sbatch", "qsub", "bsub")]
    with pytest.raises(SchedulerError, match="is the scheduler up") as caught:
        lane_of(kind).submit_once(submission_of())
    assert err.splitlines()[0] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not any(path.exists() for path in submitted)


def test_lsf_says_not_found_where_there_is_no_job(lane_of: MakeLane, fake: Fake) -> None:
    fake("bjobs", err="Job <icelens-x> is not found\n", code=255)
    assert lane_of("lsf").find("icelens-x") is None


def test_a_refusal_tells_what_the_scheduler_said(
    lane_of: MakeLane, submission_of: Make, fake: Fake
) -> None:
    fake("qselect")
    fake("qsub", err="qsub: Job violates queue and/or server\nresource limits\n", code=188)
    with pytest.raises(SubmissionRefusedError, match="violates queue and/or server resource"):
        lane_of("pbs").submit_once(submission_of())


def test_an_answer_without_an_id_is_no_refusal(
    lane_of: MakeLane, submission_of: Make, fake: Fake
) -> None:
    fake("squeue")
    fake("sbatch", "welcome\n")
    with pytest.raises(SchedulerError, match="printed no id") as caught:
        lane_of("slurm").submit_once(submission_of())
    assert not isinstance(caught.value, SubmissionRefusedError)


def test_one_command_asks_after_many_jobs(lane_of: MakeLane, fake: Fake) -> None:
    told = fake("squeue", "7|RUNNING|None\n8|PENDING|Priority\n")
    states = lane_of("slurm").states(["7", "8", "9", "7"])
    assert [state.phase for state in states.values()] == ["running", "pending", "unknown"]
    assert words_of(told)[3] == "--jobs=7,8,9"


def test_no_job_is_no_question(lane_of: MakeLane, fake: Fake) -> None:
    told = fake("squeue")
    assert lane_of("slurm").states([]) == {}
    assert not told.exists()


@pytest.mark.parametrize(
    ("kind", "command", "err", "code"),
    [
        ("slurm", "squeue", "slurm_load_jobs error: Invalid job id specified\n", 1),
        ("pbs", "qstat", "qstat: Unknown Job Id 7.pbs01\n", 153),
        (
            "pbs",
            "qstat",
            "qstat: 7.pbs01 Job has finished, use -x or -H to obtain historical job information\n",
            35,
        ),
        ("torque", "qstat", "qstat: Unknown Job Id Error 7.head\n", 153),
        ("lsf", "bjobs", "Job <7> is not found\n", 255),
    ],
)
def test_a_forgotten_job_is_unknown(
    lane_of: MakeLane, fake: Fake, kind: str, command: str, err: str, code: int
) -> None:
    fake(command, err=err, code=code)
    assert lane_of(kind).states(["7"])["7"].phase == "unknown"
    fake(command, err=err + "something else\n", code=code)
    with pytest.raises(SchedulerError, match="something else"):
        lane_of(kind).states(["7"])


@pytest.mark.parametrize("bad", ["--me", "-u root", "", "7;ls", "7 8", "abc", "7\n8", "*"])
def test_what_is_no_id_never_reaches_a_command(lane_of: MakeLane, fake: Fake, bad: str) -> None:
    told = [fake(name) for name in ("squeue", "scancel", "scontrol", "sacct")]
    lane = lane_of("slurm")
    assert lane.states([bad])[bad].phase == "unknown"
    with pytest.raises(SchedulerError, match="is no id of a job"):
        lane.cancel(bad)
    assert lane.ending(bad).state == "failed"
    assert not any(path.exists() for path in told)


@pytest.mark.parametrize(
    ("kind", "command", "err", "code"),
    [
        (
            "slurm",
            "scancel",
            "scancel: error: Kill job error on job id 7: Invalid job id specified",
            1,
        ),
        ("pbs", "qdel", "qdel: Job has finished 7.pbs01", 35),
        ("pbs", "qdel", "qdel: Unknown Job Id 7.pbs01", 170),
        ("torque", "qdel", "qdel: Request invalid for state of job MSG=invalid state 7.head", 170),
        ("lsf", "bkill", "Job <7>: Job has already finished", 255),
        ("lsf", "bkill", "Job <7>: No matching job found", 255),
    ],
)
def test_cancelling_what_is_gone_is_no_error(
    lane_of: MakeLane, fake: Fake, kind: str, command: str, err: str, code: int
) -> None:
    fake(command, err=err, code=code)
    lane_of(kind).cancel("7")


def test_a_cancel_that_is_not_allowed_is_told(lane_of: MakeLane, fake: Fake) -> None:
    fake("scancel", err="scancel: error: Access/permission denied\n", code=1)
    with pytest.raises(SchedulerError, match="permission denied"):
        lane_of("slurm").cancel("7")


@pytest.mark.parametrize(
    ("kind", "external_id", "task_id"),
    [
        ("slurm", "12", "12_3"),
        ("pbs", "12[].pbs01", "12[3].pbs01"),
        ("torque", "12[].head", "12[3].head"),
        ("lsf", "12", "12[3]"),
    ],
)
def test_a_task_has_the_id_its_scheduler_gives_it(
    lane_of: MakeLane, fake: Fake, kind: str, external_id: str, task_id: str
) -> None:
    lane = lane_of(kind)
    assert lane.task_id(external_id, 3) == task_id
    told = [fake(name) for name in ("scancel", "qdel", "bkill")]
    lane.cancel(task_id)
    assert [words_of(path) for path in told if path.exists()] == [[task_id]]


def test_an_ending_is_told_by_the_log_where_the_scheduler_has_forgotten(
    lane_of: MakeLane, submission_of: Make, fake: Fake
) -> None:
    fake("scontrol", err="slurm_load_jobs error: Invalid job id specified\n", code=1)
    fake("sacct", err="Slurm accounting storage is disabled\n", code=1)
    fake("squeue", err="slurm_load_jobs error: Invalid job id specified\n", code=1)
    lane, submission = lane_of("slurm"), submission_of()
    folder = submission.project / submission.folder
    folder.mkdir(parents=True)
    line = "slurmstepd-n1: error: *** JOB 7 ON n1 CANCELLED AT 2026-11-22 DUE TO TIME LIMIT ***\n"
    (folder / "scheduler-1.txt").write_text("x" * 200_000 + "\n" + line)
    (folder / "scheduler-11.txt").write_text("of another attempt")
    assert lane.logs(submission) == [folder / "scheduler-1.txt"]
    assert "time limit" in lane.ending("7", lane.logs(submission)).cause
    assert "nor did the cluster say why" in lane.ending("7", [folder / "absent.txt"]).cause
    (folder / "scheduler-1-3.txt").write_text(line)
    assert lane.logs(submission, 3) == [folder / "scheduler-1-3.txt"]


def test_logs_of_a_project_with_odd_letters_are_found(
    submission_of: Make, lane_of: MakeLane, tmp_path: Path
) -> None:
    submission = submission_of(project=tmp_path / "a[1]*?")
    folder = submission.project / submission.folder
    folder.mkdir(parents=True)
    (folder / "scheduler-1.txt").write_text("")
    assert len(lane_of("slurm").logs(submission)) == 1


def test_a_form_is_told_the_variables(lane_of: MakeLane) -> None:
    variables = {each.name: each for each in lane_of("slurm").variables}
    assert variables["gpus"].default == 1
    assert variables["time"].help.startswith("Longest duration")
    assert all(each.help for each in variables.values())


def test_a_script_is_written_whole_or_not_at_all(lane_of: MakeLane, submission_of: Make) -> None:
    path = lane_of("slurm").write_script(submission_of(attempt=3))
    assert path.name == "submit-3.sh"
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    assert [each.name for each in path.parent.iterdir()] == ["submit-3.sh"]
