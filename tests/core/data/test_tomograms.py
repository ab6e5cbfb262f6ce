"""The list of tomograms: which rows, which files, and what each error tells."""

from pathlib import Path

import pytest

from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.errors import InputFileError, MetadataError


def tomograms(*indices, source=None, **fields):
    rows = [TomogramRow(index=index, pixel_size=10.0, **fields) for index in indices]
    return TomogramList.from_rows(rows, source)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("all", [1, 2, 3, 4, 7]), (None, [1, 2, 3, 4, 7]), ("1,3-4", [1, 3, 4]), (" 7 ,2", [2, 7])],
)
def test_rows_are_selected_by_index_in_table_order(text, expected):
    assert [row.index for row in tomograms(1, 2, 3, 4, 7).select(text)] == expected


@pytest.mark.parametrize("text", ["x", "1,,2", "3-1", "5", "1-4", "-1", "1.5"])
def test_a_selection_that_means_nothing_is_refused(text):
    with pytest.raises(MetadataError):
        tomograms(1, 2, 4).select(text)


def test_a_missing_file_name_names_row_column_and_job(tmp_path):
    row = next(iter(tomograms(3, source=tmp_path / "t.star")))
    with pytest.raises(
        MetadataError, match=r"rlnIndex 3: rlnMaskName is None; .*icelens restore mask"
    ):
        row.require("mask")


def test_a_row_that_points_nowhere_names_the_path(tmp_path):
    row = next(iter(tomograms(1, full=tmp_path / "absent.mrc")))
    with pytest.raises(InputFileError, match=r"rlnTomoName names .*absent\.mrc.* does not exist"):
        row.require("full")


def test_relative_paths_are_sought_here_first_then_beside_the_star(tmp_path, monkeypatch):
    project, elsewhere = tmp_path / "my project", tmp_path / "élsewhere"
    for folder in (project, elsewhere):
        folder.mkdir()
    (project / "a.mrc").touch()
    monkeypatch.chdir(elsewhere)
    listed = tomograms(1, source=project / "t.star", full=Path("a.mrc"))
    assert next(iter(listed)).require("full") == project / "a.mrc"
    (elsewhere / "a.mrc").touch()
    assert str(next(iter(listed)).require("full")) == "a.mrc"


def test_changed_columns_leave_the_old_list_alone():
    old = tomograms(1, 2)
    new = old.with_column("num_subtomograms", {1: 5}).with_column("num_subtomograms", {2: 6})
    assert [row.num_subtomograms for row in new] == [5, 6]
    assert [row.num_subtomograms for row in old] == [None, None]
    assert [row.ground_truth for row in new] == [None, None]


@pytest.mark.parametrize(
    "fields",
    [
        {"pixel_size": 0.0},
        {"tilt_min": 60.0, "tilt_max": -60.0},
        {"tilt_min": -100.0},
        {"amplitude_contrast": 10.0},
        {"voltage": 0.0},
        {"num_subtomograms": 0},
        {"num_subtomograms": -2},
    ],
)
def test_impossible_recording_conditions_are_refused(fields):
    with pytest.raises(MetadataError):
        TomogramRow(**{"index": 1, "pixel_size": 10.0, **fields})


def test_list_without_rows_says_so():
    with pytest.raises(MetadataError, match="no rows, expected one for each tomogram"):
        TomogramList.from_rows([])


def test_new_path_is_found_from_both_folders(tmp_path, monkeypatch):
    project, elsewhere = tmp_path / "project", tmp_path / "project" / "elsewhere"
    elsewhere.mkdir(parents=True)
    (project / "a.mrc").touch()
    (elsewhere / "mask.mrc").touch()
    monkeypatch.chdir(elsewhere)
    listed = tomograms(1, source=project / "t.star", full=Path("a.mrc"))
    changed = listed.with_column("mask", {1: Path("mask.mrc")})
    for folder in (elsewhere, project):
        monkeypatch.chdir(folder)
        assert next(iter(changed)).require("mask").samefile(elsewhere / "mask.mrc")
