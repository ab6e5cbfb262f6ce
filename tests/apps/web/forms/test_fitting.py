"""Tests of apps/web/forms/fitting.py."""

import pytest

from icelens.apps.web.forms.fields import fields_of
from icelens.apps.web.forms.fitting import (
    PRODUCTS,
    accepted_kinds,
    endings_of,
    is_written,
)
from icelens.jobs.registry import all_jobs


@pytest.mark.parametrize(
    ("job", "key", "kinds"),
    [
        ("restore.refine", "star", ("tomograms",)),
        ("restore.predict", "checkpoint", ("restorer",)),
        ("hetero.volumes", "run", ("hetero run",)),
        ("pick.segment", "model", ("picker",)),
        ("pose.infer", "model", ("pose model",)),
        ("pose.refine", "particles", ("particles",)),
        ("tools.montage", "particles", ("particles", "stack")),
        ("tools.fsc", "map_1", ("volume",)),
        ("restore.prepare", "even", ("folder",)),
        ("restore.refine", "output", ("folder",)),
    ],
)
def test_inputs_take_what_fits(job: str, key: str, kinds: tuple[str, ...]) -> None:
    field = next(each for each in fields_of(job) if each.key == key)
    assert field.kinds == kinds


def test_the_table_names_jobs_and_settings_that_exist() -> None:
    known = {job.name: {each.key for each in fields_of(job.name)} for job in all_jobs()}
    for name, products in PRODUCTS.items():
        assert name in known
        named = {each.place[1:] for each in products if each.place.startswith("@")}
        assert named <= known[name], name


def test_what_a_job_writes_is_told_from_what_it_reads() -> None:
    assert is_written("restore.prepare", "star")
    assert not is_written("restore.refine", "star")


def test_endings_are_known_only_of_files() -> None:
    assert endings_of(("particles", "stack")) == (".star", ".cs", ".mrcs", ".st")
    assert endings_of(("hetero run", "particles")) == ()
    assert accepted_kinds("tools.inspect", "files", "Densities") == ("file",)
