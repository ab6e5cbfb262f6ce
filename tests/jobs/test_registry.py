"""Jobs are found by their task, and a near miss is helped."""

import pytest
from toy_job import toy

from icelens.jobs import registry


def test_unknown_job_offers_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "all_jobs", lambda: (toy,))
    assert registry.find_job("restore.toy") is toy
    with pytest.raises(registry.UnknownJobError, match=r"did you mean restore\.toy"):
        registry.find_job("restore.toi")


def test_far_word_gets_the_whole_list() -> None:
    assert registry.did_you_mean("zzz", ["b", "a"]) == "known: a, b"


def test_jobs_of_pick_are_listed_in_the_order_of_work() -> None:
    from icelens.tasks.pick import ORDER

    assert tuple(job.command for job in registry.tasks()["pick"]) == ORDER


def test_every_job_has_its_own_name() -> None:
    names = [job.name for job in registry.all_jobs()]
    assert len(names) == len(set(names))
