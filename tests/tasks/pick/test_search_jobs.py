"""Both jobs are listed, say what they cost, and read no data to say so."""

from pathlib import Path

from learnable_project import TINY, learnable_project

from icelens.tasks.pick.costs import estimate_train
from icelens.tasks.pick.search_costs import estimate_cross_validate, estimate_search
from icelens.tasks.pick.search_jobs import JOBS
from icelens.tasks.pick.search_settings import CrossValidateConfig, SearchConfig
from icelens.tasks.pick.train_settings import TrainConfig


def test_the_jobs_are_listed() -> None:
    assert [job.name for job in JOBS] == ["pick.cross-validate", "pick.search"]
    assert all(job.resumable for job in JOBS)


def test_costs_are_those_of_many_trainings(tmp_path: Path) -> None:
    project = (learnable_project(tmp_path, num_runs=3),)
    one = estimate_train(TrainConfig(project=project, output=tmp_path, **TINY))
    folds = CrossValidateConfig(project=project, output=tmp_path, **TINY)
    assert estimate_cross_validate(folds).seconds == 3 * one.seconds
    two = folds.model_copy(update={"folds": 2})
    assert estimate_cross_validate(two).seconds == 2 * one.seconds
    search = SearchConfig(project=project, output=tmp_path, trials=7, **TINY)
    assert estimate_search(search).seconds == 7 * one.seconds
    assert estimate_search(search.model_copy(update={"trials_here": 1})).seconds == one.seconds


def test_a_missing_project_still_has_an_estimate(tmp_path: Path) -> None:
    config = CrossValidateConfig(project=(tmp_path / "no.json",), output=tmp_path)
    assert estimate_cross_validate(config).seconds > 0
