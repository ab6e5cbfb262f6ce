"""Files that a job wrote and read, and what became of them."""

import os

from project_jobs import add_job

from icelens.apps.web.job_view.outputs import grouped, inputs_of, outputs_of
from icelens.apps.web.job_view.record_file import read_record_file
from icelens.apps.web.roots import Roots
from icelens.jobs.project.queue import Queue
from icelens.jobs.provenance import fingerprint


def looked_at(project, number):
    roots, entry = Roots.of(project.folder), Queue(project).get(number)
    return roots, entry, read_record_file(roots, entry)


def test_outputs_open_where_their_kind_is_shown(project):
    outputs = [
        {"path": "map.mrc", "kind": "volume"},
        {"path": "run_fsc.csv", "kind": "table"},
        {"path": "gone.mrc", "kind": "volume"},
    ]
    number = add_job(project, "tools.postprocess", record={"outputs": outputs})
    for name in ("map.mrc", "run_fsc.csv"):
        (project.folder / f"jobs/{number:04d}" / name).touch()
    found = {each.name: each for each in outputs_of(*looked_at(project, number))}
    assert [view.place for view in found["map.mrc"].views] == ["slices", "surface"]
    assert [view.place for view in found["run_fsc.csv"].views] == ["curves"]
    assert not found["gone.mrc"].is_there
    assert found["gone.mrc"].views == ()
    assert found["map.mrc"].commands[0][1].startswith("chimerax ")


def test_a_job_that_keeps_no_record_has_the_file_it_was_told_to_write(project):
    settings = {"output": "made/particles.star"}
    number = add_job(project, "tools.split-particles", settings=settings)
    (found,) = outputs_of(*looked_at(project, number))
    assert (found.path, found.kind, found.is_there) == (
        "made/particles.star",
        "particle list",
        False,
    )


def test_outputs_outside_the_roots_are_not_shown(project, tmp_path):
    (tmp_path / "secret.mrc").touch()
    outputs = [{"path": "../../../secret.mrc", "kind": "volume"}, {"path": 5}, "x", {}]
    number = add_job(project, record={"outputs": outputs})
    assert outputs_of(*looked_at(project, number)) == []


def test_inputs_that_changed_or_went_are_marked(project):
    names = ("same.star", "changed.star", "missing.star", "touched.star")
    for name in names:
        (project.folder / name).write_text(name)
    rows = [{"setting": "star", **fingerprint(project.folder / name)} for name in names]
    for row, name in zip(rows, names, strict=True):
        row["path"] = name
    rows[3]["modified"] = "2000-01-01T00:00:00+00:00"
    number = add_job(project, record={"inputs": rows})
    (project.folder / "changed.star").write_text("something else")
    (project.folder / "missing.star").unlink()
    found = {each.path: each.since for each in inputs_of(*looked_at(project, number))}
    assert found == {
        "same.star": "",
        "changed.star": "changed",
        "missing.star": "missing",
        "touched.star": "",
    }


def test_a_list_that_the_job_itself_changed_is_told_from_one_that_others_changed(project):
    path = project.folder / "t.star"
    path.write_text("before")
    rows = [{"setting": "star", **fingerprint(path), "path": "t.star"}]
    path.write_text("with a column more")
    os.utime(path, (1000, 1000))
    for ended, since in (("1970-01-01T00:20:00+00:00", "by itself"), ("", "changed")):
        number = add_job(project, record={"inputs": rows, "ended": ended})
        assert [each.since for each in inputs_of(*looked_at(project, number))] == [since]


def test_inputs_outside_the_roots_are_named_but_not_looked_at(project, tmp_path):
    rows = [{"setting": "star", "path": str(tmp_path / "raw.star"), "size": 1, "sha256": "x"}]
    number = add_job(project, record={"inputs": rows})
    (found,) = inputs_of(*looked_at(project, number))
    assert (found.since, found.views) == ("elsewhere", ())


def test_damaged_rows_of_a_record_are_left_out(project):
    number = add_job(project, record={"inputs": [5, {"path": None}, {"path": "\0"}], "outputs": 3})
    roots, entry, record = looked_at(project, number)
    assert outputs_of(roots, entry, record) == []
    assert [each.since for each in inputs_of(roots, entry, record)] == ["elsewhere"]


def test_what_can_be_looked_at_comes_first(project):
    outputs = [{"path": "a.safetensors", "kind": "checkpoint"}, {"path": "b.mrc", "kind": "volume"}]
    number = add_job(project, record={"outputs": outputs})
    for name in ("a.safetensors", "b.mrc"):
        (project.folder / f"jobs/{number:04d}" / name).touch()
    groups = grouped(outputs_of(*looked_at(project, number)))
    assert [kind for kind, _ in groups] == ["volume", "checkpoint"]
