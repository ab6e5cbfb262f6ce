"""The page of jobs, its pieces, and the list as JSON."""

import pytest
from project_jobs import add_job

from icelens.jobs.project.queue import Queue

HOSTILE = "<script>alert('x')</script> & \"quotes\""


def test_no_jobs_are_said_to_be_none(client):
    assert "No jobs yet." in client.get("/jobs?view=table").text
    assert client.get("/jobs").text.count('class="column"') == 5
    assert client.get("/api/jobs").json()["jobs"] == []


@pytest.mark.parametrize("place", ["/jobs?view=board", "/jobs?view=table", "/fragments/jobs", "/"])
def test_hostile_titles_and_causes_are_only_text(client, project, place):
    from icelens.jobs.project import changes

    number = add_job(project, state="failed", title=HOSTILE)
    with project.connection(is_write=True) as connection:
        changes.update(connection, number, {"cause": HOSTILE, "lane": HOSTILE})
    text = client.get(place).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("state", ["draft", "queued", "waiting", "running", "stopped", "done"])
def test_every_state_is_shown_in_both_views(client, project, state):
    add_job(project, state=state, title="the job")
    for view in ("board", "table"):
        text = client.get(f"/jobs?view={view}").text
        assert "the job" in text
        assert f'class="state {state}"' in text


def test_the_table_is_paged(client, project):
    for _ in range(103):
        add_job(project)
    first = client.get("/jobs?view=table").text
    assert 'id="job-103"' in first
    assert 'id="job-3"' not in first
    assert "1 to 100 of 103" in first
    last = client.get("/jobs?view=table&offset=100").text
    assert 'id="job-3"' in last
    assert "No job fits" in client.get("/jobs?view=table&offset=200&text=nothing").text


def test_the_chosen_view_is_remembered_in_a_cookie(client, project):
    add_job(project)
    client.cookies.set("icelens_view", "table")
    assert 'data-view="table"' in client.get("/fragments/jobs?view=table").text
    assert "<table" in client.get("/jobs").text
    assert "<table" not in client.get("/jobs?view=board").text


def test_changed_jobs_come_alone(client, project):
    first, second = add_job(project), add_job(project, state="failed")
    text = client.get(f"/fragments/jobs/some?view=board&numbers={first},{second},99").text
    assert text.count("<article") == 2
    rows = client.get(f"/fragments/jobs/some?view=table&state=failed&numbers={first},{second}").text
    assert f'id="job-{second}"' in rows
    assert f'id="job-{first}"' not in rows
    assert client.get("/fragments/jobs/some").status_code == 200


@pytest.mark.parametrize("numbers", ["a", "1;2", "1 2", "-1", "1,2'"])
def test_numbers_that_are_none_are_refused(client, numbers):
    assert client.get("/fragments/jobs/some", params={"numbers": numbers}).status_code == 422


def test_the_list_is_filtered_sorted_and_counted(client, project):
    for state, title in (("done", "b"), ("failed", "a"), ("failed", "c")):
        add_job(project, state=state, title=title)
    query = {"state": "failed", "sort": "title", "ascending": True, "limit": 1}
    answer = client.get("/api/jobs", params=query).json()
    assert [job["title"] for job in answer["jobs"]] == ["a"]
    assert answer["total"] == 2
    assert answer["counts"]["done"] == 1
    both = client.get("/api/jobs?state=failed&state=done").json()
    assert both["total"] == 3


def test_text_is_searched_for_as_it_is(client, project):
    add_job(project, title="100 % of it_all")
    add_job(project, title="another")
    for text, count in (("100 %", 1), ("%", 1), ("_", 1), ("J2", 1), ("'; DROP TABLE jobs", 0)):
        assert client.get("/api/jobs", params={"text": text}).json()["total"] == count


@pytest.mark.parametrize(
    "query",
    ["state=odd", "sort=mood", "limit=0", "limit=100000", "offset=-1", "offset=1e9", "numbers=x"],
)
def test_questions_of_no_sense_are_refused(client, query):
    assert client.get(f"/api/jobs?{query}").status_code == 422


def test_numbers_that_no_job_can_have_are_refused_in_one_line(client):
    answer = client.get("/api/jobs", params={"numbers": "9" * 19 + "," + "1" * 300})
    assert answer.status_code == 422
    assert "is no number of a job" in answer.json()["error"]


def test_glances_have_picture_and_curve(client, project):
    number = add_job(project, metrics='{"step": 1, "loss": 2}\n{"step": 2, "loss": NaN}\nhalf')
    (project.folder / f"jobs/{number:04d}/a b.png").write_bytes(b"x")
    glance = client.get(f"/api/glances?numbers={number},99").json()["glances"][str(number)]
    assert glance["picture"].startswith(f"/files/raw?file=jobs%2F{number:04d}%2Fa+b.png")
    assert (glance["curve"], glance["values"]) == ("loss", [2.0, None])


def test_a_job_whose_folder_went_away_has_an_empty_glance(client, project, tmp_path):
    gone, outside = add_job(project), add_job(project, folder=str(tmp_path / "out"))
    (project.folder / f"jobs/{gone:04d}").rmdir()
    (tmp_path / "out" / "x.png").write_bytes(b"x")
    glances = client.get(f"/api/glances?numbers={gone},{outside}").json()["glances"]
    assert all(each["picture"] == "" and each["values"] == [] for each in glances.values())


def test_the_trash_is_shown_and_emptied(client, project):
    number = add_job(project, title="thrown away")
    Queue(project).remove(number)
    assert "thrown away" not in client.get("/jobs").text
    assert "thrown away" in client.get("/jobs?trash=1").text
    assert client.get("/api/jobs?removed=true").json()["total"] == 1
    assert client.request("DELETE", "/api/trash").json() == {"deleted": 1}
    assert "The trash is empty." in client.get("/jobs?trash=1").text
