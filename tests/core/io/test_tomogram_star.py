"""IsoNet2's list on disk: unchanged by us where it must be, and safe between processes."""

import multiprocessing
import time

import pytest

from icelens.core.data.tomogram_columns import ISONET2_COLUMNS
from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.errors import InputFileError, MetadataError, RunLockedError
from icelens.core.io.locks import exclusive_lock
from icelens.core.io.tomogram_star import (
    read_tomograms,
    tomograms_from_json,
    tomograms_to_json,
    update_tomograms,
    write_tomograms,
)

HEADER = "data_\n\nloop_\n" + "".join(f"_{c} #{i}\n" for i, c in enumerate(ISONET2_COLUMNS, 1))
ROW = (
    "{index}\tNone\teven/TS_{index}_EVN.mrc\todd/TS_{index}_ODD.mrc\t10.000000\t35000.000000\t300\t"
    "2.700000\t0.100000\tNone\tNone\t<NA>\t-60\t60\tNone\t600.000000\tNone\n"
)


@pytest.fixture
def star(tmp_path):
    path = tmp_path / "tomograms.star"
    path.write_text(HEADER + "".join(ROW.format(index=index) for index in (1, 2, 3)))
    return path


def test_a_list_of_isonet2_is_read_in_house_words(star):
    row = next(iter(read_tomograms(star)))
    assert (row.index, row.pixel_size, row.defocus, row.voltage) == (1, 10.0, 35000.0, 300.0)
    assert row.even.name == "TS_1_EVN.mrc"
    assert (row.full, row.deconvolved, row.mask, row.picks) == (None, None, None, None)
    assert row.num_subtomograms == 600
    assert isinstance(row.num_subtomograms, int)


def test_writing_keeps_column_order_and_every_cell(star, tmp_path):
    tomograms = read_tomograms(star)
    assert tuple(tomograms.table.columns) == ISONET2_COLUMNS
    copy = tmp_path / "new folder" / "écopie.star"
    write_tomograms(copy, tomograms)
    again = read_tomograms(copy)
    assert tuple(again.table.columns) == ISONET2_COLUMNS
    assert [(*vars(r).values(),)[:-1] for r in again] == [
        (*vars(r).values(),)[:-1] for r in tomograms
    ]


def test_rows_made_here_have_isonet2s_columns_only(tmp_path):
    made = TomogramList.from_rows([TomogramRow(index=1, pixel_size=10.0, full=tmp_path / "a.mrc")])
    assert tuple(made.table.columns) == ISONET2_COLUMNS
    write_tomograms(tmp_path / "t.star", made)
    assert next(iter(read_tomograms(tmp_path / "t.star"))).full == tmp_path / "a.mrc"


def test_an_update_changes_one_column_and_keeps_unknown_ones(star):
    star.write_text(
        star.read_text()
        .replace("loop_\n", "loop_\n_mineFirst #0\n")
        .replace("\n1\t", "\n007\t1\t")
        .replace("\n2\t", "\n'my own'\t2\t")
        .replace("\n3\t", "\nit's#3\t3\t")
    )
    before = read_tomograms(star).table
    update_tomograms(star, "denoised", {2: "out dir/TS 2.mrc"})
    after = read_tomograms(star)
    assert list(after.table["rlnDenoisedTomoName"]) == ["None", "out dir/TS 2.mrc", "None"]
    assert list(after.table["mineFirst"]) == ["007", "my own", "it's#3"]
    assert after.table[before.columns].equals(before)
    update_tomograms(star, "rlnMaskName", {1: "mask/1.mrc"})
    assert [row.mask and row.mask.name for row in read_tomograms(star)] == ["1.mrc", None, None]


def test_an_update_of_a_row_that_is_not_there_changes_nothing(star):
    before = star.read_bytes()
    with pytest.raises(MetadataError, match="no row has rlnIndex 9"):
        update_tomograms(star, "mask", {9: "x"})
    assert star.read_bytes() == before


def _update_many(star, column, num):
    for number in range(num):
        update_tomograms(star, column, {1 + number % 3: f"{column}_{number}"})


def test_processes_that_update_at_once_lose_nothing(star):
    spawn = multiprocessing.get_context("fork")
    workers = [
        spawn.Process(target=_update_many, args=(star, column, 9))
        for column in ("mask", "deconvolved", "corrected")
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    for column in ("mask", "deconvolved", "corrected"):
        names = [getattr(row, column).name for row in read_tomograms(star)]
        assert names == [f"{column}_{number}" for number in (6, 7, 8)]


def _hold(star, ready):
    with exclusive_lock(star):
        ready.set()
        time.sleep(60)


def test_a_list_in_use_is_named_after_waiting_and_freed_by_the_holders_death(star):
    fork = multiprocessing.get_context("fork")
    ready = fork.Event()
    holder = fork.Process(target=_hold, args=(star, ready))
    holder.start()
    assert ready.wait(10)
    told = []
    with pytest.raises(RunLockedError, match="another process has held it"):
        update_tomograms(star, "mask", {1: "m"}, wait_seconds=0.2, on_event=told.append)
    assert len(told) == 1
    holder.kill()
    holder.join()
    update_tomograms(star, "mask", {1: "m"}, wait_seconds=5.0)


def test_a_symbolic_link_stays_a_link_and_shares_the_lock(star, tmp_path):
    link = tmp_path / "linked.star"
    link.symlink_to(star)
    update_tomograms(link, "mask", {1: "m.mrc"})
    assert link.is_symlink()
    assert next(iter(read_tomograms(star))).mask.name == "m.mrc"
    with (
        exclusive_lock(star),
        pytest.raises(RunLockedError),
        exclusive_lock(link, wait_seconds=0.0),
    ):
        pytest.fail("both names were locked at once")


def test_json_goes_there_and_back(star, tmp_path):
    tomograms = read_tomograms(star)
    tomograms_to_json(tomograms, tmp_path / "t.json")
    again = tomograms_from_json(tmp_path / "t.json")
    assert [r.even for r in again] == [r.even for r in tomograms]
    assert tuple(again.table.columns) == ISONET2_COLUMNS
    (tmp_path / "bad.json").write_text("[1, 2]")
    with pytest.raises(InputFileError, match="not a table"):
        tomograms_from_json(tmp_path / "bad.json")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\t10.000000\t", "\tNone\t", "row 1: rlnPixelSize is empty"),
        ("\t10.000000\t", "\tten\t", "row 1: rlnPixelSize is 'ten', expected a number"),
        ("\t35000.000000\t", "\tnan\t", "rlnDefocus is empty"),
        ("\t-60\t60\t", "\t60\t-60\t", "tilt range 60 to -60 is reversed"),
        ("\t600.000000\t", "\t600.5\t", "rlnNumberSubtomo is 600.5, expected a whole number"),
        ("\n2\tNone", "\n1\tNone", "rlnIndex 1 comes twice"),
        ("_rlnTiltMin #13\n", "_rlnTiltLow #13\n", "column rlnTiltMin is missing"),
        ("\t10.000000\t", "\t-1\t", "rlnPixelSize is -1.0"),
    ],
)
def test_impossible_lists_are_refused_by_file_row_and_column(star, old, new, message):
    star.write_text(star.read_text().replace(old, new))
    with pytest.raises(MetadataError, match=message) as error:
        read_tomograms(star)
    assert str(error.value).startswith(f"{star}: ")
    assert "\n" not in str(error.value)


def test_a_relion_set_is_not_taken_for_a_list(tmp_path):
    path = tmp_path / "relion.star"
    path.write_text("data_global\nloop_\n_rlnTomoName\n_rlnTomoTiltSeriesStarFile\na b.star\n")
    with pytest.raises(MetadataError, match="RELION-5 tomogram set"):
        read_tomograms(path)
