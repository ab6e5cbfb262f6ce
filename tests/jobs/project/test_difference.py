"""Runs beside each other: the first setting that differs on top, contents compared, not names."""

from icelens.jobs.project.difference import compare


def rows(group):
    return [(row.name, row.values, row.differs) for row in group]


def test_the_first_difference_comes_first_and_where_a_run_writes_last():
    one = {"config": {"output": "a", "epochs": 3, "rate": 0.1, "loss": "l2"}}
    two = {"config": {"output": "b", "epochs": 3, "rate": 0.2, "loss": "l1"}}
    found = compare({"J1": one, "J2": two})
    assert [row.name for row in found.settings] == ["rate", "loss", "output", "epochs"]
    assert found.first is not None
    assert found.first.values == ("0.1", "0.2")


def test_what_only_some_have_differs_but_is_not_the_first_difference():
    found = compare({"J1": {"config": {"a": 1}}, "J2": {"config": {"a": 1, "b": None}}})
    assert rows(found.settings) == [("b", (None, "none"), True), ("a", ("1", "1"), False)]
    assert found.first is None


def test_nested_settings_have_dotted_names():
    found = compare({"J1": {"config": {"s": {"x": 1}}}, "J2": {"config": {"s": {"x": 2}}}})
    assert found.first is not None
    assert found.first.name == "s.x"


def test_inputs_differ_by_content_not_by_name():
    def record(path, digest):
        return {"inputs": [{"setting": "star", "path": path, "size": 3, "sha256": digest}]}

    same = compare({"J1": record("a.star", "f" * 64), "J2": record("b.star", "f" * 64)})
    other = compare({"J1": record("a.star", "f" * 64), "J2": record("a.star", "e" * 64)})
    assert not same.inputs[0].differs
    assert other.inputs[0].differs


def test_several_files_of_one_setting_are_numbered():
    files = [{"setting": "maps", "path": name} for name in ("a", "b")]
    found = compare({"J1": {"inputs": files}, "J2": {"inputs": files[:1]}})
    assert {row.name for row in found.inputs} == {"maps", "maps 2"}


def test_times_and_memory_are_told_in_words():
    record = {"job": "a.b", "seconds": 75.0, "peak_memory_bytes": 2**31}
    outcome = {row.name: row.values for row in compare({"J1": record, "J2": {}}).outcome}
    assert outcome["duration"] == ("1 min 15 s", None)
    assert outcome["memory"] == ("2.00 GiB at most", None)


def test_paths_of_the_project_are_shown_without_its_folder():
    records = {"J1": {"config": {"star": "/p/a.star"}}, "J2": {"config": {"star": "/q/a.star"}}}
    assert compare(records, root="/p/").settings[0].values == ("a.star", "/q/a.star")


def test_one_run_differs_from_nothing():
    found = compare({"J1": {"config": {"a": 1}, "versions": {"icelens": "1"}}})
    assert not any(row.differs for row in (*found.settings, *found.versions))
    assert compare({}).settings == ()


def test_a_damaged_record_counts_as_absent():
    hostile = {
        "config": [1, 2],
        "inputs": {"path": "x"},
        "versions": "none",
        "machine": 3,
        "seconds": "soon",
        "peak_memory_bytes": 10**400,
    }
    odd = {"config": {"a": {"b": {}}, "n": float("nan")}, "inputs": [None, {"path": 4}, "x"]}
    found = compare({"J1": hostile, "J2": odd})
    assert all(row.values[0] is None for row in found.settings)
    assert [row.name for row in found.settings] == ["a.b", "n"]
