"""The picture of the lineage: links, states in words, one job's part of it, hostile names."""

import pytest
from project_jobs import add_job


def chain(project):
    add_job(project, "pose.train", settings={"particles": "p.star", "output": "jobs/0001"})
    add_job(project, "pose.infer", settings={"model": "jobs/0001"}, state="failed")
    add_job(project, "pose.infer", settings={"model": "jobs/0001"}, state="queued")


def test_jobs_and_files_are_linked(client, project):
    chain(project)
    answer = client.get("/api/lineage").json()
    links = {(link["source"], link["target"]) for link in answer["links"]}
    assert links == {("file:p.star", "job:1"), ("job:1", "job:2"), ("job:1", "job:3")}


def test_the_page_says_states_in_words_and_links_to_jobs(client, project):
    chain(project)
    page = client.get("/lineage").text
    assert "✕ failed" in page
    assert 'href="/jobs/2"' in page
    assert 'aria-label="J2, pose.infer, pose.infer, failed"' in page


def test_the_picture_comes_alone_to_replace_an_older_one(client, project):
    chain(project)
    piece = client.get("/lineage", params={"is_piece": "true"}).text
    assert piece.lstrip().startswith("<svg")
    assert "<html" not in piece


def test_around_one_job_its_neighbours_are_left_out(client, project):
    chain(project)
    nodes = client.get("/api/lineage", params={"job": 2}).json()["nodes"]
    assert {node["key"] for node in nodes} == {"file:p.star", "job:1", "job:2"}
    assert "Whole project" in client.get("/lineage?job=2").text


def test_an_empty_project_says_what_this_page_will_show(client):
    assert "No jobs yet" in client.get("/lineage").text
    assert client.get("/api/lineage").json() == {"nodes": [], "links": []}


@pytest.mark.parametrize(("job", "status"), [("9", 404), ("0", 422), ("-1", 422), ("x", 422)])
def test_jobs_that_do_not_exist_have_no_lineage(client, project, job, status):
    chain(project)
    assert client.get(f"/api/lineage?job={job}").status_code == status
    assert client.get(f"/lineage?job={job}").status_code == status


def test_jobs_that_wait_for_each_other_are_drawn(client, project):
    add_job(project, "pose.train", state="waiting")
    add_job(project, "pose.train", state="waiting", after=(1,))
    from icelens.jobs.project import changes

    with project.connection(is_write=True) as connection:
        changes.set_waits(connection, 1, [2])
    page = client.get("/lineage")
    assert page.status_code == 200
    assert "wire back" in page.text


def test_long_and_hostile_names_are_cut_and_escaped(client, project):
    name = "</title><script>alert(1)</script>" + "w" * 150
    add_job(project, "pose.train", title=name, settings={"particles": f"{name[-90:]}.star"})
    page = client.get("/lineage").text
    assert "<script>alert" not in page
    assert "w…" in page
