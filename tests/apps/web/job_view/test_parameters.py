"""Settings beside their defaults."""

from project_jobs import add_job

from icelens.apps.web.job_view.parameters import command_of, parameters_of
from icelens.jobs.project.queue import Queue


def parameters(project, job, settings, recorded=None):
    number = add_job(project, job, settings=settings)
    found = parameters_of(Queue(project).get(number), recorded or {})
    return {each.name: each for each in found}, found


def test_those_that_differ_come_first(project):
    settings = {"star": "t.star", "epochs": 3}
    by_name, found = parameters(project, "restore.refine", settings)
    assert by_name["epochs"].differs
    assert by_name["epochs"].value == "3"
    assert not by_name["precision"].differs
    order = [each.differs for each in found]
    assert order == sorted(order, reverse=True)


def test_defaults_that_were_written_out_do_not_differ(project):
    from icelens.jobs.registry import find_job

    job = find_job("restore.refine")
    config = job.config_type.model_validate({"star": "t.star"}).model_dump(mode="json")
    by_name, _ = parameters(project, "restore.refine", {"star": "t.star"}, config)
    assert [name for name, each in by_name.items() if each.differs] == ["star"]


def test_a_job_that_is_not_known_shows_what_it_was_given(project):
    by_name, _ = parameters(project, "old.gone", {"a": 1, "b": {"c": [1, 2]}})
    assert {name: each.value for name, each in by_name.items()} == {"a": "1", "b.c": "1,2"}


def test_settings_that_the_job_no_longer_has_are_shown_too(project):
    by_name, _ = parameters(project, "restore.refine", {"star": "t.star", "sparkle": "much"})
    assert by_name["sparkle"].differs


def test_the_command_repeats_the_job_and_is_empty_for_what_cannot_run(project):
    number = add_job(project, "restore.mask", settings={"star": "a b.star"})
    assert command_of(Queue(project).get(number)) == "icelens restore mask --star 'a b.star'"
    for job, settings in (("old.gone", {}), ("restore.mask", {"star": 5, "x": 1})):
        number = add_job(project, job, settings=settings)
        assert command_of(Queue(project).get(number)) == ""


def test_long_values_are_cut(project):
    by_name, _ = parameters(project, "old.gone", {"a": "x" * 5000})
    assert len(by_name["a"].value) < 500
