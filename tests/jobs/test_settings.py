"""Flags, levels, units and defaults are read from the declaration alone."""

from pathlib import Path

import pytest
from toy_job import Optimisation, ToyConfig, toy

from icelens.jobs.settings import as_text, command_line, paths_in, settings_of

BY_KEY = {setting.key: setting for setting in settings_of(ToyConfig)}


def test_levels_follow_the_declaration() -> None:
    assert BY_KEY["star"].level == "required"
    assert BY_KEY["box_size"].level == "usual"
    assert BY_KEY["seed"].level == "expert"


def test_unit_is_found_inside_an_optional_type() -> None:
    assert BY_KEY["pixel_size"].unit == "Å"


def test_nested_flag_and_default_come_from_the_outer_config() -> None:
    rate = BY_KEY["optimisation.learning_rate"]
    assert rate.flag == "--optimisation.learning-rate"
    assert rate.default == 2e-3, "the job's default, not the section's 1e-3"


def test_command_line_names_only_what_differs() -> None:
    config = ToyConfig(
        star=Path("my list.star"),
        tilt_range=(-40.0, 50.0),
        invert=False,
        optimisation=Optimisation(learning_rate=2e-3, num_steps=7),
    )
    assert command_line(toy, config) == (
        "icelens restore toy --star 'my list.star' --tilt-range -40,50 --invert false "
        "--optimisation.num-steps 7"
    )


def test_paths_leave_out_the_output() -> None:
    config = ToyConfig(star=Path("a.star"), maps=(Path("b.mrc"),))
    assert list(paths_in(config)) == [("star", Path("a.star")), ("maps", Path("b.mrc"))]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),
        ((1, 2.5), "1,2.5"),
        (1e-7, "1e-07"),
        (0.1 + 0.2, "0.30000000000000004"),
    ],
)
def test_values_are_written_as_typed(value: object, text: str) -> None:
    assert as_text(value) == text
