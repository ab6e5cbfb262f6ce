from pathlib import Path

import numpy as np
import pytest
from restore_files import SHAPE, run_words, write_density
from scipy import ndimage

from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.errors import GeometryError, IcelensError, InputFileError, MetadataError
from icelens.core.io.tomogram_star import read_tomograms, update_tomograms, write_tomograms
from icelens.core.io.volumes import open_volume
from icelens.tasks.restore.jobs import mask
from icelens.tasks.restore.mask import (
    MaskSettings,
    binned,
    open_source,
    protein_regions,
    write_mask,
)

STAR = Path("tomograms.star")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def list_one(**files: Path) -> TomogramRow:
    row = TomogramRow(index=1, pixel_size=10.0, defocus=35000.0, **files)
    write_tomograms(STAR, TomogramList.from_rows([row]))
    return row


def blob(shape: tuple[int, int, int] = (24, 48, 52)) -> np.ndarray:
    """Noise with one dark ball of protein at voxel (12, 30, 20)."""
    z, y, x = np.indices(shape)
    noise = np.random.default_rng(0).standard_normal(shape)
    ball = (z - 12) ** 2 + (y - 30) ** 2 + (x - 20) ** 2 < 6**2
    return 50 + noise - 8.0 * ball


def test_protein_is_inside_and_far_ice_is_outside(folder: Path) -> None:
    list_one(full=write_density(folder / "TS_01.mrc", blob()))
    run_words(mask, "--star tomograms.star --density-percentage 20 --std-percentage 30")
    (row,) = read_tomograms(STAR)
    assert row.mask == Path("masks/TS_01_mask.mrc")
    found = open_volume(row.require("mask"))
    assert found.array.dtype == np.int8
    assert found.pixel_size == pytest.approx(10.0)
    assert set(np.unique(found.array)) == {0, 1}
    assert found.array[12, 30, 20] == 1
    assert found.array[12, 5, 47] == 0


def test_contrast_says_which_side_is_protein(folder: Path) -> None:
    list_one(full=write_density(folder / "TS_01.mrc", -blob()))
    run_words(
        mask,
        "--star tomograms.star --contrast light --density-percentage 20 --std-percentage 100",
    )
    light = np.array(open_volume(Path("masks/TS_01_mask.mrc")).array)
    list_one(full=write_density(folder / "TS_01.mrc", blob()))
    run_words(mask, "--star tomograms.star --density-percentage 20 --std-percentage 100")
    np.testing.assert_array_equal(open_volume(Path("masks/TS_01_mask.mrc")).array, light)


def test_ranks_agree_with_a_plain_computation_in_double_precision() -> None:
    density = np.random.default_rng(3).standard_normal((12, 20, 24))
    smooth = ndimage.gaussian_filter(density, 2.0)
    highest = ndimage.maximum_filter(smooth, 9)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(smooth, 4, mode="symmetric"), (9,) * 3
    )
    std = windows.std(axis=(3, 4, 5))
    expected = (highest > np.percentile(highest, 60)) & (std > np.percentile(std, 70))
    found = protein_regions(density.astype(np.float32) + 100, MaskSettings(4, 40.0, 30.0, 0.0))
    # Voxels at the percentile itself may fall to either side in single precision.
    assert (found != expected).mean() < 0.002


def test_binning_takes_means_and_keeps_an_odd_end(folder: Path) -> None:
    values = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)
    row = list_one(full=write_density(folder / "TS_01.mrc", values))
    result = binned(open_source(row, contrast="light"))
    assert result.shape == (3, 3, 4)
    # Four additions in float32.
    assert result[1, 2, 1] == pytest.approx(values[2:4, 4:6, 2:4].mean(), rel=1e-6)
    assert result[2, 0, 3] == pytest.approx(values[4, 0:2, 6].mean(), rel=1e-6)


@pytest.mark.parametrize("z_crop", [0.0, 0.2, 0.5])
def test_crop_empties_both_faces_alike(folder: Path, z_crop: float) -> None:
    row = list_one(full=write_density(folder / "TS_01.mrc"))
    settings = MaskSettings(2, 100.0, 100.0, z_crop)
    kept = write_mask(Path("mask.mrc"), open_source(row), settings)
    filled = np.flatnonzero(open_volume(Path("mask.mrc")).array.any(axis=(1, 2)))
    margin = int(SHAPE[0] * z_crop / 2)
    np.testing.assert_array_equal(filled, np.arange(margin, SHAPE[0] - margin))
    assert kept == pytest.approx(len(filled) / SHAPE[0])


def test_polygon_named_in_the_list_bounds_the_mask(folder: Path) -> None:
    (folder / "polygon.txt").write_text("2 3 5\n20 3 5\n20 19 5\n2 19 5\n")
    list_one(full=write_density(folder / "TS_01.mrc"), mask_boundary=Path("polygon.txt"))
    run_words(
        mask, "--star tomograms.star --density-percentage 100 --std-percentage 100 --z-crop 0"
    )
    found = open_volume(Path("masks/TS_01_mask.mrc")).array
    expected = np.zeros(SHAPE)
    expected[:, 3:19, 2:20] = 1
    np.testing.assert_array_equal(found, expected)


def test_best_tomogram_is_taken_first(folder: Path) -> None:
    files = {
        name: write_density(folder / f"TS_01_{name}.mrc", seed=seed)
        for seed, name in enumerate(("even", "odd", "full", "deconvolved", "denoised"))
    }
    for dropped, expected in (
        ((), ["denoised"]),
        (("denoised",), ["deconvolved"]),
        (("denoised", "deconvolved"), ["full"]),
        (("denoised", "deconvolved", "full"), ["even", "odd"]),
    ):
        row = list_one(**{name: path for name, path in files.items() if name not in dropped})
        assert list(open_source(row).paths) == [files[name] for name in expected]


def test_halves_are_averaged(folder: Path) -> None:
    row = list_one(
        even=write_density(folder / "even.mrc", seed=1),
        odd=write_density(folder / "odd.mrc", seed=2),
    )
    even, odd = (open_volume(path).array for path in (folder / "even.mrc", folder / "odd.mrc"))
    planes = open_source(row, "halves").read(slice(2, 4))
    np.testing.assert_allclose(planes, -(even[2:4] + odd[2:4]) / 2, rtol=1e-6)


def test_chosen_rows_only_and_others_keep_theirs(folder: Path) -> None:
    rows = [
        TomogramRow(
            index=index,
            pixel_size=10.0,
            full=write_density(folder / f"TS_{index}.mrc", seed=index),
            mask=Path("mine.mrc"),
        )
        for index in (1, 2, 3)
    ]
    write_tomograms(STAR, TomogramList.from_rows(rows))
    run_words(mask, "--star tomograms.star --tomograms 1,3 --output made")
    assert [row.mask for row in read_tomograms(STAR)] == [
        Path("made/TS_1_mask.mrc"),
        Path("mine.mrc"),
        Path("made/TS_3_mask.mrc"),
    ]


def test_two_tomograms_of_one_name_do_not_overwrite_each_other(folder: Path) -> None:
    rows = [
        TomogramRow(
            index=index,
            pixel_size=10.0,
            full=write_density(folder / place / "TS_1.mrc", seed=index),
        )
        for index, place in ((1, "a"), (2, "b"))
    ]
    write_tomograms(STAR, TomogramList.from_rows(rows))
    run_words(mask, "--star tomograms.star")
    first, second = (row.mask for row in read_tomograms(STAR))
    assert first != second


def test_what_another_job_wrote_meanwhile_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_one(full=write_density(folder / "TS_01.mrc"))
    from icelens.tasks.restore import classical

    def while_another_job_writes(*args: object, **named: object) -> float:
        update_tomograms(STAR, "corrected", {1: "corrected.mrc"})
        return write_mask(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(classical, "write_mask", while_another_job_writes)
    run_words(mask, "--star tomograms.star")
    (row,) = read_tomograms(STAR)
    assert (row.mask, row.corrected) == (Path("masks/TS_01_mask.mrc"), Path("corrected.mrc"))


def constant(folder: Path) -> str:
    list_one(full=write_density(folder / "TS_01.mrc", np.full(SHAPE, 7.0)))
    return ""


def not_a_number(folder: Path) -> str:
    values = blob()
    values[6, 9, 3] = np.nan
    list_one(full=write_density(folder / "TS_01.mrc", values))
    return ""


def all_excluded(folder: Path) -> str:
    list_one(full=write_density(folder / "TS_01.mrc"))
    return "--density-percentage 0"


def polygon_elsewhere(folder: Path) -> str:
    (folder / "polygon.txt").write_text("2 3 5\n3 3 5\n3 4 5\n1 1 0\n1 1 0\n")
    list_one(full=write_density(folder / "TS_01.mrc"), mask_boundary=Path("polygon.txt"))
    return "--z-crop 0.9"


def halves_of_two_shapes(folder: Path) -> str:
    list_one(
        even=write_density(folder / "even.mrc", blob()),
        odd=write_density(folder / "odd.mrc", blob((24, 48, 50))),
    )
    return ""


def one_half_failed(folder: Path) -> str:
    list_one(
        even=write_density(folder / "even.mrc", np.full(SHAPE, 3.0)),
        odd=write_density(folder / "odd.mrc"),
    )
    return ""


def nowhere(folder: Path) -> str:
    list_one(full=Path("gone.mrc"))
    return ""


def contradiction(folder: Path) -> str:
    list_one(full=write_density(folder / "TS_01.mrc", pixel_size=5.0))
    return ""


def no_such_row(folder: Path) -> str:
    list_one(full=write_density(folder / "TS_01.mrc"))
    return "--tomograms 1,4"


def absent_column(folder: Path) -> str:
    list_one(full=write_density(folder / "TS_01.mrc"))
    return "--input-column denoised"


@pytest.mark.parametrize(
    ("make", "kind", "says"),
    [
        (constant, InputFileError, "TS_01.mrc: every voxel is 7"),
        (not_a_number, InputFileError, r"TS_01.mrc: NaN .*\(6, 8, 2\)"),
        (all_excluded, GeometryError, "would exclude everything; raise --density-percentage"),
        (polygon_elsewhere, GeometryError, "would exclude everything"),
        (halves_of_two_shapes, GeometryError, r"\(24, 48, 52\) and \(24, 48, 50\)"),
        (one_half_failed, InputFileError, "even.mrc: every voxel is 3"),
        (nowhere, InputFileError, "rlnIndex 1: rlnTomoName names gone.mrc, which does not exist"),
        (contradiction, MetadataError, "5 Å/px but the metadata say 10 Å/px.*--pixel-size-from"),
        (no_such_row, MetadataError, "no row has rlnIndex 4"),
        (absent_column, MetadataError, "rlnDenoisedTomoName is None; fill it"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    folder: Path, make: object, kind: type[IcelensError], says: str
) -> None:
    assert callable(make)
    line = make(folder)
    before = STAR.read_bytes()
    with pytest.raises(kind, match=says) as caught:
        run_words(mask, f"--star tomograms.star {line}")
    assert "\n" not in str(caught.value)
    assert STAR.read_bytes() == before
    assert not list(Path("masks").glob("*.mrc"))
