"""The way to a result, and where a project stands on it."""

import pytest
from project_jobs import add_job

from icelens.apps.web.home_view.way import _WAYS, ways
from icelens.jobs.project.queue import Queue
from icelens.jobs.registry import all_jobs
from icelens.jobs.settings import settings_of


def standings(project, task):
    way = next(way for way in ways(Queue(project)) if way.task == task)
    return {stage.job: stage.standing for stage in way.stages}, way


def test_in_an_empty_project_each_way_begins_at_its_start(project):
    for way in ways(Queue(project)):
        assert way.next is way.stages[0]
        assert not way.is_begun
        assert way.look == ""


def test_the_next_step_comes_with_a_form_that_is_filled_in(project):
    add_job(project, "restore.prepare", settings={"star": "my.star"})
    found, way = standings(project, "restore")
    assert found["restore.mask"] == "next"
    assert way.next.url == "/jobs/new?job=restore.mask&input=my.star&setting=star"


def test_a_step_may_be_left_out(project):
    add_job(project, "restore.prepare", settings={"star": "my.star"})
    add_job(project, "restore.refine", settings={"star": "my.star"})
    found, way = standings(project, "restore")
    assert found["restore.mask"] == "later"
    assert way.next.job == "restore.predict"


@pytest.mark.parametrize(
    ("state", "standing"),
    [("running", "running"), ("waiting", "queued"), ("failed", "failed"), ("stopped", "failed")],
)
def test_what_is_under_way_or_failed_is_shown_and_nothing_is_urged(project, state, standing):
    number = add_job(project, "pick.train", state=state)
    found, way = standings(project, "pick")
    assert found["pick.train"] == standing
    assert way.stages[0].number == number
    assert way.next is None


def test_a_later_failure_does_not_undo_a_result(project):
    done = add_job(project, "pick.train", settings={"project": "p"})
    add_job(project, "pick.train", state="failed")
    found, way = standings(project, "pick")
    assert found["pick.train"] == "done"
    assert way.stages[0].number == done


def test_another_job_may_do_the_step_as_well(project):
    add_job(project, "restore.denoise")
    assert standings(project, "restore")[0]["restore.refine"] == "done"


def test_results_can_be_looked_at(project):
    add_job(project, "pick.localize", settings={"project": "p"})
    add_job(project, "hetero.train")
    assert standings(project, "pick")[1].look == "/view/picks?project=p"
    assert standings(project, "hetero")[1].look.startswith("/view/latents?run=")


def test_all_jobs_and_settings_of_the_ways_exist():
    known = {job.name: {s.key for s in settings_of(job.config_type)} for job in all_jobs()}
    for way in _WAYS:
        for step in way.steps:
            assert {step.job, *step.others} <= set(known)
            for setting, job, source in step.takes:
                assert setting in known[step.job]
                assert job in known
                assert source.startswith(".") or source in known[job]
