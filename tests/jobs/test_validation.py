"""File and flags become one Config, or one line for each mistake."""

import json
from pathlib import Path

import pytest
from toy_job import Optimisation, ToyConfig, toy

from icelens.core.errors import InputFileError
from icelens.jobs.config import Config, ConfigError
from icelens.jobs.settings import settings_of
from icelens.jobs.validation import as_yaml, make_config, merged, parse_words, read_settings, schema


def test_each_mistake_gets_a_line_naming_its_flag() -> None:
    with pytest.raises(ConfigError) as caught:
        make_config(ToyConfig, {"box_size": "33", "end": "badly", "shape": ["1", "x", "3"]})
    assert str(caught.value).splitlines() == [
        "--star is missing: A list of tomograms.",
        "--end: found 'badly', expected 'well', 'bug', 'mistake', 'interrupt' or 'time'",
        "--box-size: found '33', expected a multiple of 16",
        "--shape: found 'x', expected a whole number",
    ]


class Typed(Config):
    """Settings of the kinds that are typed wrongly."""

    pair: tuple[str, str] = ("a", "b")
    """Two words."""

    extra: dict[str, int] | None = None
    """By name."""

    folder: Path = Path("here")
    """A place."""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a"], "--pair: found 'a', expected more values: Two words."),
        (["a", "b", "c"], "--pair: found 'a,b,c', expected no more than 2 values"),
    ],
)
def test_list_of_another_length_is_not_called_missing(words: list[str], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_config(Typed, {"pair": words})
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("name", "word", "expected"),
    [
        ("extra", "{a: [", "--extra: found '{a: [', expected YAML"),
        ("folder", "", "--folder: found '', expected a path"),
        ("folder", " ", "--folder: found '', expected a path"),
    ],
)
def test_words_that_cannot_be_read_are_told_in_one_line(
    name: str, word: str, expected: str
) -> None:
    setting = next(each for each in settings_of(Typed) if each.path == (name,))
    with pytest.raises(ConfigError) as caught:
        parse_words(setting, [word])
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)


def test_unknown_setting_offers_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"boxsize: no such setting; did you mean box_size"):
        make_config(ToyConfig, {"star": "a", "boxsize": 48})


def test_partly_given_section_keeps_the_jobs_defaults() -> None:
    config = make_config(ToyConfig, {"star": "a", "optimisation": {"num_steps": "9"}})
    assert config.optimisation == Optimisation(learning_rate=2e-3, num_steps=9)


def test_yaml_round_trip(tmp_path: Path) -> None:
    config = ToyConfig(star=Path("a.star"), maps=(Path("b"), Path("c")))
    file = tmp_path / "settings.yaml"
    file.write_text(as_yaml(toy, config))
    assert make_config(ToyConfig, read_settings(file, toy)) == config
    lines = file.read_text().splitlines()
    assert "star: a.star" in lines
    assert "maps: [b, c]" in lines


def test_numbers_without_a_point_are_read(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    # PyYAML takes 1e-4 for text, because YAML 1.1 wants 1.0e-4.
    file.write_text("star: a\noptimisation: {learning_rate: 1e-4}\n")
    assert make_config(ToyConfig, read_settings(file, toy)).optimisation.learning_rate == 1e-4


def test_record_of_another_job_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"job": "restore.refine", "config": {}}))
    with pytest.raises(ConfigError, match=r"restore\.refine; expected one of restore\.toy"):
        read_settings(file, toy)


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [", "just words"])
def test_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    with pytest.raises(InputFileError, match="--print-config"):
        read_settings(file, toy)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"absent\.yaml: cannot be read"):
        read_settings(tmp_path / "absent.yaml", toy)


def test_merging_goes_deep_and_leaves_its_arguments() -> None:
    below = {"a": {"x": 1, "y": 2}, "b": 3}
    assert merged(below, {"a": {"y": 5}}) == {"a": {"x": 1, "y": 5}, "b": 3}
    assert below["a"] == {"x": 1, "y": 2}


def test_schema_says_unit_and_level() -> None:
    properties = schema(toy)["properties"]
    assert properties["seed"]["level"] == "expert"
    assert properties["box_size"]["multipleOf"] == 16
