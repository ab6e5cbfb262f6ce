"""Jobs beside each other on a page and by the API, with their pictures."""

import pytest
from project_jobs import add_job

from icelens.jobs.project.trash import Trash

PNG = b"\x89PNG\r\n\x1a\n"


def two_jobs(project):
    return [
        add_job(project, settings={"epochs": n}, record={"seconds": 10.0 * n}, title=f"run {n}")
        for n in (1, 2)
    ]


def test_the_first_difference_is_named(client, project):
    two_jobs(project)
    answer = client.get("/api/compare", params={"jobs": "1,2"}).json()
    assert answer["labels"] == ["J1", "J2"]
    assert answer["settings"][0] == {"name": "epochs", "values": ["1", "2"], "differs": True}
    page = client.get("/compare?jobs=1,2").text
    assert "First difference: <strong>epochs</strong>" in page


def test_jobs_may_be_ticked_one_by_one(client, project):
    two_jobs(project)
    assert "First difference" in client.get("/compare?jobs=1&jobs=J2").text


@pytest.mark.parametrize("query", ["", "?jobs=", "?jobs=1", "?jobs=1,1"])
def test_with_fewer_than_two_jobs_there_is_a_choice(client, project, query):
    two_jobs(project)
    page = client.get(f"/compare{query}")
    assert page.status_code == 200
    assert page.text.count('type="checkbox"') == 2


def test_a_project_with_one_job_has_nothing_to_compare(client, project):
    add_job(project)
    assert "Two jobs are needed" in client.get("/compare").text


@pytest.mark.parametrize(
    ("jobs", "status"),
    [
        ("1,99", 404),
        ("x", 422),
        ("1;2", 422),
        ("٣", 422),
        ("1,2,3,4,5,6,7,8,9", 422),
        ("9" * 40, 422),
    ],
)
def test_numbers_that_are_none_are_refused(client, project, jobs, status):
    two_jobs(project)
    assert client.get("/api/compare", params={"jobs": jobs}).status_code == status
    assert client.get("/compare", params={"jobs": f"1,{jobs}"}).status_code == status


def test_a_queued_job_is_compared_by_its_settings(client, project):
    add_job(project, settings={"epochs": 1}, record={})
    add_job(project, settings={"epochs": 3}, state="queued")
    answer = client.get("/api/compare", params={"jobs": "1,2"}).json()
    assert answer["settings"][0]["values"] == ["1", "3"]


def test_a_damaged_record_does_not_hide_the_job(client, project):
    two_jobs(project)
    (project.folder / "jobs/0001/run.json").write_text("{")
    answer = client.get("/api/compare", params={"jobs": "1,2"})
    assert answer.json()["settings"][0]["values"] == ["1", "2"]


def test_pictures_stand_side_by_side_and_are_served(client, project):
    two_jobs(project)
    (project.folder / "jobs/0001/loss & more.png").write_bytes(PNG)
    page = client.get("/compare?jobs=1,2").text
    assert "No such picture" in page
    answer = client.get("/compare/picture", params={"job": 1, "name": "loss & more.png"})
    assert answer.content == PNG
    assert answer.headers["content-type"] == "image/png"


@pytest.mark.parametrize("name", ["../0002/a.png", "/etc/passwd", "run.json", "link.png", "", "\0"])
def test_only_pictures_of_the_job_are_served(client, project, name, tmp_path):
    two_jobs(project)
    (tmp_path / "secret.png").write_bytes(PNG)
    (project.folder / "jobs/0001/link.png").symlink_to(tmp_path / "secret.png")
    answer = client.get("/compare/picture", params={"job": 1, "name": name})
    assert answer.status_code == 422


def test_very_long_and_hostile_texts_stay_texts(client, project):
    hostile = "<img src=x onerror=alert(1)>" + "y" * 3000
    for n in (1, 2):
        add_job(project, title=hostile, settings={hostile: n, "a": hostile}, record={})
    text = client.get("/compare?jobs=1,2").text
    assert "<img src=x" not in text
    assert 'onerror=alert(1)">' not in text


def test_a_job_in_the_trash_can_still_be_compared(client, project):
    two_jobs(project)
    Trash(project).remove(1)
    assert client.get("/api/compare", params={"jobs": "1,2"}).status_code == 200
