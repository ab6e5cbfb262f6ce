"""Stacks are found from the places that RELION, cryoSPARC and users start from."""

from pathlib import Path

import pytest

from icelens.core.errors import MetadataError
from icelens.core.io.stack_paths import find_stacks, stack_name


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_names_are_relative_to_the_file_or_a_folder_above_it(tmp_path: Path) -> None:
    star = tmp_path / "Refine3D" / "job 02" / "run_data.star"
    stack = touch(tmp_path / "Extract" / "größe" / "a.mrcs")
    beside = touch(star.parent / "b.mrcs")
    found = find_stacks(star, ["Extract/größe/a.mrcs", "b.mrcs", "Extract/größe/a.mrcs:mrcs"])
    assert found == (stack, beside, stack)
    assert find_stacks(star, [">Extract/größe/a.mrcs", str(beside)]) == (stack, beside)


def test_a_name_that_leads_nowhere_is_where_it_should_have_been(tmp_path: Path) -> None:
    assert find_stacks(tmp_path / "p.star", ["x/a.mrcs"]) == (tmp_path / "x" / "a.mrcs",)


def test_below_a_given_root_leading_folders_do_not_matter(tmp_path: Path) -> None:
    stack = touch(tmp_path / "moved" / "TS_1" / "a.mrcs")
    names = ["/gone/Extract/TS_1/a.mrcs"]
    assert find_stacks(tmp_path / "p.star", names, tmp_path / "moved") == (stack,)


def test_two_names_for_one_file_below_a_root_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "moved" / "a.mrcs")
    with pytest.raises(MetadataError, match=r"job1/a.mrcs and job2/a.mrcs would both be"):
        find_stacks(tmp_path / "p.star", ["job1/a.mrcs", "job2/a.mrcs"], tmp_path / "moved")


def test_names_written_elsewhere_lead_to_the_same_file(tmp_path: Path) -> None:
    stack = touch(tmp_path / "project" / "Extract" / "a.mrcs")
    inside = tmp_path / "project" / "poses" / "p.star"
    outside = tmp_path / "other" / "p.star"
    beside = tmp_path / "project" / "p.star"
    assert stack_name(inside, stack, "Extract/a.mrcs") == "Extract/a.mrcs"
    assert stack_name(outside, stack, "Extract/a.mrcs") == str(stack)
    assert stack_name(beside, stack, str(stack)) == "Extract/a.mrcs"
    for target in (inside, outside, beside):
        assert find_stacks(target, [stack_name(target, stack)]) == (stack,)
