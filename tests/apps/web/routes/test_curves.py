"""The API of curves: incremental metrics, parts, tables; nothing outside the roots, never a 500."""

import json

import pytest
from project_jobs import add_job

from icelens.core.io.fsc_table import write_fsc


def metrics_text(*steps):
    return "".join(json.dumps({"step": step, "loss": 1.0 / step}) + "\n" for step in steps)


def test_metrics_grow_by_what_was_appended(client, project):
    number = add_job(project, metrics=metrics_text(1, 2))
    first = client.get(f"/api/jobs/{number}/metrics").json()
    with (project.folder / f"jobs/{number:04d}/metrics.jsonl").open("a") as file:
        file.write(metrics_text(3))
    query = {"after": first["offset"], "file_id": first["file_id"]}
    second = client.get(f"/api/jobs/{number}/metrics", params=query).json()
    assert first["series"]["loss"]["step"] == [1, 2]
    assert second["series"]["loss"]["step"] == [3]


def test_parts_of_a_run_are_asked_for_by_name(client, project):
    number = add_job(project)
    part = project.folder / f"jobs/{number:04d}/fold_1"
    part.mkdir()
    (part / "metrics.jsonl").write_text(metrics_text(1))
    assert client.get(f"/api/jobs/{number}/metrics").json()["parts"] == ["fold_1"]
    answer = client.get(f"/api/jobs/{number}/metrics", params={"part": "fold_1"})
    assert answer.json()["series"]["loss"]["value"] == [1.0]


@pytest.mark.parametrize("part", ["..", "../..", "/etc", "fold_2", "\0"])
def test_what_is_no_part_is_refused(client, project, part):
    number = add_job(project)
    assert client.get(f"/api/jobs/{number}/metrics", params={"part": part}).status_code == 422


def test_a_job_without_metrics_has_none(client, project):
    number = add_job(project, state="queued")
    assert client.get(f"/api/jobs/{number}/metrics").json()["series"] == {}
    assert client.get(f"/api/jobs/{number}/sparkline").json() == {"name": "", "values": []}


def test_a_card_has_its_small_curve_from_a_part_if_need_be(client, project):
    number = add_job(project)
    part = project.folder / f"jobs/{number:04d}/half_1"
    part.mkdir()
    (part / "metrics.jsonl").write_text(metrics_text(1, 2, 4))
    values = client.get(f"/api/jobs/{number}/sparkline").json()["values"]
    assert values == [1.0, 0.5, 0.25]


@pytest.mark.parametrize("what", ["metrics", "sparkline"])
def test_jobs_that_do_not_exist_are_not_found(client, what):
    assert client.get(f"/api/jobs/999/{what}").status_code == 404
    assert client.get(f"/api/jobs/0/{what}").status_code == 422
    assert client.get(f"/api/jobs/{10**30}/{what}").status_code == 422


def test_a_job_outside_the_roots_is_not_read(client, project, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "metrics.jsonl").write_text(metrics_text(1))
    number = add_job(project, folder="link")
    (project.folder / "link").rmdir()
    (project.folder / "link").symlink_to(outside)
    assert client.get(f"/api/jobs/{number}/metrics").status_code == 403


def test_a_table_of_a_job_is_listed_drawn_and_read(client, project):
    number = add_job(project, "tools.fsc", record={})
    path = f"jobs/{number:04d}/fsc.csv"
    write_fsc(project.folder / path, [0.0, 0.1, 0.2], {"fsc": [1.0, 0.9, 0.0]})
    files = client.get("/api/curves/files").json()["files"]
    assert [(file["file"], file["number"]) for file in files] == [(path, number)]
    answer = client.get("/api/curves", params={"file": path}).json()
    assert answer["tables"][0]["kind"] == "fsc"
    page = client.get("/view/curves", params={"file": path})
    assert page.status_code == 200
    assert path in page.text


def test_a_table_beside_a_jobs_folder_is_listed_too(client, project):
    number = add_job(
        project,
        "tools.reconstruct",
        record={"outputs": [{"path": str(project.folder / "final_fsc.csv"), "kind": "table"}]},
    )
    write_fsc(project.folder / "final_fsc.csv", [0.0, 0.1], {"half_maps": [1.0, 0.9]})
    files = client.get("/api/curves/files").json()["files"]
    assert [(file["file"], file["number"]) for file in files] == [("final_fsc.csv", number)]


def test_resolutions_are_read_off_by_the_worker(client, project):
    add_job(project)
    write_fsc(project.folder / "fsc.csv", [0.0, 0.1, 0.2], {"fsc": [1.0, 0.9, 0.1]})
    answer = client.get("/api/curves/readings", params={"file": "fsc.csv"}).json()
    half = next(each for each in answer["readings"] if each["threshold"] == 0.5)
    assert half["resolution"] == pytest.approx(1 / 0.15)


@pytest.mark.parametrize(
    ("file", "status"),
    [
        ("/etc/passwd", 403),
        ("../x.csv", 403),
        ("nothing.csv", 422),
        ("jobs", 422),
        ("a\0.csv", 403),
    ],
)
def test_other_files_are_refused_in_one_line(client, project, file, status):
    add_job(project)
    for route in ("/api/curves", "/api/curves/readings"):
        answer = client.get(route, params={"file": file})
        assert answer.status_code == status
        assert "\n" not in answer.json()["error"]


def test_a_page_of_hostile_names_keeps_them_as_text(client, project):
    add_job(project, "tools.fsc", title="<script>alert(1)</script>" + "x" * 500, record={})
    write_fsc(project.folder / "jobs/0001/fsc.csv", [0.0, 0.1], {"fsc": [1.0, 0.9]})
    text = client.get("/view/curves", params={"file": "'\"><script>alert(2)</script>"}).text
    assert "<script>alert" not in text
