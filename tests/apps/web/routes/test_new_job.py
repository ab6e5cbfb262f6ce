"""Tests of apps/web/routes/new_job.py."""

import html
import json
import re

import pytest
from apps.web.direct_worker import DirectWorkers
from starlette.testclient import TestClient

from icelens.apps.web.access import Access
from icelens.apps.web.app import create_app
from icelens.apps.web.workbench import Workbench
from icelens.jobs.registry import find_job, tasks

STAR = {"job": "restore.refine", "values": {"star": "a.star"}}


def test_jobs_are_offered_the_four_capabilities_first(client: TestClient) -> None:
    text = client.get("/jobs/new").text
    places = [text.index(f'data-task="{task}"') for task in ("restore", "pick", "pose", "hetero")]
    assert places == sorted(places)
    assert text.index('data-task="tools"') > places[-1]


def test_jobs_of_every_task_have_a_form(client: TestClient) -> None:
    # fields of every job are made in the tests of fields
    chosen = [jobs[-1] for jobs in tasks().values()] + [find_job("hetero.train")]
    for job in chosen:
        answer = client.get("/jobs/new", params={"job": job.name})
        assert answer.status_code == 200, job.name
        assert html.escape(job.summary, quote=False)[:40] in html.unescape(answer.text)
        assert " style=" not in answer.text


def test_the_api_tells_the_fields_of_a_form(client: TestClient) -> None:
    answer = client.get("/api/forms/restore.refine").json()
    fields = {field["key"]: field for field in answer["fields"]}
    assert fields["star"]["kinds"] == ["tomograms"]
    assert client.get("/api/forms/no.job").status_code == 404


def test_a_hostile_title_and_input_are_only_text(client: TestClient, bench: Workbench) -> None:
    evil = '"><script>alert(1)</script>'
    bench.queue.submit("restore.refine", {"star": evil}, title=evil, is_draft=True)
    for query in ({"draft": "1"}, {"clone": "1"}, {"job": "restore.refine", "input": evil}):
        answer = client.get("/jobs/new", params=query)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
    assert "<script>alert" not in client.get("/jobs/new", params={"input": evil}).text


def test_jobs_that_are_not_there_have_no_form(client: TestClient) -> None:
    assert client.get("/jobs/new", params={"job": "no.job"}).status_code == 404
    assert client.get("/jobs/new", params={"clone": "9"}).status_code == 404
    assert client.get("/jobs/new", params={"draft": "99999999999999999999"}).status_code == 422


def test_a_check_tells_command_warnings_and_problems(client: TestClient) -> None:
    answer = client.post("/api/ask/check", json=STAR).json()
    assert answer["command"].startswith("icelens restore refine --star a.star --output jobs/0001")
    assert answer["warnings"] == [{"field": "star", "message": "a.star does not exist"}]
    wrong = {"job": "restore.refine", "values": {"epochs": "x"}}
    problems = client.post("/api/ask/check", json=wrong).json()["problems"]
    assert {problem["field"] for problem in problems} == {"star", "epochs"}


def test_an_estimate_comes_from_the_job(client: TestClient, bench: Workbench) -> None:
    bench.worker = DirectWorkers()
    question = {"job": "simulate.tomograms", "values": {"shape": "16,32,32"}}
    assert client.post("/api/ask/estimate", json=question).json()["seconds"] > 0
    wrong = {"job": "simulate.tomograms", "values": {"shape": "1"}}
    assert client.post("/api/ask/estimate", json=wrong).status_code == 422


def test_a_job_is_queued_drafted_and_edited(client: TestClient) -> None:
    answer = client.post("/api/jobs", json=STAR | {"title": "mine", "priority": 2})
    assert answer.status_code == 201
    assert answer.json()["state"] == "queued"
    draft = client.post("/api/jobs", json={"job": "restore.refine", "is_draft": True}).json()
    assert (draft["number"], draft["state"]) == (2, "draft")
    edited = client.put("/api/jobs/2", json=STAR | {"is_draft": False})
    assert edited.json()["state"] == "queued"
    assert client.put("/api/jobs/77", json=STAR).status_code == 404


def test_mistakes_are_told_as_problems_and_nothing_is_queued(
    client: TestClient, bench: Workbench
) -> None:
    body = {"job": "restore.refine", "values": {"star": "/etc/x", "epochs": "x"}, "lane": "no"}
    answer = client.post("/api/jobs", json=body)
    assert answer.status_code == 422
    fields = {problem["field"] for problem in answer.json()["problems"]}
    assert fields == {"star", "epochs", "lane"}
    assert bench.queue.entries() == []


@pytest.mark.parametrize(
    "body",
    [
        {"job": "no.job"},
        {"job": "restore.refine", "values": {"star": 3}},
        {"job": "restore.refine", "values": [], "x": 1},
        {"job": "restore.refine", "priority": 10**30},
        {"job": "restore.refine", "after": [-1]},
        {"job": "restore.refine", "after": [2**53 - 1], "values": {"star": "a"}},
        {"job": "restore.refine", "title": "\ud800", "is_draft": True},
        {"job": "restore.refine", "values": {"epochs": "9" * 10_000}},
        {"job": "restore.refine", "variables": {"x": []}},
        {"job": "restore.refine", "lane": "cpu\0"},
    ],
)
def test_hostile_bodies_are_refused(client: TestClient, body: dict[str, object]) -> None:
    # as ASCII: a lone surrogate is text to JSON and to no encoding
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/jobs", content=json.dumps(body), headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]


def test_a_workbench_for_looking_checks_but_queues_nothing(bench: Workbench) -> None:
    access = Access(8642, is_read_only=True)
    app = create_app(bench, access, dispatches=False)
    host = "127.0.0.1:8642"
    headers = {"Host": host, "Origin": f"http://{host}"}
    with TestClient(app, base_url=f"http://{host}", headers=headers) as client:
        client.cookies.set(access.cookie, access.token)
        assert client.post("/api/ask/check", json=STAR).status_code == 200
        assert client.post("/api/jobs", json=STAR).status_code == 403


def test_a_form_takes_several_inputs_each_for_its_setting(client: TestClient) -> None:
    pairs = "input=e&setting=even&input=o&setting=odd"
    text = client.get(f"/jobs/new?job=restore.prepare&{pairs}").text
    assert re.search(r'id="f-even"[^>]* value="e"', text)
    assert re.search(r'id="f-odd"[^>]* value="o"', text)
