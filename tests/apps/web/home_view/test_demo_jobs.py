"""The demo as jobs of a project."""

from itertools import pairwise
from pathlib import Path

import pytest

from icelens.apps.web.home_view.demo_jobs import queue_demo
from icelens.jobs.project.queue import Queue


@pytest.fixture
def queue(project):
    return Queue(project)


def by_name(entries):
    return {entry.job: entry for entry in entries}


def test_the_steps_of_restoring_wait_for_each_other(queue):
    entries = queue_demo(queue, "restore")
    jobs = [entry.job for entry in entries]
    assert jobs[:5] == [
        "simulate.tomograms",
        "restore.prepare",
        "restore.mask",
        "restore.refine",
        "restore.predict",
    ]
    assert jobs.count("tools.fsc") == 2
    assert [entry.state for entry in entries] == ["queued"] + ["waiting"] * (len(entries) - 1)
    for earlier, later in pairwise(entries[:5]):
        assert earlier.number in later.after
    predict = by_name(entries)["restore.predict"].number
    assert all(predict in entry.after for entry in entries if entry.job == "tools.fsc")


def test_its_paths_lie_in_the_project(queue):
    for entry in queue_demo(queue, "all"):
        for value in entry.settings.values():
            if isinstance(value, str) and "/" in value:
                assert value.startswith(("demo/", "jobs/")), entry.job
                assert not Path(value).is_absolute()


def test_all_four_capabilities_are_shown(queue):
    entries = queue_demo(queue, "all")
    assert {entry.task for entry in entries} >= {"restore", "pick", "pose", "hetero"}
    found = by_name(entries)
    assert found["restore.predict"].number in found["pick.train"].after
    assert [entry.state for entry in entries if not entry.after] == ["queued"] * 3
    assert found["hetero.train"].number in found["hetero.analyze"].after


def test_a_second_demo_has_a_folder_of_its_own(queue):
    first = queue_demo(queue, "restore")[0]
    second = queue_demo(queue, "restore")[0]
    assert first.settings["output"] == "demo/simulated"
    assert second.settings["output"] == "demo-2/simulated"
