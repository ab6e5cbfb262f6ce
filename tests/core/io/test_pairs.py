"""Even and odd by name: the field's tokens, files that look alike, and what has no partner."""

import random

import pytest

from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.pairs import list_volumes, pair_halves, pair_name, tomogram_name


def paths(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


@pytest.mark.parametrize(
    ("even", "odd", "shared"),
    [
        ("TS_01_EVN.mrc", "TS_01_ODD.mrc", "TS_01"),
        ("TS_01_EVEN.mrc", "TS_01_ODD.mrc", "TS_01"),
        ("TS_01_even_Vol.mrc", "TS_01_odd_Vol.mrc", "TS_01_Vol"),
        ("even_TS-1.rec", "odd_TS-1.rec", "TS-1"),
        ("a-evn.mrc.gz", "a-odd.mrc.gz", "a"),
        ("rec_TS_01_half1.mrc", "rec_TS_01_half2.mrc", "rec_TS_01"),
        ("TS_01_h1.mrc", "TS_01_h2.mrc", "TS_01"),
        ("TS_01_A.mrc", "TS_01_B.mrc", "TS_01"),
        ("TS 01.even.mrc", "TS 01.odd.mrc", "TS 01"),
        ("TS_01_10.00Apx.mrc", "TS_01_10.00Apx.mrc", "TS_01_10.00Apx"),
    ],
)
def test_names_of_the_field_pair(tmp_path, even, odd, shared):
    (first,) = paths(tmp_path / "even", even)
    (second,) = paths(tmp_path / "odd", odd)
    assert pair_halves([first], [second]) == [(first, second)]
    assert pair_name(first) == pair_name(second) == shared


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("TS_01_EVN.mrc", "TS_01"),
        ("TS_01_ODD.mrc.gz", "TS_01"),
        ("TS_01.even.mrc", "TS_01"),
        ("a-half1.rec", "a"),
        ("TS_01_6.80Apx.mrc", "TS_01_6.80Apx"),
        ("GODD.mrc", "GODD"),
        ("grid_A.mrc", "grid_A"),
        ("TS_01_EVN_Vol.mrc", "TS_01_Vol"),
    ],
)
def test_tomogram_is_called_like_its_file_without_suffix_and_half(tmp_path, file, name):
    assert tomogram_name(tmp_path / file) == name


def test_pairing_never_depends_on_order(tmp_path):
    names = [f"TS_{number}" for number in (1, 2, 3, 10, 11, 20)]
    even = paths(tmp_path / "e", *(f"{name}_EVN.mrc" for name in names))
    odd = paths(tmp_path / "o", *(f"{name}_ODD.mrc" for name in names))
    random.Random(1).shuffle(odd)
    random.Random(2).shuffle(even)
    pairs = pair_halves(even, odd)
    assert [pair_name(a) for a, b in pairs] == names
    assert [pair_name(b) for a, b in pairs] == names


def test_words_inside_words_are_not_tokens(tmp_path):
    (even,) = paths(tmp_path / "e", "seventy_oddity_a_EVN.mrc")
    (odd,) = paths(tmp_path / "o", "seventy_oddity_a_ODD.mrc")
    assert pair_halves([even], [odd]) == [(even, odd)]


def test_files_without_a_partner_are_named(tmp_path):
    even = paths(tmp_path / "e", "TS_1_EVN.mrc", "TS_2_EVN.mrc")
    odd = paths(tmp_path / "o", "TS_1_ODD.mrc", "TS_3_ODD.mrc")
    with pytest.raises(MetadataError, match=r"TS_2_EVN\.mrc, TS_3_ODD\.mrc"):
        pair_halves(even, odd)
    with pytest.raises(MetadataError, match="2 even, 1 odd"):
        pair_halves(even, odd[:1])


def test_swapped_folders_are_noticed(tmp_path):
    even = paths(tmp_path / "e", "TS_1_EVN.mrc")
    odd = paths(tmp_path / "o", "TS_1_ODD.mrc")
    with pytest.raises(MetadataError, match="says odd, but it is listed as even"):
        pair_halves(odd, even)


def test_two_files_of_one_name_are_refused(tmp_path):
    even = paths(tmp_path / "e", "TS_1_EVN.mrc", "TS_1_EVN.rec")
    with pytest.raises(MetadataError, match="shares the name 'TS_1'"):
        pair_halves(even, paths(tmp_path / "o", "TS_1_ODD.mrc"))


def test_folders_list_densities_only(tmp_path):
    paths(tmp_path / "f", "b.mrc", "a é.REC", "notes.txt", ".hidden.mrc", "c.mrc.gz", "d.zarr")
    assert [path.name for path in list_volumes(tmp_path / "f")] == ["a é.REC", "b.mrc", "c.mrc.gz"]
    (tmp_path / "none").mkdir()
    for folder in ("none", "absent"):
        with pytest.raises(InputFileError):
            list_volumes(tmp_path / folder)
