"""Jobs are linked by what they read and write, in place changes and future outputs included."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from icelens.jobs.project.entry import Entry
from icelens.jobs.project.lineage import Lineage, lineage_of

ROOT = Path("/p")
PLAIN = Entry(
    number=1, job="restore.refine", title="", state="done", cause="", remedy="", settings={},
    folder="", lane="", variables={}, priority=0, after=(), run_now=False, is_cancelling=False,
    origin="queue", created="2026", started="2026", ended="2026", removed=None, attempt=1, tasks=0,
    external_id="", progress=None, revision=1,
)  # fmt: skip


def entry(number: int, job: str, folder: str = "", **settings: Any) -> Entry:
    return replace(
        PLAIN, number=number, job=job, folder=folder or f"jobs/{number}", settings=settings
    )


def links(found: Lineage) -> set[tuple[str, str]]:
    return {
        (link.source.removeprefix("job:"), link.target.removeprefix("job:")) for link in found.links
    }


def saved(*paths: str) -> dict[str, Any]:
    return {"outputs": [{"path": path, "kind": "x"} for path in paths]}


def test_a_job_that_reads_in_the_folder_of_another_comes_after_it():
    one = entry(1, "pose.train")
    two = entry(2, "pose.infer", model="jobs/1", particles="data/p.star")
    found = lineage_of(ROOT, [two, one], {})
    assert links(found) == {("1", "2"), ("file:data/p.star", "2")}


def test_recorded_inputs_count_besides_settings():
    found = lineage_of(
        ROOT,
        [entry(1, "pose.train"), entry(2, "pose.infer")],
        {2: {"inputs": [{"setting": "model", "path": "/p/jobs/1/all/map.mrc"}]}},
    )
    assert links(found) == {("1", "2")}


def test_a_list_changed_in_place_comes_from_the_last_that_changed_it():
    jobs = [entry(1, "restore.prepare"), *(entry(n, "restore.mask", star="t.star") for n in (2, 3))]
    records = {1: saved("/p/t.star"), 2: saved("/p/t.star"), 3: saved("/p/t.star")}
    assert links(lineage_of(ROOT, jobs, records)) == {("1", "2"), ("2", "3")}


def test_a_list_that_a_setting_names_is_saved_where_the_job_stood():
    names = ("restore.prepare", "restore.mask", "restore.refine")
    jobs = [entry(n + 1, name, star="t.star") for n, name in enumerate(names)]
    records = {1: saved("t.star"), 2: saved("m.mrc", "t.star"), 3: saved("last.safetensors")}
    found = lineage_of(ROOT, jobs, records)
    assert links(found) == {("1", "2"), ("2", "3")}
    assert len(found.nodes) == 3


def test_a_job_that_made_its_own_list_does_not_start_from_it():
    job = entry(1, "restore.mask", star="t.star")
    found = lineage_of(ROOT, [job], {1: saved("/p/t.star")})
    assert found.links == ()
    assert len(found.nodes) == 1


def test_the_inner_of_two_folders_wins():
    outer = entry(1, "simulate.tomograms", "sim")
    inner = entry(2, "restore.predict", "sim/restored")
    reader = entry(3, "tools.fsc", map_1="sim/restored/a.mrc", map_2="sim/truth/a.mrc")
    assert links(lineage_of(ROOT, [outer, inner, reader], {})) == {("1", "3"), ("2", "3")}


def test_a_draft_may_read_what_a_later_job_will_write():
    draft = replace(entry(1, "pose.infer", model="jobs/2"), state="draft", started=None)
    assert links(lineage_of(ROOT, [draft, entry(2, "pose.train")], {})) == {("2", "1")}


def test_a_job_that_only_waits_is_linked_without_files():
    waiting = replace(entry(2, "pose.train"), after=(1, 2, 99))
    (link,) = lineage_of(ROOT, [entry(1, "pose.train"), waiting], {}).links
    assert (link.source, link.target, link.paths) == ("job:1", "job:2", ())


def test_many_files_of_one_folder_are_one_node():
    maps = [f"raw/{i}.mrc" for i in range(9)]
    found = lineage_of(ROOT, [entry(1, "tools.movie", maps=maps)], {})
    assert [node.label for node in found.nodes] == ["tools.movie", "9 files in raw"]
    assert len(found.links[0].paths) == 9


def test_texts_that_are_no_paths_are_not_taken_for_some():
    job = entry(1, "hetero.select", run="r", where="x / y > 3 and z/w")
    assert {node.key for node in lineage_of(ROOT, [job], {}).nodes} == {"job:1", "file:r"}


def test_what_surrounds_a_job_is_all_before_and_behind_it_and_no_more():
    jobs = [entry(1, "pose.train", particles="p.star")]
    jobs += [entry(n, "pose.infer", model=f"jobs/{n - 1}") for n in (2, 3)]
    jobs += [entry(4, "pose.infer", model="jobs/1"), entry(5, "pose.train")]
    around = lineage_of(ROOT, jobs, {}).around("job:2")
    assert {node.key for node in around.nodes} == {"file:p.star", "job:1", "job:2", "job:3"}


def test_jobs_that_wait_for_each_other_do_not_hang():
    jobs = [replace(entry(n, "pose.train"), after=(3 - n,)) for n in (1, 2)]
    found = lineage_of(ROOT, jobs, {})
    assert links(found) == {("1", "2"), ("2", "1")}
    assert len(found.around("job:1").nodes) == 2


def test_damaged_records_and_unknown_jobs_are_passed_over():
    jobs = [entry(1, "gone.job", star="a/b.star"), entry(2, "pose.infer", model="a\0b")]
    records: dict[int, Any] = {
        1: {"inputs": "all", "outputs": [3, {"path": None}, {"path": "x\0y"}]},
        2: {"inputs": [None, {"path": 3}, {"path": "/p"}]},
    }
    assert lineage_of(ROOT, jobs, records).links == ()
    assert lineage_of(ROOT, [], {}).nodes == ()
