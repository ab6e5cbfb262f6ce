"""Tests of apps/web/forms/beginning.py."""

import pytest

from icelens.apps.web.forms.beginning import Beginning, groups_of, jobs_by_task
from icelens.apps.web.forms.fields import fields_of
from icelens.apps.web.workbench import Workbench
from icelens.jobs.project.trash import StateError

NOTHING = ()


def test_a_form_begins_with_the_chosen_input(bench: Workbench) -> None:
    inputs = [("a.star", "star")]
    begun = Beginning.of(bench, "restore.refine", clone=None, draft=None, inputs=inputs)
    assert begun.values == {"star": "a.star"}
    inputs = [("p.star", "")]
    begun = Beginning.of(bench, "hetero.train", clone=None, draft=None, inputs=inputs)
    assert begun.values == {"particles": ["p.star"]}
    inputs = [("a.star", "star"), ("jobs/1", "checkpoint")]
    begun = Beginning.of(bench, "restore.predict", clone=None, draft=None, inputs=inputs)
    assert begun.values == {"star": "a.star", "checkpoint": "jobs/1"}


def test_a_copy_has_the_settings_but_not_the_folder(bench: Workbench) -> None:
    bench.queue.submit("restore.refine", {"star": "a.star", "epochs": 3}, title="one")
    begun = Beginning.of(bench, "", clone=1, draft=None, inputs=NOTHING)
    assert begun.values == {"star": "a.star", "epochs": "3"}
    assert (begun.title, begun.origin, begun.number) == ("one (copy)", "J1", None)


def test_a_draft_is_edited_and_a_job_that_ended_is_not(bench: Workbench) -> None:
    bench.queue.submit("restore.refine", {"epochs": "x"}, is_draft=True)
    begun = Beginning.of(bench, "", clone=None, draft=1, inputs=NOTHING)
    assert (begun.number, begun.values) == (1, {"epochs": "x"})
    bench.queue.submit("restore.refine", {"star": "a.star"})
    bench.queue.cancel(2)
    with pytest.raises(StateError, match="clone it"):
        Beginning.of(bench, "", clone=None, draft=2, inputs=NOTHING)


def test_fields_are_grouped_with_changed_ones_known() -> None:
    groups = groups_of(fields_of("hetero.train"), {"seed": "3"})
    assert [group.level for group in groups] == ["required", "usual", "expert"]
    assert groups[2].changed == ("seed",)
    assert groups[1].sections[0][1][-1].key == "output"
    assert not groups[0].writes
    assert groups_of(fields_of("restore.prepare"), {})[0].writes
    assert [title for title, _ in groups[2].sections] == ["", "Latent weight"]


def test_only_jobs_that_can_take_a_file_are_offered() -> None:
    everything = jobs_by_task("")
    assert [task for task, *_ in everything[:4]] == ["restore", "pick", "pose", "hetero"]
    offers = {each.job.name: each.setting for *_, group in jobs_by_task("a.cs") for each in group}
    assert offers["hetero.train"] == "particles"
    assert "restore.refine" not in offers
    assert jobs_by_task("a.nothing") == []


def test_what_a_file_is_counts_more_than_its_ending() -> None:
    offered = {
        kind: {each.job.name for *_, group in jobs_by_task("a.star", kind) for each in group}
        for kind in ("tomograms", "particles", "nonsense")
    }
    assert "restore.refine" in offered["tomograms"] - offered["particles"]
    assert "hetero.train" in offered["particles"]
    assert offered["nonsense"] == set()
