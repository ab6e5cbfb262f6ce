"""Tests of jobs/project/sharing.py and shared_jobs.py."""

import pytest

from icelens.jobs.project.queue import Queue
from icelens.jobs.project.shared_jobs import submit_shares
from icelens.jobs.project.sharing import SharingError, shares
from icelens.jobs.registry import all_jobs, find_job


def test_each_job_that_can_be_shared_names_a_setting_it_has() -> None:
    shared = {job.name: job for job in all_jobs() if job.shared_by}
    assert {"restore.predict", "pick.search", "pose.watch"} <= set(shared)
    for job in shared.values():
        assert job.shared_by in job.config_type.model_fields


def test_tomograms_are_dealt_out() -> None:
    found = shares(find_job("restore.predict"), {}, "jobs/7", 2)
    assert found == [
        {"tomograms": "1/2", "output": "jobs/7/part_1"},
        {"tomograms": "2/2", "output": "jobs/7/part_2"},
    ]
    with pytest.raises(SharingError, match="leave it out"):
        shares(find_job("restore.predict"), {"tomograms": "1-3"}, "jobs/7", 2)


def test_workers_of_a_search_share_its_storage() -> None:
    found = shares(find_job("pick.search"), {}, "jobs/7", 2)
    assert {each["storage"] for each in found} == {"jobs/7/trials.log"}
    assert len({each["output"] for each in found}) == 2
    given = shares(find_job("pick.search"), {"storage": "postgresql://host/name"}, "jobs/7", 1)
    assert given[0]["storage"] == "postgresql://host/name"


def test_watchers_share_their_folder() -> None:
    assert shares(find_job("pose.watch"), {}, "jobs/7", 2) == [{}, {}]


def test_what_cannot_be_shared_is_refused_before_anything_is_queued(queue: Queue) -> None:
    with pytest.raises(SharingError, match="cannot be shared"):
        submit_shares(queue, find_job("simulate.tomograms"), {}, ["cpu", "cpu"])
    assert queue.entries() == []


def test_a_folder_watched_by_several_lanes_is_one_folder(queue: Queue) -> None:
    settings = {"folder": "incoming", "model": "model"}
    entries = submit_shares(queue, find_job("pose.watch"), settings, ["gpu-0", "gpu-1"])
    assert [entry.lane for entry in entries] == ["gpu-0", "gpu-1"]
    assert len({entry.settings["output"] for entry in entries}) == 1
    assert [entry.title for entry in entries] == ["pose watch 1/2", "pose watch 2/2"]
