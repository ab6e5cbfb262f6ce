from icelens.jobs import registry


def test_job_is_found() -> None:
    from icelens.tasks.pose.refine_jobs import refine

    assert refine in registry.all_jobs()
