"""Tests of apps/web/forms/submission.py."""

import pytest

from icelens.apps.web.forms.submission import Wish, WishError, edit, next_number, submit
from icelens.apps.web.workbench import Workbench
from icelens.jobs.project.listing import UnknownEntryError
from icelens.jobs.project.trash import StateError


def _wish(**changes: object) -> Wish:
    given: dict[str, object] = {"job": "restore.refine", "values": {"star": "a.star"}}
    return Wish(**{**given, **changes})  # type: ignore[arg-type]


def test_a_job_is_queued_in_its_own_folder(bench: Workbench) -> None:
    (entry,) = submit(bench, _wish(title="first", priority=3))
    assert entry.state == "queued"
    assert entry.settings["output"] == entry.folder == "jobs/0001-restore-refine"
    assert (entry.title, entry.priority) == ("first", 3)
    assert next_number(bench.project) == 2


def test_a_draft_may_lack_what_is_needed_but_hold_no_path_outside(bench: Workbench) -> None:
    (entry,) = submit(bench, _wish(values={"epochs": "abc"}, is_draft=True))
    assert entry.state == "draft"
    assert entry.settings == {"epochs": "abc"}
    with pytest.raises(WishError, match="outside"):
        submit(bench, _wish(values={"star": "/etc/x.star"}, is_draft=True))


def test_every_mistake_is_told(bench: Workbench) -> None:
    with pytest.raises(WishError) as caught:
        submit(bench, _wish(values={"epochs": "x"}, lane="no", parts=3, after=(77,)))
    assert {each.field for each in caught.value.problems} == {
        "star", "epochs", "lane", "parts", "after",
    }  # fmt: skip


def test_a_draft_is_changed_and_queued(bench: Workbench) -> None:
    (draft,) = submit(bench, _wish(values={}, is_draft=True))
    kept = edit(bench, draft.number, _wish(values={"epochs": "9"}, is_draft=True))
    assert kept.state == "draft"
    queued = edit(bench, draft.number, _wish())
    assert queued.state == "queued"
    assert queued.settings["star"] == "a.star"


def test_a_job_is_not_edited_into_another_kind(bench: Workbench) -> None:
    (draft,) = submit(bench, _wish(is_draft=True))
    with pytest.raises(WishError, match=r"is a job of restore\.refine"):
        edit(bench, draft.number, _wish(job="restore.denoise"))


def test_a_job_that_has_begun_stays_as_it_is(bench: Workbench) -> None:
    (entry,) = submit(bench, _wish())
    bench.queue.cancel(entry.number)
    with pytest.raises(StateError, match="clone it"):
        edit(bench, entry.number, _wish())
    with pytest.raises(UnknownEntryError):
        edit(bench, 99, _wish())


def test_jobs_cannot_wait_for_themselves_in_a_ring(bench: Workbench) -> None:
    (first,) = submit(bench, _wish(is_draft=True))
    (second,) = submit(bench, _wish(is_draft=True, after=(first.number,)))
    with pytest.raises(WishError, match="wait for itself"):
        edit(bench, first.number, _wish(is_draft=True, after=(second.number,)))


def test_a_job_is_shared_over_lanes_in_parts(bench: Workbench) -> None:
    wish = _wish(job="restore.predict", values={"star": "a.star", "checkpoint": "run"}, parts=2)
    entries = submit(bench, wish)
    assert [entry.settings["tomograms"] for entry in entries] == ["1/2", "2/2"]


def test_parts_are_cut_from_all(bench: Workbench) -> None:
    values = {"star": "a.star", "checkpoint": "run", "tomograms": "1,2"}
    with pytest.raises(WishError, match="leave that field empty"):
        submit(bench, _wish(job="restore.predict", values=values, parts=2))
