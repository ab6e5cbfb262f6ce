"""Saved files never take the place of others, nor lie elsewhere."""

from pathlib import Path

import pytest

from icelens.apps.web.work.saved_files import below, free_path
from icelens.core.errors import InputFileError


def test_a_taken_name_gets_a_number_and_both_files_of_a_pair_count(tmp_path: Path) -> None:
    folder = tmp_path / "selections"
    first = free_path(folder, "a b", [".star", ".csv"])
    assert first == folder / "a b.star"
    first.with_suffix(".csv").write_text("x")
    assert free_path(folder, "a b", [".star", ".csv"]) == folder / "a b-2.star"


@pytest.mark.parametrize("name", ["../x", "/etc/x", ".hidden", "a/b", "", "a\0b", ".."])
def test_names_that_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no name for a file"):
        free_path(tmp_path, name, [".star"])


def test_commands_name_files_from_the_project(tmp_path: Path) -> None:
    assert below(tmp_path / "a" / "b.star", tmp_path) == Path("a/b.star")
    assert below(Path("/elsewhere/b.star"), tmp_path) == Path("/elsewhere/b.star")
