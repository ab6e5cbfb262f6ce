"""Scripts hold what the lane and the job say, and nothing that is put in can become a command."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icelens.core.errors import IcelensError, InputFileError
from icelens.jobs.project.cluster.lane import ClusterLane
from icelens.jobs.project.cluster.script import ScriptError, Submission, lane_variables, render

MakeLane = Callable[[str], ClusterLane]
Make = Callable[..., Submission]
KINDS = ("slurm", "pbs", "torque", "lsf")


def rendered(lane: ClusterLane, submission: Submission, template: str) -> str:
    path = lane.folder / "script.sh.j2"
    path.write_text(template, encoding="utf-8")
    return render(lane.file, path, submission)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "values",
    [
        {},
        {"tasks": (1, 2, 5), "at_once": 2, "after": ("12", "13")},
        {"tasks": (4,)},
        {"is_distributed": True, "variables": {"nodes": 2, "gpus": 4}},
        {"is_distributed": True, "variables": {"gpus": 2}},
        {"variables": {"gpus": 0, "memory": ""}},
    ],
)
def test_ready_templates_give_scripts_that_bash_reads(
    lane_of: MakeLane, submission_of: Make, tmp_path: Path, kind: str, values: dict[str, Any]
) -> None:
    text = lane_of(kind).render(submission_of(**values))
    path = tmp_path / "script.sh"
    path.write_text(text)
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    assert text.startswith("#!/bin/bash\n")
    assert "icelens-ab12cd34ef56-7-1" in text
    assert "{#" not in text
    assert "''" not in text  # an empty value would be an option without its value


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("slurm", ["#SBATCH --array=1-2,5%2", "#SBATCH --dependency=afterok:12:13"]),
        ("pbs", ["#PBS -J 1-5%2", "#PBS -W depend=afterok:12:13", "case ' 1 2 5 ' in"]),
        ("torque", ["#PBS -t 1-2,5%2", "#PBS -W depend=afterok:12:13"]),
        (
            "lsf",
            ["#BSUB -J 'icelens-ab12cd34ef56-7-1[1-2,5]%2'", "#BSUB -w 'done(12) && done(13)'"],
        ),
    ],
)
def test_arrays_are_asked_for_as_the_scheduler_wants(
    lane_of: MakeLane, submission_of: Make, kind: str, lines: list[str]
) -> None:
    values = {"tasks": (1, 2, 5), "at_once": 2, "after": ("12", "13")}
    made = lane_of(kind).render(submission_of(**values)).splitlines()
    for line in lines:
        assert line in made


def test_an_openpbs_array_of_one_task_is_a_range_of_two(
    lane_of: MakeLane, submission_of: Make
) -> None:
    assert "#PBS -J 4-5\n" in lane_of("pbs").render(submission_of(tasks=(4,)))


def test_an_openpbs_array_runs_only_what_was_asked_for(
    lane_of: MakeLane, submission_of: Make, project: Path
) -> None:
    told = project / "told.txt"
    submission = submission_of(tasks=(1, 5), command=("tee", str(told)))
    path = project / "script.sh"
    path.write_text(lane_of("pbs").render(submission))
    for index, is_run in (("1", True), ("2", False), ("15", False), ("5", True)):
        told.unlink(missing_ok=True)
        done = subprocess.run(
            ["bash", path], env={"PBS_ARRAY_INDEX": index, "PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL, cwd=project, check=False,
        )  # fmt: skip
        assert (done.returncode, told.exists()) == (0, is_run)


@pytest.mark.parametrize("kind", KINDS)
def test_only_shared_training_on_several_devices_starts_torchrun(
    lane_of: MakeLane, submission_of: Make, kind: str
) -> None:
    lane = lane_of(kind)
    for values, is_started in (
        ({"is_distributed": True, "variables": {"gpus": 1, "nodes": 1}}, False),
        ({"is_distributed": False, "variables": {"gpus": 4}}, False),
        ({"is_distributed": True, "variables": {"gpus": 4}}, True),
        ({"is_distributed": True, "variables": {"gpus": 0, "nodes": 3}}, True),
    ):
        text = lane.render(submission_of(**values))
        assert ("torch.distributed.run" in text) is is_started
        assert (text.rstrip().endswith("-m --")) is is_started
    assert "--nnodes=3 --nproc-per-node=1 " in text


HOSTILE = [
    "a b", "$(touch bad)", "`touch bad`", "'; touch bad; '", '"; touch bad; "', "a\\", "#", "-rf",
    "~", "*", "é ü", "x;touch bad", "|touch bad", "&&touch bad", "${IFS}", "!!", "{{ 7 * 7 }}",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_wherever_it_is_put(
    lane_of: MakeLane, submission_of: Make, tmp_path: Path, text: str
) -> None:
    project = tmp_path / f"folder {text}".replace("/", "_")
    project.mkdir()
    lane = lane_of("slurm")
    submission = submission_of(
        project=project,
        title=text,
        command=("printf", "%s|", text, str(project)),
        variables={"account": text, "partition": text},
    )
    path = tmp_path / "script.sh"
    path.write_text(lane.render(submission), encoding="utf-8")
    done = subprocess.run(["bash", path], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout == f"{text}|{project}|"
    assert list(tmp_path.rglob("bad")) == []
    directives = [line for line in path.read_text().splitlines() if line.startswith("#SBATCH")]
    assert len(directives) == 12


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_any_text_comes_back_from_the_shell(
    lane_of: MakeLane, submission_of: Make, text: str
) -> None:
    submission = submission_of(variables={"account": text})
    made = rendered(lane_of("slurm"), submission, "printf %s {{ account }}")
    # values of variables are stripped: forms send spaces that nobody typed
    done = subprocess.run(["bash", "-c", made], capture_output=True, check=True)
    assert done.stdout.decode() == text.strip()


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\x00", "\x1b", "\x7f"])
def test_control_characters_are_refused_where_they_could_add_a_line(
    lane_of: MakeLane, submission_of: Make, tmp_path: Path, character: str
) -> None:
    lane = lane_of("slurm")
    bad = f"x{character}#SBATCH --wrap=ls"
    for values in ({"variables": {"account": bad}}, {"project": tmp_path / bad}):
        with pytest.raises(ScriptError, match="control character") as caught:
            lane.render(submission_of(**values))
        assert "\n" not in str(caught.value)
    # a title may hold anything, and is put into a comment as one line
    text = lane.render(submission_of(title=bad))
    assert sum(line.startswith("#SBATCH --wrap") for line in text.splitlines()) == 0


@pytest.mark.parametrize("folder", ["/etc", "../x", "a/../../b", "a b", "a%j", "a'b", "", "a\nb"])
def test_a_folder_that_schedulers_could_misread_is_refused(
    lane_of: MakeLane, submission_of: Make, folder: str
) -> None:
    with pytest.raises(ScriptError, match="the job's folder is"):
        lane_of("slurm").render(submission_of(folder=folder))


def test_a_name_of_a_job_is_one_word(lane_of: MakeLane, submission_of: Make) -> None:
    with pytest.raises(ScriptError, match="is no name for a job"):
        lane_of("slurm").render(submission_of(identity="a b"))


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ typo }}", "'typo' is undefined"),
        ("{% if %}", "line 1: Expected an expression"),
        ("ok\n{{ command", "line 2: unexpected end"),
        ("{{ ''.__class__.__mro__ }}", "is unsafe"),
        ("{{ command.append('x') }}", "'append' of 'list' object is unsafe"),
        ("{% include '/etc/passwd' %}", "no loader"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ title.foo }}", "no attribute 'foo'"),
    ],
)
def test_a_wrong_template_is_told_in_one_line(
    lane_of: MakeLane, submission_of: Make, template: str, said: str
) -> None:
    lane = lane_of("slurm")
    with pytest.raises(IcelensError, match=said) as caught:
        rendered(lane, submission_of(), template)
    assert str(caught.value).startswith(str(lane.folder / "script.sh.j2"))
    assert "\n" not in str(caught.value)


def test_a_missing_or_binary_template_is_told(lane_of: MakeLane, submission_of: Make) -> None:
    lane = lane_of("slurm")
    path = lane.folder / "script.sh.j2"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputFileError, match="cannot be read"):
        lane.render(submission_of())
    path.unlink()
    with pytest.raises(InputFileError, match="cannot be read"):
        lane.render(submission_of())


@pytest.mark.parametrize("tasks", [(0, 1), (1, 5000), (-3,)])
def test_tasks_out_of_bounds_are_refused(
    lane_of: MakeLane, submission_of: Make, tasks: tuple[int, ...]
) -> None:
    with pytest.raises(ScriptError, match="expected 1 to 1000"):
        lane_of("slurm").render(submission_of(tasks=tasks))


def test_a_lane_without_arrays_says_so(lane_of: MakeLane, submission_of: Make) -> None:
    lane = lane_of("slurm")
    lane = ClusterLane(lane.folder, lane.file.model_copy(update={"array": False}))
    with pytest.raises(ScriptError, match="has no arrays"):
        lane.render(submission_of(tasks=(1,)))


def test_variables_take_the_kind_of_their_defaults(lane_of: MakeLane) -> None:
    file = lane_of("slurm").file
    given = {"gpus": "2", "time": " 02:00:00 ", "nodes": 3}
    values = lane_variables(file, "lane", given)
    assert (values["gpus"], values["time"], values["nodes"]) == (2, "02:00:00", 3)
    assert values["cpus"] == 8
    odd = file.model_copy(update={"defaults": {"is_big": False, "share": 0.5}})
    assert lane_variables(odd, "lane", {"is_big": "True", "share": "2"}) == {
        "is_big": True, "share": 2.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"gpus": "many"}, "gpus is 'many', expected a whole number"),
        ({"gpus": -1}, "gpus is '-1', expected a whole number"),
        ({"gpus": "9" * 50}, "gpus is"),
        ({"gpus": True}, "gpus is 'True'"),
        ({"colour": "red"}, "no variable colour; it has time, memory"),
    ],
)
def test_values_of_the_wrong_kind_are_refused(
    lane_of: MakeLane, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ScriptError, match=said):
        lane_of("slurm").check_variables(given)


def test_a_variable_cannot_take_the_name_of_what_every_script_has(
    lane_of: MakeLane, submission_of: Make
) -> None:
    lane = lane_of("slurm")
    lane = ClusterLane(lane.folder, lane.file.model_copy(update={"defaults": {"command": "rm"}}))
    with pytest.raises(ScriptError, match="defaults has command"):
        lane.render(submission_of())
