"""Tests of apps/web/forms/values.py."""

import pytest

from icelens.apps.web.forms.values import as_typed, read_values
from icelens.jobs.registry import find_job
from icelens.jobs.validation import make_config


def test_values_are_read_as_on_the_command_line() -> None:
    job = find_job("simulate.tomograms")
    typed = {"shape": "64, 96 96", "symmetries": "C1 D2", "particles": "none", "count": " 3 "}
    settings, problems = read_values(job, typed)
    assert problems == []
    config = make_config(job.config_type, settings)
    assert config.shape == (64, 96, 96)
    assert config.symmetries == ("C1", "D2")
    assert config.particles is None
    assert config.count == 3


def test_sections_are_nested() -> None:
    job = find_job("simulate.tomograms")
    settings, _ = read_values(job, {"recording.tilt_range": "-40,40", "recording.defocus": "2e4"})
    assert settings == {"recording": {"tilt_range": ["-40", "40"], "defocus": "2e4"}}


def test_a_path_in_a_list_may_hold_a_comma_and_blanks() -> None:
    settings, _ = read_values(find_job("hetero.train"), {"particles": ["a, b.star", " ", "c.star"]})
    assert settings == {"particles": ["a, b.star", "c.star"]}


def test_an_empty_field_leaves_the_default() -> None:
    assert read_values(find_job("restore.refine"), {"epochs": "  ", "star": []}) == ({}, [])


@pytest.mark.parametrize(
    "text",
    [
        "{a: [1}",
        "{a: 2020-13-45}",
        "[" * 3000,
        "{a: &x [1], b: *x}",
        "{a: !!python/object:os.system {}}",
        "{? {a: 1} : 2}",
    ],
)
def test_yaml_that_is_broken_or_more_than_plain_is_a_problem_of_its_field(text: str) -> None:
    settings, problems = read_values(find_job("hetero.train"), {"encoder_settings": text})
    assert settings == {}
    assert [problem.field for problem in problems] == ["encoder_settings"]
    assert "\n" not in problems[0].message


def test_a_setting_that_is_not_there_is_a_problem() -> None:
    _, problems = read_values(find_job("restore.refine"), {"epoch": "1"})
    assert "did you mean epochs" in problems[0].message


def test_what_is_shown_reads_back_the_same() -> None:
    job = find_job("hetero.train")
    typed = {
        "particles": ["a.star", "b.star"],
        "epochs": "7",
        "refine_poses": "true",
        "encoder_settings": "{width: 64, name: a b}",
        "latent_weight.weight": "0.5",
    }
    settings, problems = read_values(job, typed)
    assert problems == []
    kept = make_config(job.config_type, {**settings, "output": "run"}).model_dump(mode="json")
    shown = as_typed(job, kept)
    again, problems = read_values(job, {key: shown[key] for key in typed})
    assert problems == []
    assert make_config(job.config_type, {**again, "output": "run"}) == make_config(
        job.config_type, {**settings, "output": "run"}
    )


def test_values_that_are_not_given_are_not_shown() -> None:
    assert as_typed(find_job("restore.refine"), {"epochs": 3, "unknown": 1}) == {"epochs": "3"}
