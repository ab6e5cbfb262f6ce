"""Tables of jobs become curves; what is no table of curves is refused in one line."""

import math

import pytest

from icelens.apps.web.curve_tables import MOST_CURVES, MOST_ROWS, read_curves
from icelens.core.errors import InputFileError
from icelens.core.io.fsc_table import write_fsc


def test_a_correlation_has_its_thresholds_and_no_bookkeeping(tmp_path):
    path = tmp_path / "fsc.csv"
    write_fsc(path, [0.0, 0.1, 0.2], {"all": [1.0, 0.6, 0.1], "all_count": [1, 6, 12]})
    table = read_curves(path)
    assert table.kind == "fsc"
    assert [curve.name for curve in table.series] == ["all"]
    assert {mark.y for mark in table.marks} == {0.143, 0.5}
    assert table.x.scale == "resolution"


def test_shells_without_samples_have_no_correlation(tmp_path):
    path = tmp_path / "fsc.csv"
    columns = {"missing": [1.0, 0.0, 0.9], "missing_count": [1, 0, 5], "bare": [1.0, 0.0, 0.4]}
    write_fsc(path, [0.0, 0.1, 0.2], columns)
    counted, bare = read_curves(path).series
    assert counted.y == [1.0, None, 0.9]
    assert bare.y == [1.0, None, 0.4]


def test_a_guinier_table_has_no_infinities(tmp_path):
    path = tmp_path / "guinier.csv"
    path.write_text(
        "shell,spatial_frequency,inverse_square_resolution,ln_amplitude,ln_weighted,ln_line\n"
        "0,0,0,-9,-9,nan\n1,0.1,0.01,5,-inf,nan\n2,0.2,0.04,4,3,nan\n"
    )
    table = read_curves(path)
    assert table.kind == "guinier"
    assert [curve.name for curve in table.series] == ["mean of halves", "weighted by the FSC"]
    assert table.series[1].y == [None, 3.0]


def test_precision_is_drawn_over_recall_for_each_object(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text("object,threshold,precision,recall\na,0,1,0.5\nb,0,0.8,0.2\na,1,0.9,0.6\n")
    table = read_curves(path)
    assert [(c.name, c.x, c.y) for c in table.series] == [
        ("a", [0.5, 0.6], [1.0, 0.9]),
        ("b", [0.2], [0.8]),
    ]


def test_another_table_is_drawn_over_its_first_column(tmp_path):
    path = tmp_path / "any.csv"
    path.write_text("name,epoch,score\nx,1,0.5\ny,2,0.25\n")
    table = read_curves(path)
    assert (table.kind, table.x.label, table.series[0].y) == ("table", "epoch", [0.5, 0.25])


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"a,b\n", b"a\n1\n", b"a,b\nx,y\n", b"\x00\x01\xff\xfe", b'"' + b"x" * 200_000],
    ids=["empty", "blank", "header", "one column", "words", "binary", "quote"],
)
def test_what_is_no_table_of_curves_is_refused(tmp_path, content):
    path = tmp_path / "fsc.csv"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"fsc\.csv"):
        read_curves(path)


def test_rows_that_are_too_short_or_wrong_are_gaps(tmp_path):
    path = tmp_path / "fsc.csv"
    path.write_text("shell,spatial_frequency,fsc\n0,0,1\n1,0.1\n2,0.2,nan\n3,0.3,1e999\n4,x,0.5\n")
    (curve,) = read_curves(path).series
    assert curve.y == [1.0, None, None, None, 0.5]
    assert curve.x[-1] is None
    assert all(value is None or math.isfinite(value) for value in curve.y)


def test_a_table_of_particles_is_too_long(tmp_path):
    path = tmp_path / "latents.csv"
    path.write_text("row,z\n" + "1,2\n" * (MOST_ROWS + 1))
    with pytest.raises(InputFileError, match="rows"):
        read_curves(path)


def test_of_many_columns_only_some_are_drawn(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"c{i}" for i in range(5000)) + "\n" + ",".join(["1"] * 5000) + "\n")
    assert len(read_curves(path).series) <= MOST_CURVES
