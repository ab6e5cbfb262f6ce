"""From a row of the list to densities, masks, picks and tilts; every mistake is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy_tomograms import write_pair

from icelens.core.data.tomograms import TomogramRow
from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, IcelensError, MetadataError
from icelens.core.io.tomogram_star import read_tomograms
from icelens.core.io.volumes import write_volume
from icelens.tasks.restore.inputs import (
    Reading,
    choose_method,
    crop_starts,
    read_mask,
    sources,
    tilt_scheme,
)

READING = Reading("dark", "error")


@pytest.fixture
def row(tmp_path: Path) -> TomogramRow:
    return next(iter(read_tomograms(write_pair(tmp_path, (6, 8, 10)))))


def write(path: Path, values: np.ndarray, pixel_size: float = 10.0) -> Path:
    write_volume(path, Volume(np.asarray(values, np.float32), pixel_size))
    return path


def test_contrast_decides_the_sign_inside(row: TomogramRow) -> None:
    dark, light = (
        sources(row, "single-map", "full", Reading(contrast, "error"))[0][0].cut(
            (0, 0, 0), (6, 8, 10)
        )
        for contrast in ("dark", "light")
    )
    np.testing.assert_array_equal(dark, -light)


def test_methods_take_their_files(row: TomogramRow) -> None:
    assert sources(row, "even-odd", "auto", READING)[1] == (row.even, row.odd)
    assert sources(row, "denoise", "auto", READING)[1] == (row.even, row.odd)
    assert sources(row, "single-map", "auto", READING)[1] == (row.full,)
    deconvolved = replace(row, deconvolved=row.odd)
    assert sources(deconvolved, "single-map", "auto", READING)[1] == (row.odd,)
    assert sources(deconvolved, "single-map", "full", READING)[1] == (row.full,)


def test_method_follows_from_what_every_row_lists(row: TomogramRow) -> None:
    single = replace(row, even=None, odd=None)
    paired = replace(row, full=None)
    assert choose_method([row, row], "auto") == "even-odd"
    assert choose_method([row, single], "auto") == "single-map"
    assert choose_method([row], "single-map") == "single-map"
    with pytest.raises(MetadataError, match="neither both halves nor a full tomogram"):
        choose_method([paired, single], "auto")


def test_halves_of_different_shape_are_refused(row: TomogramRow, tmp_path: Path) -> None:
    other = write(tmp_path / "odd.mrc", np.random.default_rng(0).normal(size=(6, 8, 11)))
    with pytest.raises(GeometryError, match=r"\(6, 8, 10\), the odd one \(6, 8, 11\)"):
        sources(replace(row, odd=other), "even-odd", "auto", READING)


def test_row_without_the_needed_file_says_which_job_makes_it(row: TomogramRow) -> None:
    with pytest.raises(MetadataError, match="icelens restore prepare --even DIR --odd DIR"):
        sources(replace(row, odd=None), "even-odd", "auto", READING)
    with pytest.raises(MetadataError, match="icelens restore deconvolve"):
        sources(row, "single-map", "deconvolved", READING)


def test_header_that_contradicts_the_list_is_refused(row: TomogramRow) -> None:
    wrong = replace(row, pixel_size=13.0)
    with pytest.raises(MetadataError, match="13"):
        sources(wrong, "even-odd", "auto", READING)
    trusted = sources(wrong, "even-odd", "auto", Reading("dark", "metadata"))[0]
    assert trusted[0].volume.pixel_size == 13.0


def test_mask_of_another_shape_is_refused(row: TomogramRow, tmp_path: Path) -> None:
    assert read_mask(row, (6, 8, 10)) is None
    path = write(tmp_path / "mask.mrc", np.ones((6, 8, 9)))
    with pytest.raises(GeometryError, match=r"mask\.mrc: the mask has .*icelens restore mask"):
        read_mask(replace(row, mask=path), (6, 8, 10))


@pytest.mark.parametrize("size", [36, 40, 48, 50, 200])
def test_boxes_around_picks_lie_inside_or_in_the_middle_of_a_slab(
    row: TomogramRow, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "picks.txt"
    path.write_text("100 100 0\n1 199 17\n")
    shape = (size, 200, 200)
    starts = crop_starts(replace(row, picks=path), shape, 48)
    assert starts[0][1:] == (76, 76)
    assert starts[1][1:] == (152, 0)
    for z, _, _ in starts:
        if size <= 48:
            assert z == size // 2 - 24
        else:
            assert 0 <= z <= size - 48


def test_pick_outside_the_tomogram_is_refused(row: TomogramRow, tmp_path: Path) -> None:
    path = tmp_path / "picks.txt"
    path.write_text("1 1 1\n500 5 5\n")
    with pytest.raises(GeometryError, match=r"picks\.txt: 1 of 2 positions lie outside"):
        crop_starts(replace(row, picks=path), (6, 8, 10), 16)


def test_tilt_file_gives_single_tilts_unless_told_otherwise(
    row: TomogramRow, tmp_path: Path
) -> None:
    path = tmp_path / "a.tlt"
    path.write_text("-40\n0\n50\n")
    listed = replace(row, tilt_file=path)
    assert tilt_scheme(listed, use_tilt_files=True).angles == (-40.0, 0.0, 50.0)
    sharp = tilt_scheme(listed, use_tilt_files=False)
    assert (sharp.tilt_min, sharp.tilt_max, sharp.angles) == (-60.0, 60.0, ())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_damaged_voxels_name_their_file(row: TomogramRow, tmp_path: Path, bad: float) -> None:
    values = np.random.default_rng(0).normal(size=(6, 8, 10))
    values[3, 3, 3] = bad
    path = write(tmp_path / "bad.mrc", values)
    with pytest.raises(IcelensError, match=r"bad\.mrc: holds voxels that are not finite"):
        sources(replace(row, even=path), "even-odd", "auto", READING)
