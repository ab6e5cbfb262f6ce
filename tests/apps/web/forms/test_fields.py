"""Tests of apps/web/forms/fields.py."""

from pathlib import Path

import pytest

from icelens.apps.web.forms.fields import Field, fields_of, holds_paths
from icelens.jobs.registry import UnknownJobError, all_jobs
from icelens.jobs.settings import settings_of


def _field(job: str, key: str) -> Field:
    return next(each for each in fields_of(job) if each.key == key)


def test_every_job_has_a_field_for_every_setting() -> None:
    for job in all_jobs():
        fields = fields_of(job.name)
        assert [each.key for each in fields] == [s.key for s in settings_of(job.config_type)]
        assert all(each.help and each.label for each in fields), job.name


@pytest.mark.parametrize(
    ("job", "key", "widget"),
    [
        ("restore.refine", "star", "path"),
        ("hetero.train", "particles", "paths"),
        ("restore.refine", "epochs", "number"),
        ("restore.refine", "contrast", "choice"),
        ("restore.deconvolve", "phase_flipped", "switch"),
        ("restore.predict", "phase_flipped", "choice"),
        ("hetero.train", "encoder_settings", "mapping"),
        ("simulate.tomograms", "shape", "text"),
        ("restore.deconvolve", "chunk_size", "number"),
        ("restore.refine", "network", "text"),
    ],
)
def test_the_widget_follows_the_type(job: str, key: str, widget: str) -> None:
    assert _field(job, key).widget == widget


def test_output_is_not_needed_because_the_queue_gives_a_folder() -> None:
    output = _field("hetero.train", "output")
    assert output.level == "usual"
    assert output.default == ""
    assert output.placeholder == "its own folder in jobs/"
    assert _field("hetero.analyze", "output").placeholder == "beside what it reads"


def test_choices_that_may_be_none_offer_it() -> None:
    assert _field("hetero.train", "latent_weight.schedule").choices == ("none", "a", "b", "c", "d")
    assert _field("restore.predict", "phase_flipped").choices == ("none", "true", "false")
    assert _field("restore.deconvolve", "chunk_size").choices == ("auto",)


def test_labels_units_and_sections_are_for_people() -> None:
    weight = _field("hetero.train", "latent_weight.warmup_epochs")
    assert (weight.section, weight.label) == ("Latent weight", "Warmup epochs")
    assert _field("restore.refine", "ctf_mode").label == "CTF mode"
    assert _field("hetero.train", "max_resolution").unit == "Å"


def test_the_help_names_other_settings_as_the_form_does() -> None:
    assert "with Hinge chains or Drop chains" in _field("simulate.states", "model").help
    fields = fields_of("simulate.states")
    assert not [each.key for each in fields for other in fields if other.flag in each.help]


def test_limits_that_the_help_tells_are_not_told_twice() -> None:
    assert _field("restore.refine", "box_size").bounds == "16 or more"


def test_paths_are_found_in_lists_and_unions() -> None:
    assert holds_paths(Path)
    assert holds_paths(tuple[Path, ...])
    assert not holds_paths(tuple[str, ...])


def test_a_job_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownJobError, match=r"did you mean restore\.refine"):
        fields_of("restore.refinee")
