"""The start page, the demo and the gauges."""

import pytest
from project_jobs import add_job

from icelens.jobs.project.queue import Queue


def test_an_empty_project_offers_the_demo_and_a_folder(client):
    text = client.get("/").text
    assert "Use the demo data" in text
    assert "Choose a folder" in text
    assert client.get("/fragments/home").status_code == 200


def test_what_runs_what_failed_and_what_is_next_are_said(client, project):
    add_job(project, "restore.prepare", settings={"star": "t.star"})
    add_job(project, "pick.train", state="running", title="it runs")
    add_job(project, "pose.train", state="failed", title="it failed")
    text = client.get("/").text
    assert "Use the demo data" not in text
    for words in ("it runs", "it failed", "/jobs/new?job=restore.mask"):
        assert words in text


def test_the_demo_is_queued_at_one_click(client, project):
    answer = client.post("/api/demo?part=restore")
    assert answer.status_code == 201
    assert len(Queue(project).entries()) == len(answer.json()["jobs"]) > 5
    assert client.post("/api/demo?part=everything").status_code == 422


def test_the_demo_asks_for_our_own_page(client, project):
    answer = client.post("/api/demo", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert Queue(project).entries() == []


@pytest.mark.parametrize("content", ["cpu: 2", "cpu: many", "- x", "\x00"])
def test_gauges_are_drawn_whatever_lanes_are_described(client, project, content):
    (project.folder / "lanes.yaml").write_text(content)
    add_job(project, state="running")
    answer = client.get("/fragments/lanes")
    assert answer.status_code == 200
    assert "1 running" in answer.text
