"""Which jobs can go on from a result."""

from project_jobs import add_job

from icelens.apps.web.job_view.feeds import next_for_file, next_jobs
from icelens.jobs.project.queue import Queue
from icelens.jobs.registry import all_jobs
from icelens.jobs.settings import settings_of


def offered(project, job, settings):
    number = add_job(project, job, settings=settings)
    found = next_jobs(Queue(project).get(number))
    return {each.job: each.url for nexts in found.values() for each in nexts}


def test_a_trained_network_feeds_what_takes_a_checkpoint(project):
    found = offered(project, "restore.refine", {"star": "t.star"})
    assert set(found) == {"restore.predict", "restore.assess"}
    assert "input=t.star&setting=star" in found["restore.predict"]
    assert found["restore.predict"].endswith("setting=checkpoint")


def test_a_list_of_tomograms_feeds_the_jobs_that_read_it_not_the_one_that_writes_it(project):
    found = offered(project, "restore.prepare", {"star": "t.star"})
    assert {"restore.refine", "restore.mask", "restore.deconvolve"} <= set(found)
    assert "restore.prepare" not in found


def test_a_run_of_hetero_feeds_its_analysis(project):
    found = offered(project, "hetero.train", {"particles": "p.star"})
    assert {"hetero.analyze", "hetero.select", "hetero.volumes"} <= set(found)


def test_jobs_that_nothing_follows_offer_nothing(project):
    assert offered(project, "tools.inspect", {}) == {}
    assert offered(project, "old.gone", {"star": "x"}) == {}


def test_only_jobs_that_have_the_setting_are_offered():
    known = {job.name: {s.key for s in settings_of(job.config_type)} for job in all_jobs()}
    for kind, setting in (("particle list", "particles"), ("tomogram list", "star")):
        found = next_for_file("a.star", kind, "pose")
        names = [each.job for nexts in found.values() for each in nexts]
        assert names
        assert all(known[name] & {setting, "tomograms_star"} for name in names)


def test_tomograms_are_not_offered_as_maps():
    assert next_for_file("TS_01.mrc", "volume", "restore") == {}
    assert "tools" in next_for_file("map.mrc", "volume", "hetero")
