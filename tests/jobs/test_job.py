"""A declaration that lacks something is refused when it is made."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from toy_job import ToyConfig, toy

from icelens.jobs.job import job
from icelens.jobs.run import Run

if TYPE_CHECKING:
    from decimal import Decimal


def test_job_is_the_plain_function(tmp_path: Path) -> None:
    config = ToyConfig(star=tmp_path / "a.star")
    assert toy(config, Run(tmp_path)) == tmp_path / "result.txt"
    assert (toy.task, toy.command, toy.summary) == ("restore", "toy", "Pretend to learn.")


def test_only_the_settings_hint_is_resolved() -> None:
    @job("restore.lazy")
    def lazy(config: "ToyConfig", run: "Run") -> "Decimal":
        """Result types may be unknown at run time."""
        raise AssertionError

    assert lazy.config_type is ToyConfig


def test_docstring_is_required() -> None:
    with pytest.raises(TypeError, match="needs a docstring"):

        @job("restore.bare")
        def bare(config: ToyConfig, run: Run) -> None:
            return None


def test_hints_are_required() -> None:
    with pytest.raises(TypeError, match="type hint"):

        @job("restore.untyped")
        def untyped(config: ToyConfig, run):  # type: ignore[no-untyped-def]
            """Lack a hint."""


def test_settings_must_be_a_config() -> None:
    with pytest.raises(TypeError, match="subclass of Config"):

        @job("restore.wrong")
        def wrong(config: dict, run: Run) -> None:  # type: ignore[type-var]
            """Take a dict."""


@pytest.mark.parametrize("name", ["refine", "Restore.refine", "restore.refine_all", "a.b.c"])
def test_malformed_names_are_refused(name: str) -> None:
    with pytest.raises(TypeError, match=r"task\.job"):
        job(name)
