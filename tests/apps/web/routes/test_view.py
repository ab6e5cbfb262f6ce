"""What there is to look at."""

import pytest
from project_jobs import add_job


def test_without_results_there_is_a_field_to_open_a_file(client):
    text = client.get("/view").text
    assert 'action="/view/open"' in text
    assert "Nothing to look at yet" in text


def test_results_of_jobs_are_listed(client, project):
    number = add_job(project, record={"outputs": [{"path": "map.mrc", "kind": "volume"}]})
    (project.folder / f"jobs/{number:04d}/map.mrc").touch()
    assert "/view/slices?file=" in client.get("/view").text


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("a b.mrc", "/view/slices?file=a+b.mrc"),
        ("p.star", "/view/particles?file=p.star"),
        ("x_fsc.csv", "/view/curves?file=x_fsc.csv"),
        ("tomograms.star", "/data"),
    ],
)
def test_any_file_opens_in_the_viewer_for_its_kind(client, project, name, place):
    (project.folder / name).touch()
    answer = client.get("/view/open", params={"file": name}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, place)


def test_the_folder_of_a_run_opens_as_its_latents(client, project):
    add_job(project, "hetero.train", folder="run", record={})
    answer = client.get("/view/open?file=run", follow_redirects=False)
    assert answer.headers["location"] == "/view/latents?run=run"


@pytest.mark.parametrize(
    ("name", "status"), [("gone.mrc", 422), ("x.weird", 422), ("/etc/passwd", 403), ("..", 403)]
)
def test_what_cannot_be_shown_is_said_to_be_so(client, project, name, status):
    (project.folder / "x.weird").touch()
    assert client.get("/view/open", params={"file": name}).status_code == status
