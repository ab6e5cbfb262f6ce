"""EMAN2's boxes count from the middle, keep scores and classes, and leave the rest of the file."""

import json
from pathlib import Path

import numpy as np
import pytest

from icelens.core.data.picks import Picks
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.eman_boxes import read_eman_boxes, write_eman_boxes

SHAPE = (21, 30, 40)
PICKS = Picks(
    np.array([[10.0, 20.0, 30.0], [155.0, 222.5, 310.0]]),
    species=("ribosome", "apo"),
    score=np.array([0.25, 0.75]),
    tomogram_id=("TS_1",) * 2,
)


def test_places_scores_and_species_return(tmp_path: Path) -> None:
    path = tmp_path / "TS_1_info.json"
    write_eman_boxes(path, PICKS, pixel_size=10.0, shape=SHAPE, unbinned_pixel_size=2.5)
    again = read_eman_boxes(path, pixel_size=10.0, shape=SHAPE)
    np.testing.assert_allclose(again.position_zyx, PICKS.position_zyx)
    np.testing.assert_array_equal(again.score, PICKS.score)
    assert (again.species, again.tomogram_id) == (PICKS.species, PICKS.tomogram_id)


def test_layout_is_emans(tmp_path: Path) -> None:
    path = tmp_path / "TS_1_info.json"
    path.write_text(json.dumps({"tlt_params": [[1, 2]], "boxes_3d": [[0, 0, 0]]}))
    radius = {"apo": 60.0}
    write_eman_boxes(
        path, PICKS, pixel_size=10.0, shape=SHAPE, unbinned_pixel_size=5.0, radius=radius
    )
    content = json.loads(path.read_text())
    assert content["tlt_params"] == [[1, 2]]
    assert content["apix_unbin"] == 5.0
    assert content["class_list"] == {
        "0": {"name": "apo", "boxsize": 36},
        "1": {"name": "ribosome", "boxsize": 64},
    }
    # Å from the middle voxel (10, 15, 20), in unbinned pixels of 5 Å, x first
    assert content["boxes_3d"][0] == [-34.0, -26.0, -18.0, "icelens", 0.25, 1]


def test_older_files_count_voxels_from_the_first(tmp_path: Path) -> None:
    path = tmp_path / "old_info.json"
    path.write_text(
        '{"boxes_3d": [[1, 2, 3], [4, 5, 6, "manual", 0.5, 2]], "class_list": {"2": "a"}}'
    )
    picks = read_eman_boxes(path, pixel_size=10.0, shape=SHAPE)
    assert picks.position_zyx.tolist() == [[30.0, 20.0, 10.0], [60.0, 50.0, 40.0]]
    assert (picks.species, picks.score.tolist()) == (("0", "a"), [1.0, 0.5])


@pytest.mark.parametrize("content", ["{", "[1]", "{}", '{"boxes_3d": [[1, 2]]}', '{"boxes_3d": 3}'])
def test_files_that_are_no_boxes_are_refused_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x_info.json"
    path.write_text(content)
    with pytest.raises(InputFileError, match="not boxes of EMAN2") as error:
        read_eman_boxes(path, pixel_size=1.0, shape=SHAPE)
    assert "\n" not in str(error.value)


def test_several_tomograms_and_foreign_files_are_refused(tmp_path: Path) -> None:
    two = Picks(np.zeros((2, 3)), tomogram_id=("a", "b"))
    with pytest.raises(MetadataError, match="one tomogram per file"):
        write_eman_boxes(tmp_path / "p.json", two, pixel_size=1.0, shape=SHAPE)
    (tmp_path / "p.json").write_text("[1]")
    with pytest.raises(InputFileError, match="move it away"):
        write_eman_boxes(tmp_path / "p.json", PICKS, pixel_size=1.0, shape=SHAPE)
