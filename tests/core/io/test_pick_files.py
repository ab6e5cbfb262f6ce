"""Picks read by suffix and content: every format gives the same positions."""

from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.picks import Picks
from icelens.core.errors import InputFileError
from icelens.core.io.chimerax_markers import write_markers
from icelens.core.io.dynamo import write_dynamo_table
from icelens.core.io.eman_boxes import write_eman_boxes
from icelens.core.io.pick_files import read_picks
from icelens.core.io.picks import write_box_file, write_copick, write_picks_csv
from icelens.core.io.relion_particles import write_relion_particles
from icelens.core.io.warp_particles import write_warp_particles

SHAPE = (20, 30, 40)
EXTENT = (200.0, 300.0, 400.0)
POSITIONS = np.array([[10.0, 20.0, 30.0], [155.0, 222.5, 310.0]])
PICKS = Picks(POSITIONS, species=("ribosome",) * 2, tomogram_id=("TS_01",) * 2)
WRITERS = {
    "a.json": lambda path: write_copick(path, PICKS),
    "a_info.json": lambda path: write_eman_boxes(path, PICKS, pixel_size=10.0, shape=SHAPE),
    "a.csv": lambda path: write_picks_csv(path, PICKS),
    "a.star": lambda path: write_relion_particles(path, PICKS, extent_zyx=EXTENT, pixel_size=10.0),
    # unbinned pixels, whose size the file itself tells
    "a.31.star": lambda path: write_relion_particles(
        path, PICKS, extent_zyx=EXTENT, pixel_size=2.5, layout="relion31"
    ),
    "a.warp.star": lambda path: write_warp_particles(path, PICKS, pixel_size=10.0),
    "a.tbl": lambda path: write_dynamo_table(path, PICKS, pixel_size=10.0),
    "a.cmm": lambda path: write_markers(path, PICKS),
    "a.txt": lambda path: write_box_file(path, PICKS, pixel_size=10.0),
    "a.box": lambda path: write_box_file(path, PICKS, pixel_size=10.0),
}


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("name", WRITERS)
def test_positions_survive_every_format(tmp_path: Path, name: str, *, upper: bool) -> None:
    lower = tmp_path / name
    WRITERS[name](lower)
    path = lower.rename(tmp_path / (name.upper() if upper else name))
    found = read_picks(path, pixel_size=10.0, shape=SHAPE)
    # files carry at least six digits
    np.testing.assert_allclose(found.position_zyx, POSITIONS, atol=1e-2)


def test_table_with_words_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("1 2 3\nx y z\n")
    with pytest.raises(InputFileError, match="line 2 is 'x y z', expected x y z in voxels"):
        read_picks(path, pixel_size=10.0, shape=SHAPE)


def test_json_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{")
    with pytest.raises(InputFileError, match="not JSON"):
        read_picks(path, pixel_size=10.0, shape=SHAPE)
