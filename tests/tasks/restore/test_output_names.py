"""Names of output files."""

from icelens.tasks.restore.output_names import told_apart


def test_names_that_rows_share_get_the_index() -> None:
    names = told_apart({1: "TS", 2: "TS_01", 5: "TS"})
    assert names == {1: "TS_1", 2: "TS_01", 5: "TS_5"}
