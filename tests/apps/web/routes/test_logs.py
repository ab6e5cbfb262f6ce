"""Logs of a job over the interface."""

import pytest
from project_jobs import add_job


@pytest.fixture
def number(project):
    number = add_job(project)
    (project.folder / f"jobs/{number:04d}/log.txt").write_text(
        "2026-01-01T10:00:00+00:00 INFO    one\n2026-01-01T10:00:01+00:00 ERROR   two\n"
    )
    control = project.control(number)
    control.mkdir(parents=True)
    (control / "out.txt").write_text("10%\r20%")
    (control / "err-3.txt").write_text("task three\n")
    return number


def test_the_end_of_the_log_has_levels_and_times(client, number):
    lines = client.get(f"/api/jobs/{number}/log").json()["lines"]
    assert [(line["level"], line["text"]) for line in lines] == [("info", "one"), ("error", "two")]


def test_what_was_printed_and_errors_are_streams_of_their_own(client, number):
    out = client.get(f"/api/jobs/{number}/log?stream=out").json()
    assert (out["lines"], out["partial"]) == ([], "20%")
    assert client.get(f"/api/jobs/{number}/log?stream=err").json()["lines"] == []
    task = client.get(f"/api/jobs/{number}/log?stream=err&task=3").json()
    assert task["lines"][0]["text"] == "task three"


def test_pieces_before_after_and_around_are_given(client, number):
    end = client.get(f"/api/jobs/{number}/log?limit=1").json()
    assert [line["text"] for line in end["lines"]] == ["two"]
    before = client.get(f"/api/jobs/{number}/log?before={end['start']}").json()
    assert [line["text"] for line in before["lines"]] == ["one"]
    after = client.get(f"/api/jobs/{number}/log?after={end['end']}&file_id={end['file_id']}").json()
    assert after["lines"] == []
    around = client.get(f"/api/jobs/{number}/log?around={end['start']}").json()
    assert len(around["lines"]) == 2


def test_a_log_is_searched_and_downloaded(client, number):
    found = client.get(f"/api/jobs/{number}/log/search?text=TWO").json()
    assert [line["text"] for line in found["lines"]] == ["two"]
    whole = client.get(f"/api/jobs/{number}/log/file")
    assert whole.text.count("\n") == 2
    assert whole.headers["content-disposition"] == f'attachment; filename="J{number}-log.txt"'
    assert client.get(f"/api/jobs/{number}/log/file?stream=err").status_code == 422


def test_a_log_that_links_out_of_the_roots_is_refused(client, project, tmp_path):
    (tmp_path / "secret").write_text("secret\n")
    number = add_job(project)
    (project.folder / f"jobs/{number:04d}/log.txt").symlink_to(tmp_path / "secret")
    for place in ("log", "log/file", "log/search?text=s"):
        answer = client.get(f"/api/jobs/{number}/{place}")
        assert answer.status_code == 403
        assert "secret\n" not in answer.text
    assert client.get(f"/jobs/{number}").status_code == 200


@pytest.mark.parametrize(
    "query",
    ["stream=passwd", "before=-1", "after=x", "limit=0", "limit=99999", "task=-1", "task=../1"],
)
def test_questions_of_no_sense_are_refused(client, number, query):
    assert client.get(f"/api/jobs/{number}/log?{query}").status_code == 422


def test_a_job_that_does_not_exist_has_no_log(client):
    assert client.get("/api/jobs/99/log").status_code == 404
