"""Lanes as gauges."""

from project_jobs import add_job

from icelens.apps.web.home_view.lanes import lane_gauges
from icelens.jobs.project import changes


def test_each_lane_says_what_it_does(bench, project):
    (project.folder / "lanes.yaml").write_text("cpu: 2\n")
    add_job(project, state="running")
    number = add_job(project, state="queued")
    with project.connection(is_write=True) as connection:
        changes.update(connection, number, {"lane": "bigcluster"})
    gauges, trouble = lane_gauges(bench)
    found = {gauge.name: gauge for gauge in gauges}
    assert trouble == ""
    assert found["bigcluster"].queued == 1
    assert sum(gauge.running for gauge in gauges) == 1
    assert found["cpu"].slots == 2
    assert found["cpu"].sentence.startswith("CPU: ")


def test_lanes_that_are_wrongly_described_are_said_to_be(bench, project):
    (project.folder / "lanes.yaml").write_text("cpu: many\n")
    gauges, trouble = lane_gauges(bench)
    assert gauges == []
    assert "lanes.yaml" in trouble
