"""The page of a job, and what can be done with it."""

import pytest
from project_jobs import add_job

from icelens.jobs.project import changes
from icelens.jobs.project.queue import Queue

HOSTILE = "<img src=x onerror=alert(1)>"


def state_of(project, number):
    return Queue(project).get(number).state


@pytest.mark.parametrize(
    "state", ["draft", "queued", "waiting", "running", "stopped", "failed", "done"]
)
def test_the_page_of_any_job_opens(client, project, state):
    number = add_job(project, state=state, record={"versions": {"icelens": "1"}})
    text = client.get(f"/jobs/{number}").text
    assert f'class="state {state}"' in text
    assert client.get(f"/fragments/jobs/{number}").status_code == 200


def test_a_failed_job_begins_with_its_cause_the_remedy_and_the_last_lines(client, project):
    number = add_job(project, state="failed")
    with project.connection(is_write=True) as connection:
        changes.update(connection, number, {"cause": "disk is full", "remedy": "Free some space."})
    (project.folder / f"jobs/{number:04d}/log.txt").write_text("one\nthe last words\n")
    text = client.get(f"/jobs/{number}").text
    places = [text.index(each) for each in ("disk is full", "Free some space.", "the last words")]
    assert places == sorted(places)
    assert places[-1] < text.index('id="log"')


def test_without_a_log_the_errors_that_were_printed_are_shown(client, project):
    number = add_job(project, state="failed")
    control = project.control(number)
    control.mkdir(parents=True)
    (control / "err.txt").write_text("Traceback (most recent call last):\nValueError: so\n")
    assert "ValueError: so" in client.get(f"/jobs/{number}").text


def test_hostile_texts_anywhere_are_only_text(client, project):
    record = {
        "versions": {HOSTILE: HOSTILE},
        "machine": {"system": HOSTILE},
        "command": HOSTILE,
        "inputs": [{"setting": HOSTILE, "path": HOSTILE}],
        "outputs": [{"path": HOSTILE, "kind": HOSTILE}],
    }
    number = add_job(project, "old.gone", record=record, title=HOSTILE, settings={HOSTILE: HOSTILE})
    (project.folder / f"jobs/{number:04d}/{HOSTILE.replace('/', '')}.png").write_bytes(b"x")
    text = client.get(f"/jobs/{number}").text
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"outputs": [[]], "config": 5, "inputs": {}}'])
def test_a_damaged_record_does_not_hide_the_job(client, project, text):
    number = add_job(project, title="my job")
    (project.folder / f"jobs/{number:04d}/run.json").write_text(text)
    (project.folder / f"jobs/{number:04d}/metrics.jsonl").write_bytes(b"\xff\x00{")
    answer = client.get(f"/jobs/{number}")
    assert answer.status_code == 200
    assert "my job" in answer.text


def test_a_job_whose_folder_was_deleted_says_so(client, project):
    number = add_job(project)
    (project.folder / f"jobs/{number:04d}").rmdir()
    assert "the folder is gone" in client.get(f"/jobs/{number}").text


def test_a_job_that_no_longer_exists_can_be_seen_but_not_started(client, project):
    number = add_job(project, "old.gone", settings={"a": 1})
    text = client.get(f"/jobs/{number}").text
    assert "does not have the job" in text
    assert 'data-act="resume"' not in text
    assert client.post(f"/api/jobs/{number}/resume").status_code == 404


def test_results_open_in_view_and_feed_other_jobs(client, project):
    outputs = [{"path": "poses.star", "kind": "particle list"}]
    number = add_job(project, "pose.infer", record={"outputs": outputs})
    (project.folder / f"jobs/{number:04d}/poses.star").touch()
    text = client.get(f"/jobs/{number}").text
    assert "/view/particles?file=" in text
    assert "/jobs/new?job=hetero.train&amp;input=" in text


def test_pictures_by_epoch_have_a_slider(client, project):
    number = add_job(project)
    for step in (1, 2):
        (project.folder / f"jobs/{number:04d}/TS_step_{step}_slices.png").write_bytes(b"x")
    text = client.get(f"/jobs/{number}").text
    assert 'type="range"' in text
    assert text.count("data-step=") == 2


def test_who_waits_for_whom_is_said(client, project):
    first = add_job(project, state="running", title="the first")
    second = add_job(project, state="waiting", title="the second", after=(first,))
    assert "the second" in client.get(f"/jobs/{first}").text
    assert "the first" in client.get(f"/jobs/{second}").text


def test_a_draft_is_started_stopped_resumed_removed_and_put_back(client, project):
    (project.folder / "t.star").touch()
    number = add_job(project, "restore.mask", state="draft", settings={"star": "t.star"})
    states = []
    for action in ("start", "cancel", "resume", "remove", "restore"):
        answer = client.post(f"/api/jobs/{number}/{action}")
        assert answer.status_code == 200, answer.text
        states.append((answer.json()["state"], bool(answer.json()["removed"])))
    assert states == [
        ("queued", False),
        ("stopped", False),
        ("queued", False),
        ("stopped", True),
        ("stopped", False),
    ]


def test_a_job_that_waits_its_turn_may_run_now(client, project):
    (project.folder / "t.star").touch()
    number = add_job(project, "restore.mask", state="draft", settings={"star": "t.star"})
    answer = client.post(f"/api/jobs/{number}/now").json()
    assert (answer["state"], answer["run_now"]) == ("queued", True)
    assert client.post(f"/api/jobs/{add_job(project)}/now").status_code == 422


@pytest.mark.parametrize(
    ("state", "action"),
    [("done", "start"), ("done", "cancel"), ("queued", "resume"), ("running", "remove")],
)
def test_what_cannot_be_done_is_refused_in_one_line(client, project, state, action):
    number = add_job(project, state=state)
    answer = client.post(f"/api/jobs/{number}/{action}")
    assert answer.status_code == 422
    assert "\n" not in answer.json()["error"]
    assert state_of(project, number) == state


def test_a_clone_is_a_draft_with_changes(client, project):
    number = add_job(project, "restore.refine", settings={"star": "t.star", "epochs": 3})
    answer = client.post(f"/api/jobs/{number}/clone", json={"changes": {"epochs": 5}})
    assert answer.status_code == 201
    assert answer.json()["state"] == "draft"
    assert answer.json()["settings"] == {"star": "t.star", "epochs": 5}


@pytest.mark.parametrize(
    "changes",
    ['{"output": "/etc"}', '{"star": "../../x"}', '{"star": "\\ud800"}', '{"seed": "\\ud800"}'],
)
def test_a_clone_does_not_reach_out_of_the_roots(client, project, changes):
    number = add_job(project, "restore.refine", settings={"star": "t.star"})
    body = f'{{"changes": {changes}}}'
    headers = {"Content-Type": "application/json"}
    answer = client.post(f"/api/jobs/{number}/clone", content=body, headers=headers)
    assert answer.status_code in (403, 422)
    assert len(Queue(project).entries()) == 1


def test_the_title_may_always_be_changed_the_lane_only_before(client, project):
    number = add_job(project)
    answer = client.patch(f"/api/jobs/{number}", json={"title": "  a   new\nname "})
    assert answer.json()["title"] == "a new name"
    assert client.patch(f"/api/jobs/{number}", json={"priority": 3}).status_code == 422
    assert client.patch(f"/api/jobs/{number}", json={}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{"title": ""}, {"title": 5}, {"priority": "x"}, {"priority": 10**9}, {"state": "done"}, []],
)
def test_edits_of_no_sense_are_refused(client, project, body):
    assert client.patch(f"/api/jobs/{add_job(project)}", json=body).status_code == 422


@pytest.mark.parametrize("number", ["0", "-1", "99", "9" * 40, "x", "1.5"])
def test_jobs_that_do_not_exist_are_not_found(client, number):
    assert client.get(f"/jobs/{number}").status_code in (404, 422)
    assert client.get(f"/api/jobs/{number}").status_code in (404, 422)
    assert client.post(f"/api/jobs/{number}/cancel").status_code in (404, 422)


def test_settings_that_json_cannot_hold_are_left_empty(client, project):
    number = add_job(project, settings={"a": float("nan"), "b": [float("inf")]})
    assert client.get(f"/api/jobs/{number}").json()["settings"] == {"a": None, "b": [None]}
    assert client.get(f"/jobs/{number}").status_code == 200
