"""What the latest jobs made."""

from project_jobs import add_job

from icelens.apps.web.home_view.results import latest_results, viewable_files


def test_pictures_of_the_latest_jobs_are_shown(bench, project):
    numbers = [add_job(project) for _ in range(3)]
    for number in numbers[:2]:
        (project.folder / f"jobs/{number:04d}/slices.png").write_bytes(b"x")
    found = latest_results(bench)
    assert {result.entry.number for result in found} == set(numbers[:2])
    assert all(result.url.startswith("/files/raw?file=jobs%2F") for result in found)


def test_jobs_whose_folder_is_outside_or_gone_show_nothing(bench, project, tmp_path):
    number = add_job(project, folder=str(tmp_path / "outside"))
    (tmp_path / "outside" / "x.png").write_bytes(b"x")
    (project.folder / f"jobs/{add_job(project):04d}").rmdir()
    assert latest_results(bench) == []
    assert number


def test_files_are_grouped_by_what_shows_them(bench, project):
    record = {
        "outputs": [
            {"path": "a.mrc", "kind": "volume"},
            {"path": "p.star", "kind": "particle list"},
        ]
    }
    number = add_job(project, "restore.predict", record=record)
    for name in ("a.mrc", "p.star"):
        (project.folder / f"jobs/{number:04d}" / name).touch()
    found = {
        place: [each.output.name for each in files] for place, _, files in viewable_files(bench)
    }
    assert found["slices"] == ["a.mrc"]
    assert found["particles"] == ["p.star"]
    assert found["surface"] == []


def test_one_job_with_many_files_does_not_fill_the_page(bench, project):
    outputs = [{"path": f"{i}.mrc", "kind": "volume"} for i in range(100)]
    number = add_job(project, "restore.predict", record={"outputs": outputs})
    for i in range(100):
        (project.folder / f"jobs/{number:04d}" / f"{i}.mrc").touch()
    ((_, _, files), *_) = viewable_files(bench)
    assert len(files) == 8
