from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from restore_files import SHAPE, run_words, write_density, write_halves

from icelens.core.data.tomograms import TomogramRow
from icelens.core.errors import GeometryError, IcelensError, InputFileError, MetadataError
from icelens.core.events import Event, Message
from icelens.core.io.tomogram_star import read_tomograms
from icelens.core.io.volumes import open_volume
from icelens.tasks.restore.jobs import prepare


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows_of(line: str, events: list[Event] | None = None) -> list[TomogramRow]:
    run_words(prepare, f"--star tomograms.star {line}", events)
    return list(read_tomograms(Path("tomograms.star")))


def test_halves_are_listed_by_the_line_of_the_guide(folder: Path) -> None:
    write_halves(folder, "TS_01", "TS_02")
    rows = rows_of("--even even --odd odd --pixel-size 10 --defocus 35000 --subtomograms 100")
    assert [row.index for row in rows] == [1, 2]
    assert [row.even for row in rows] == [Path("even/TS_01_EVN.mrc"), Path("even/TS_02_EVN.mrc")]
    assert [row.odd for row in rows] == [Path("odd/TS_01_ODD.mrc"), Path("odd/TS_02_ODD.mrc")]
    assert rows[0].full is None
    assert (rows[0].pixel_size, rows[0].defocus, rows[0].num_subtomograms) == (10.0, 35000.0, 100)
    assert (rows[0].tilt_min, rows[0].tilt_max, rows[0].voltage) == (-60.0, 60.0, 300.0)


def test_full_tomograms_take_their_pixel_size_from_the_header(folder: Path) -> None:
    write_density(folder / "full" / "TS_01.mrc", pixel_size=7.8)
    events: list[Event] = []
    (row,) = rows_of("--full full", events)
    assert row.pixel_size == pytest.approx(7.8)
    assert row.num_subtomograms == 3000
    warnings = [e.text for e in events if isinstance(e, Message) and e.level == "warning"]
    assert any("defocus is not known" in text for text in warnings)


def test_one_file_is_as_good_as_a_folder(folder: Path) -> None:
    write_halves(folder, "TS_01")
    (row,) = rows_of("--even even/TS_01_EVN.mrc --odd odd/TS_01_ODD.mrc --defocus 30000")
    assert row.even == Path("even/TS_01_EVN.mrc")


def test_everything_is_matched_by_name_not_by_order(folder: Path) -> None:
    write_halves(folder, "TS_2", "TS_10")
    for name in ("TS_10", "TS_2"):
        write_density(folder / "full" / f"{name}.mrc")
        write_density(folder / "masks" / f"{name}_mask.mrc")
        (folder / "boxes").mkdir(exist_ok=True)
        (folder / "boxes" / f"{name}.txt").write_text("3 4 5\n")
        (folder / "tilts").mkdir(exist_ok=True)
        (folder / "tilts" / f"{name}.tlt").write_text(
            "-50\n0\n40\n" if name == "TS_2" else "-9\n9\n"
        )
    write_density(folder / "masks" / "TS_3_mask.mrc")
    first, second = rows_of(
        "--even even --odd odd --full full --masks masks --picks boxes --tilt-files tilts "
        "--defocus 30000,35000"
    )
    assert (first.full, second.full) == (Path("full/TS_2.mrc"), Path("full/TS_10.mrc"))
    assert (first.mask, second.mask) == (Path("masks/TS_2_mask.mrc"), Path("masks/TS_10_mask.mrc"))
    assert first.picks == Path("boxes/TS_2.txt")
    assert first.num_subtomograms is None
    assert (first.tilt_min, first.tilt_max, second.tilt_max) == (-50.0, 40.0, 9.0)
    assert (first.defocus, second.defocus) == (30000.0, 35000.0)


def test_what_the_user_says_goes_before_the_tilt_file(folder: Path) -> None:
    write_density(folder / "full" / "TS_01.mrc")
    (folder / "TS_01.tlt").write_text("-50\n50\n")
    (row,) = rows_of("--full full --tilt-files TS_01.tlt --tilt-max 45 --defocus 30000")
    assert (row.tilt_min, row.tilt_max) == (-50.0, 45.0)


def test_average_is_the_mean_of_the_halves(folder: Path) -> None:
    write_halves(folder, "TS_01")
    (row,) = rows_of("--even even --odd odd --defocus 30000 --create-average")
    assert row.full is not None
    even, odd, full = (open_volume(path).array for path in (row.even, row.odd, row.full) if path)
    # One addition and one halving in float32.
    np.testing.assert_allclose(full, (even.astype(float) + odd) / 2, atol=1e-6)


def test_earlier_list_is_kept_beside(folder: Path) -> None:
    write_density(folder / "full" / "TS_01.mrc")
    rows_of("--full full --defocus 30000")
    before = Path("tomograms.star").read_text()
    rows_of("--full full --defocus 40000")
    assert Path("tomograms.previous.star").read_text() == before


def test_warp_folder_gives_halves_tilts_and_defocus(folder: Path) -> None:
    write_density(folder / "warp/reconstruction/even/TS_1_10.00Apx.mrc", seed=1)
    write_density(folder / "warp/reconstruction/odd/TS_1_10.00Apx.mrc", seed=2)
    nodes = "".join(f'<Node X="0" Y="0" Z="{z}" Value="{3 + z}" />' for z in range(3))
    (folder / "warp/TS_1.xml").write_text(
        f'<TiltSeries><Angles>-51\n0\n48</Angles><GridCTF Width="1">{nodes}</GridCTF></TiltSeries>'
    )
    (row,) = rows_of("--warp warp")
    assert (row.tilt_min, row.tilt_max, row.defocus) == (-51.0, 48.0, 40000.0)
    assert row.odd == Path("warp/reconstruction/odd/TS_1_10.00Apx.mrc")
    assert row.tilt_file == Path("warp/TS_1.xml")


def test_aretomo_folder_gives_volumes_and_not_tilt_series(folder: Path) -> None:
    for name in ("TS_1_EVN_Vol", "TS_1_ODD_Vol", "TS_1_Vol", "TS_1_2ND_Vol", "TS_1"):
        write_density(folder / "aretomo" / f"{name}.mrc", seed=len(name))
    lines = [f"{i} 85.0 1.0 0 0 1 1 1 0 {angle}" for i, angle in enumerate((-42, 0, 42))]
    (folder / "aretomo/TS_1.aln").write_text("# AreTomo Alignment\n" + "\n".join(lines) + "\n")
    (row,) = rows_of("--aretomo aretomo --defocus 20000")
    names = [path.name for path in (row.even, row.odd, row.full) if path]
    assert names == ["TS_1_EVN_Vol.mrc", "TS_1_ODD_Vol.mrc", "TS_1_Vol.mrc"]
    assert (row.tilt_min, row.tilt_max) == (-42.0, 42.0)


def test_relion_set_gives_optics_and_tilts(folder: Path) -> None:
    from icelens.core.data.tilt_series import TiltSeries
    from icelens.core.data.tomograms import TomogramList
    from icelens.core.io.relion_tomograms import write_relion_tomograms

    write_density(folder / "rec/TS_7.mrc")
    row = TomogramRow(index=1, pixel_size=10.0, full=Path("rec/TS_7.mrc"), voltage=200.0)
    tilts = TiltSeries(
        np.array([-30.0, 0.0, 33.0]), defocus_u=np.array([1e4, 2e4, 3e4]), pixel_size=2.5
    )
    write_relion_tomograms(
        Path("relion.star"), TomogramList.from_rows([row]), ("TS_7",), (tilts,), shapes={1: SHAPE}
    )
    (found,) = rows_of("--relion5 relion.star")
    assert replace(found, source=None, tilt_file=None, num_subtomograms=None) == replace(
        row, tilt_min=-30.0, tilt_max=33.0, defocus=20000.0, source=None
    )


def test_nothing_is_written_when_something_is_wrong(folder: Path) -> None:
    write_halves(folder, "TS_01")
    write_density(folder / "odd/TS_01_ODD.mrc", np.random.default_rng(0).random((20, 32, 30)))
    with pytest.raises(GeometryError, match=r"TS_01_ODD.mrc.*\(20, 32, 30\).*same grid"):
        rows_of("--even even --odd odd --defocus 30000")
    assert not Path("tomograms.star").exists()


def broken_count(folder: Path) -> str:
    write_halves(folder, "TS_01", "TS_02")
    (folder / "odd/TS_02_ODD.mrc").unlink()
    return "--even even --odd odd"


def broken_name(folder: Path) -> str:
    write_halves(folder, "TS_01")
    (folder / "odd/TS_01_ODD.mrc").rename(folder / "odd/TS_03_ODD.mrc")
    return "--even even --odd odd"


def swapped_folders(folder: Path) -> str:
    write_halves(folder, "TS_01")
    return "--even odd --odd even"


def lone_half(folder: Path) -> str:
    write_halves(folder, "TS_01")
    return "--even even"


def unknown_pixel_size(folder: Path) -> str:
    path = write_density(folder / "full/TS_01.mrc")
    forget_pixel_size(path)
    return "--full full"


def pixel_size_zero(folder: Path) -> str:
    write_density(folder / "full/TS_01.mrc")
    return "--full full --pixel-size 0"


def contradicting_pixel_size(folder: Path) -> str:
    write_density(folder / "full/TS_01.mrc", pixel_size=8.0)
    return "--full full --pixel-size 10"


def contradicting_halves(folder: Path) -> str:
    write_halves(folder, "TS_01")
    write_density(folder / "odd/TS_01_ODD.mrc", pixel_size=9.0)
    return "--even even --odd odd"


def constant_volume(folder: Path) -> str:
    write_density(folder / "full/TS_01.mrc", np.full(SHAPE, 3.0))
    return "--full full"


def nan_volume(folder: Path) -> str:
    values = np.random.default_rng(0).random(SHAPE)
    values[3, 4, 5] = np.nan
    write_density(folder / "full/TS_01.mrc", values)
    return "--full full"


def truncated_volume(folder: Path) -> str:
    path = write_density(folder / "full/TS_01.mrc")
    path.write_bytes(path.read_bytes()[:5000])
    return "--full full"


def empty_folder(folder: Path) -> str:
    (folder / "full").mkdir()
    return "--full full"


def missing_mask(folder: Path) -> str:
    write_halves(folder, "TS_01", "TS_02")
    write_density(folder / "masks/TS_01_mask.mrc")
    return "--even even --odd odd --masks masks"


def two_masks(folder: Path) -> str:
    write_density(folder / "full/TS_01.mrc")
    write_density(folder / "masks/TS_01_mask.mrc")
    write_density(folder / "masks/TS_01_old.mrc")
    return "--full full --masks masks"


def too_many_defoci(folder: Path) -> str:
    write_density(folder / "full/TS_01.mrc")
    return "--full full --defocus 30000,35000"


def defocus_in_um(folder: Path) -> str:
    write_density(folder / "full/TS_01.mrc")
    return "--full full --defocus 3.5"


def reversed_tilts(folder: Path) -> str:
    write_density(folder / "full/TS_01.mrc")
    return "--full full --tilt-min 60 --tilt-max -60"


def forget_pixel_size(path: Path) -> None:
    """Write zero into the cell lengths of an MRC header (bytes 40 to 52)."""
    content = bytearray(path.read_bytes())
    content[40:52] = bytes(12)
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("make", "kind", "says"),
    [
        (broken_count, MetadataError, "TS_02_EVN"),
        (broken_name, MetadataError, "no partner for TS_01_EVN.mrc, TS_03_ODD.mrc"),
        (swapped_folders, MetadataError, "swap the folders"),
        (lone_half, MetadataError, "--even is given without --odd"),
        (unknown_pixel_size, MetadataError, "give it in Å with --pixel-size"),
        (pixel_size_zero, IcelensError, "--pixel-size: found '0'"),
        (contradicting_pixel_size, MetadataError, r"8 Å/px.*10 Å/px.*--pixel-size-from"),
        (contradicting_halves, MetadataError, "9 and 10 Å/px"),
        (constant_volume, InputFileError, "every voxel is 3"),
        (nan_volume, InputFileError, r"TS_01.mrc: NaN .*\(3, 4, 5\)"),
        (truncated_volume, InputFileError, "TS_01.mrc"),
        (empty_folder, InputFileError, "full: no density file"),
        (missing_mask, MetadataError, "no mask for tomogram 'TS_02'"),
        (two_masks, MetadataError, "2 files could be the mask"),
        (too_many_defoci, MetadataError, "2 values for 1 tomograms"),
        (defocus_in_um, MetadataError, "3.5 µm is 35000"),
        (reversed_tilts, MetadataError, "reversed"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_list(
    folder: Path, make: object, kind: type[IcelensError], says: str
) -> None:
    assert callable(make)
    line = make(folder)
    with pytest.raises(kind, match=says) as caught:
        rows_of(line)
    assert "\n" not in str(caught.value)
    assert not Path("tomograms.star").exists()
