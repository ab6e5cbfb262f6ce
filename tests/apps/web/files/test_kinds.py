"""Tests of apps/web/files/kinds.py."""

import pytest

from icelens.apps.web.files.kinds import ending_of, is_store, kind_of_name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("TS_01.MRC", "volume"), ("a.mrc.gz", "volume"), ("a.b.mrcs", "stack"), ("x.star", "star"),
        ("x.cs", "particles"), ("report.html", "page"), ("x.exe", "other"), ("noending", "other"),
        ("ä b.tif", "volume"), (".star", "other"),
    ],
)  # fmt: skip
def test_kinds_are_told_from_names(name: str, kind: str) -> None:
    assert kind_of_name(name) == kind


def test_double_endings_count_only_where_they_mean_something() -> None:
    assert ending_of("a.mrc.gz") == ".mrc.gz"
    assert ending_of("a.star.bak") == ".bak"
    assert is_store("a.ome.ZARR")
