"""`lane.yaml` is checked as a whole, and the first mistake is told in one line."""

import re
from pathlib import Path

import pytest

from icelens.core.errors import InputFileError
from icelens.jobs.project.cluster.lane_file import is_lane_name, read_lane_file

GOOD = r"""
name: site
title: Our cluster
kind: cluster
submit: [sbatch, "{script}"]
id_pattern: '(\d+)'
find: [squeue, "--name={job_name}"]
status: [squeue, "--jobs={ids}"]
state_pattern: '^(?P<id>\d+) (?P<state>\w+)$'
states: {pending: [PENDING], running: [RUNNING]}
cancel: [scancel, "{id}"]
defaults: {time: 24:00:00, gpus: 1}
help: {gpus: Cards on each node.}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "lane.yaml").write_text(GOOD)
    return tmp_path / "lane.yaml"


def test_a_lane_needs_little(path: Path) -> None:
    file = read_lane_file(path)
    assert (file.name, file.submit, file.array) == ("site", ("sbatch", "{script}"), False)
    assert file.defaults == {"time": "24:00:00", "gpus": 1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("title: Our cluster", "titel: x"), "title is missing; add it"),
        (("kind: cluster", "kind: cluster\nshell: x"), "no key shell; it has name, title"),
        (("kind: cluster", "kind: local"), "kind is 'local', expected 'cluster'"),
        (("name: site", "name: Site 1"), "name is 'Site 1'"),
        (("name: site", "name: ../x"), "name is '../x'"),
        (("name: site", "name: gpu-0"), "gpu-0 is a lane of this machine"),
        (
            ('[sbatch, "{script}"]', 'sbatch "{script}"'),
            "submit is 'sbatch \"{script}\"', expected",
        ),
        (('[sbatch, "{script}"]', "[]"), "submit is []"),
        (("{script}", "script"), "submit: has no {script}"),
        (("{script}", "{skript}"), "no placeholder {skript}"),
        (("--name={job_name}", "--name"), "find: has no {job_name}"),
        (("--jobs={ids}", "--jobs"), "status: has no {ids}"),
        (('scancel, "{id}"', "scancel"), "cancel: has no {id}"),
        ((r"'(\d+)'", r"'\d+'"), "id_pattern: needs one group"),
        ((r"'(\d+)'", r"'(\d+'"), "no regular expression"),
        (("(?P<id>", "("), "state_pattern: needs a group (?P<id>...)"),
        (("pending: [PENDING], ", ""), "states.pending is missing"),
        (("{time: 24", "{TIME: 24"), "defaults: 'TIME' is no name"),
        (("help: {gpus", "help: {gpu"), "help: gpu is not among the defaults"),
        (("{time: 24:00:00", "{time: [1]"), "defaults.time"),
        (("title: Our", f"title: {'x' * 5000}"), "title is 'xxx"),
    ],
)
def test_the_first_mistake_is_told_with_its_place(
    path: Path, change: tuple[str, str], said: str
) -> None:
    assert change[0] in GOOD
    path.write_text(GOOD.replace(change[0], change[1], 1))
    with pytest.raises(InputFileError, match=re.escape(said)) as caught:
        read_lane_file(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_a_command_that_reads_its_input_needs_no_script(path: Path) -> None:
    path.write_text(GOOD.replace('[sbatch, "{script}"]', "[bsub]\nscript_on_stdin: true"))
    assert read_lane_file(path).script_on_stdin


@pytest.mark.parametrize(
    "name", ["cpu", "gpu", "gpu-3", "gpu12", "local", "", "-a", "1a", "a" * 41]
)
def test_names_of_other_lanes_and_no_names_are_told(name: str) -> None:
    assert not is_lane_name(name)
    assert is_lane_name(f"x{name}"[:40])
