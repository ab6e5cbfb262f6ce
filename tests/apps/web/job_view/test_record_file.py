"""The record of a run, without trust."""

import pytest
from project_jobs import add_job

from icelens.apps.web.job_view.record_file import as_json, read_record_file
from icelens.apps.web.roots import Roots
from icelens.jobs.project.queue import Queue


def record_of(project, number):
    return read_record_file(Roots.of(project.folder), Queue(project).get(number))


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"', "[" * 100_000, '{"a": 1', "\x00"])
def test_a_damaged_record_is_said_to_be_so(project, text):
    number = add_job(project)
    (project.folder / f"jobs/{number:04d}/run.json").write_text(text)
    found = record_of(project, number)
    assert found.content == {}
    assert "is damaged" in found.trouble


def test_a_folder_that_was_deleted_by_hand_is_said_to_be_gone(project):
    number = add_job(project)
    (project.folder / f"jobs/{number:04d}").rmdir()
    assert "the folder is gone" in record_of(project, number).trouble


def test_the_folder_of_a_removed_job_is_said_to_be_in_the_trash(project):
    number = add_job(project)
    Queue(project).remove(number)
    if (project.folder / f"jobs/{number:04d}").exists():
        (project.folder / f"jobs/{number:04d}").rmdir()
    assert "in the trash" in record_of(project, number).trouble


def test_a_folder_that_another_job_took_is_not_taken_for_this_one(project):
    number = add_job(project, "restore.refine", record={"job": "pick.train"})
    assert "another job" in record_of(project, number).trouble


def test_a_folder_outside_the_roots_is_not_read(project, tmp_path):
    number = add_job(project, folder=str(tmp_path / "elsewhere"), record={"versions": {"a": "b"}})
    found = record_of(project, number)
    assert found.content == {}
    assert "outside the folders" in found.trouble


def test_a_record_that_links_out_of_the_roots_is_not_read(project, tmp_path):
    (tmp_path / "secret.json").write_text('{"job": "restore.refine", "versions": {"a": "b"}}')
    number = add_job(project)
    (project.folder / f"jobs/{number:04d}/run.json").symlink_to(tmp_path / "secret.json")
    assert record_of(project, number).content == {}


def test_parts_of_the_wrong_form_count_as_not_said(project):
    record = {"versions": [1], "inputs": {"a": 1}, "citations": ["x", 5], "seed": "1", "command": 3}
    number = add_job(project, record=record)
    found = record_of(project, number)
    assert found.texts("versions") == {}
    assert found.rows("inputs") == []
    assert found.words("citations") == ["x"]
    assert found.number("seed") is None
    assert found.text("command") == ""


def test_values_become_what_json_can_hold():
    deep = [1]
    for _ in range(100):
        deep = [deep]
    assert as_json({"a": float("nan"), "b": (1, float("inf")), 3: None}) == {
        "a": None,
        "b": [1, None],
        "3": None,
    }
    assert "null" not in str(as_json(deep))
