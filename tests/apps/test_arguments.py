"""What is typed becomes settings."""

from pathlib import Path

import pytest
from toy_job import toy

from icelens.apps import arguments


def test_lists_are_written_with_commas_or_blanks() -> None:
    request = arguments.parse(
        toy, ["--star", "a", "--shape", "1,2,3", "--tilt-range", "-40", "40", "--maps", "b,c", "d"]
    )
    assert request.config.shape == (1, 2, 3)
    assert request.config.tilt_range == (-40.0, 40.0)
    assert request.config.maps == (Path("b"), Path("c"), Path("d"))


@pytest.mark.parametrize("words", [["--tilt-range", "-60,60"], ["--tilt-range=-60,60"]])
def test_negative_values_are_no_flags(words: list[str]) -> None:
    assert arguments.parse(toy, ["--star", "a", *words]).config.tilt_range == (-60.0, 60.0)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["--invert"], True),
        (["--no-invert"], False),
        (["--invert", "false"], False),
        (["--invert=true"], True),
        ([], True),
    ],
)
def test_switches_take_a_word_or_none(words: list[str], value: object) -> None:
    assert arguments.parse(toy, ["--star", "a", *words]).config.invert is value


def test_none_is_a_word() -> None:
    assert arguments.parse(toy, ["--star", "a", "--pixel-size", "none"]).config.pixel_size is None


def test_flags_go_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("star: a.star\nbox_size: 64\noptimisation: {num_steps: 5}\n")
    words = ["--config", str(file), "--box-size", "32", "--optimisation.learning-rate", "1e-4"]
    config = arguments.parse(toy, words).config
    assert (config.box_size, config.optimisation.num_steps) == (32, 5)
    assert config.optimisation.learning_rate == 1e-4


def test_trackers_may_be_repeated() -> None:
    words = ["--track", "mlflow", "--track", "tensorboard", "--track", "mlflow"]
    assert arguments.parse(toy, ["--star", "a", *words]).trackers == ("mlflow", "tensorboard")
    assert arguments.parse(toy, ["--star", "a"]).trackers == ()


def test_unknown_tracker_is_refused() -> None:
    with pytest.raises(arguments.UsageError, match="--track: invalid choice: 'mflow'"):
        arguments.parse(toy, ["--star", "a", "--track", "mflow"])


def test_word_without_a_flag_is_refused() -> None:
    with pytest.raises(arguments.UsageError, match="'stray': expected a flag before it"):
        arguments.parse(toy, ["stray", "--star", "a"])


def test_flags_are_not_abbreviated() -> None:
    with pytest.raises(arguments.UsageError, match="--sta: no such flag; did you mean --star"):
        arguments.parse(toy, ["--sta", "a"])


def test_value_is_required() -> None:
    with pytest.raises(arguments.UsageError, match="--box-size: expected one argument"):
        arguments.parse(toy, ["--star", "a", "--box-size"])
