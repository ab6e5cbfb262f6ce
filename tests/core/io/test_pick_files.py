"""Picks read by suffix: every format gives the same positions."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.picks import Picks
from icelens.core.errors import InputFileError
from icelens.core.io.pick_files import read_picks
from icelens.core.io.picks import write_box_file, write_copick, write_picks_csv
from icelens.core.io.relion_particles import write_relion_particles

SHAPE = (20, 30, 40)
POSITIONS = np.array([[10.0, 20.0, 30.0], [155.0, 222.5, 310.0]])
PICKS = Picks(POSITIONS, species=("ribosome",) * 2, tomogram_id=("TS_01",) * 2)


def write(path: Path) -> None:
    if path.suffix == ".json":
        write_copick(path, PICKS)
    elif path.suffix == ".csv":
        write_picks_csv(path, PICKS)
    elif path.suffix == ".star":
        extent = (200.0, 300.0, 400.0)
        write_relion_particles(path, PICKS, extent_zyx=extent, pixel_size=10.0)
    else:
        write_box_file(path, PICKS, pixel_size=10.0)


@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.star", "a.STAR", "a.txt", "a.box"])
def test_positions_survive_every_format(tmp_path: Path, name: str) -> None:
    lower = tmp_path / name.lower()
    write(lower)
    path = lower.rename(tmp_path / name)
    found = read_picks(path, pixel_size=10.0, shape=SHAPE)
    # files carry at least six digits
    np.testing.assert_allclose(found.position_zyx, POSITIONS, atol=1e-2)


def test_table_with_words_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("1 2 3\nx y z\n")
    with pytest.raises(InputFileError, match="line 2 is 'x y z', expected x y z in voxels"):
        read_picks(path, pixel_size=10.0, shape=SHAPE)
