"""Dynamo's tables: columns, shifts, names of tomograms."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from icelens.core.data.picks import Picks
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.dynamo import read_dynamo_table, write_dynamo_table

ROW = ["7", "1", "1", "0.5", "0", "-1", "0", "90", "0", "0.25", *"000000000", "3", "0", "2", "0"]


def table_row(*position: str) -> str:
    return " ".join([*ROW, *position]) + "\n"


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), num=st.integers(0, 6), pixel_size=st.floats(0.5, 20))
def test_everything_returns(
    tmp_path_factory: pytest.TempPathFactory, seed: int, num: int, pixel_size: float
) -> None:
    random = np.random.default_rng(seed)
    picks = Picks(
        random.uniform(0, 5000, (num, 3)),
        Rotation.random(num, rng=random).as_matrix() if num else np.empty(0),
        tuple(random.choice(["apo", "ribosome"], num)),
        random.uniform(size=num),
        tuple(random.choice(["TS_1", "b.2"], num)),
    )
    path, numbers = tmp_path_factory.mktemp("round") / "p.tbl", {"apo": 3, "ribosome": 8}
    write_dynamo_table(path, picks, pixel_size=pixel_size, class_numbers=numbers)
    again = read_dynamo_table(
        path, pixel_size=pixel_size, species_names={n: name for name, n in numbers.items()}
    )
    # ten digits are written
    np.testing.assert_allclose(again.position_zyx, picks.position_zyx, rtol=1e-8, atol=1e-6)
    np.testing.assert_allclose(again.rotation, picks.rotation, atol=1e-7)
    np.testing.assert_allclose(again.score, picks.score, rtol=1e-9)
    assert (again.species, again.tomogram_id) == (picks.species, picks.tomogram_id)


def test_columns_are_dynamos(tmp_path: Path) -> None:
    path = tmp_path / "p.tbl"
    path.write_text(table_row("11", "21", "31"))
    picks = read_dynamo_table(path, pixel_size=10.0)
    # the first voxel is number 1, and shifts are added
    np.testing.assert_allclose(picks.position_zyx, [[290.0, 200.0, 105.0]])
    np.testing.assert_allclose(picks.rotation[0] @ [0, 0, 1], [0, 1, 0], atol=1e-12)
    assert (picks.tomogram_id, picks.species, picks.score.tolist()) == (("3",), ("2",), [0.25])
    write_dynamo_table(path, picks, pixel_size=10.0, tilt_range=(-55.0, 60.0))
    row = path.read_text().split()
    assert len(row) == 35
    assert row[12:15] == ["1", "-55", "60"]
    assert row[23:26] == ["11.5", "21", "30"]
    assert (tmp_path / "p.doc").read_text() == "1 3.mrc\n"


def test_names_come_from_the_list_beside_the_table(tmp_path: Path) -> None:
    path = tmp_path / "p.tbl"
    path.write_text(table_row("1", "1", "1"))
    (tmp_path / "p.doc").write_text("1 /data/a.mrc\n3 /data/TS 03.rec\n")
    assert read_dynamo_table(path, pixel_size=1.0).tomogram_id == ("TS 03",)
    assert read_dynamo_table(path, pixel_size=1.0, tomogram_names={3: "x"}).tomogram_id == ("x",)
    (tmp_path / "p.doc").write_text("a.mrc\n")
    with pytest.raises(InputFileError, match="expected a number and the tomogram's file"):
        read_dynamo_table(path, pixel_size=1.0)


def test_a_table_of_the_field_is_read(shared_data: Path) -> None:
    picks = read_dynamo_table(shared_data / "metadata_star" / "t_double.tbl", pixel_size=1.0)
    assert len(picks) == 300
    expected = np.array([141.28 + 2.5178, 114.71 - 3.523, 163.08 + 2.1043]) - 1
    np.testing.assert_allclose(picks.position_zyx[0], expected[::-1])
    assert picks.score[0] == 0.15858


@pytest.mark.parametrize("content", ["1 2 3\n", " ".join(["x"] * 26), " ".join(["nan"] * 26)])
def test_files_that_are_no_tables_are_refused_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "p.tbl"
    with pytest.raises(InputFileError, match="cannot be read"):
        read_dynamo_table(path, pixel_size=1.0)
    path.write_text(content)
    with pytest.raises(InputFileError, match="columns of a Dynamo table") as error:
        read_dynamo_table(path, pixel_size=1.0)
    assert "\n" not in str(error.value)


def test_names_that_dynamo_cannot_list_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    picks = Picks(np.zeros((1, 3)), tomogram_id=("TS 1",))
    with pytest.raises(MetadataError, match="without blanks"):
        write_dynamo_table(tmp_path / "p.tbl", picks, pixel_size=1.0)
    assert not list(tmp_path.iterdir())
