"""Tables of coordinates find their runs."""

import numpy as np
import pytest

from icelens.core.data.picks import Picks
from icelens.core.data.volume import Volume
from icelens.core.errors import InputFileError
from icelens.core.io.copick.coordinate_tables import read_table, run_of, tables_of
from icelens.core.io.picks import write_picks_csv
from icelens.core.io.volumes import read_header, write_volume


@pytest.mark.parametrize("name", ["TS_1", "TS_1.mrc", "tomograms/TS_1.tomostar", "TS_1.v2.rec"])
def test_a_run_is_the_name_up_to_the_first_dot(name):
    assert run_of(name) == "TS_1"


def test_species_are_named_as_copick_allows(tmp_path):
    path = tmp_path / "TS_1.mrc"
    write_volume(path, Volume(np.zeros((4, 4, 4), np.float32), 10.0))
    table = tmp_path / "a.csv"
    write_picks_csv(table, Picks(np.zeros((2, 3)), species=("beta_gal", "")))
    found = read_table(table, {"TS_1": (path, read_header(path))})
    assert sorted(found) == [("TS_1", "beta-gal"), ("TS_1", "particle")]
    assert found["TS_1", "beta-gal"].species == ("beta-gal",)


def test_a_table_that_is_none_is_refused(tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("x,y\n1,2\n")
    with pytest.raises(InputFileError, match=r"a.csv: KeyError"):
        read_table(table, {})


@pytest.mark.parametrize(
    "header", ["z;y;x", "tomogram_id;z;y;x", "Z,Y,X", '"z";"y";"x"', "z\ty\tx"]
)
def test_a_table_in_another_dialect_is_refused_and_not_overlooked(tmp_path, header):
    (tmp_path / "picks.csv").write_text(f"{header}\n1,2,3\n")
    with pytest.raises(InputFileError, match=r"picks\.csv: KeyError .* columns z, y, x in Å"):
        tables_of(tmp_path, {})


def test_a_table_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "tilts.csv").write_text("tilt,dose\n1,2\n")
    assert tables_of(tmp_path, {}) == {}
