"""ChimeraX markers: places in Å, radius and colour of the species."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from icelens.core.data.picks import Picks
from icelens.core.errors import InputFileError
from icelens.core.io.chimerax_markers import read_markers, write_markers

PICKS = Picks(
    np.array([[10.0, 20.0, 30.0], [1 / 3, 222.5, 310.0]]),
    species=("ribosome", 'a "<b>&'),
    tomogram_id=("TS_1",) * 2,
)


def test_places_and_species_return(tmp_path: Path) -> None:
    path = tmp_path / "TS_1.cmm"
    write_markers(path, PICKS)
    again = read_markers(path)
    np.testing.assert_array_equal(again.position_zyx, PICKS.position_zyx)
    assert (again.species, again.tomogram_id) == (PICKS.species, PICKS.tomogram_id)
    write_markers(path, Picks(np.empty((0, 3))))
    assert len(read_markers(path)) == 0


def test_markers_are_as_large_and_coloured_as_their_species(tmp_path: Path) -> None:
    path = tmp_path / "TS_1.cmm"
    write_markers(path, PICKS, radius={"ribosome": 150.0}, color={"ribosome": (255, 0, 51)})
    first, second = ElementTree.parse(path).getroot()
    assert first.attrib == {
        "id": "1", "x": "30.0", "y": "20.0", "z": "10.0",
        "r": "1", "g": "0", "b": "0.2", "radius": "150", "note": "ribosome",
    }  # fmt: skip
    assert second.attrib["radius"] == "50"


def test_chimerax_own_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.cmm"
    path.write_text(
        '<marker_set name="markers">\n<marker id="1" x="-26.133" y="1.7291" z="114.69" r="1" '
        'g="1" b="0" radius="1"/>\n</marker_set>\n'
    )
    picks = read_markers(path, tomogram_id="TS_2")
    assert picks.position_zyx.tolist() == [[114.69, 1.7291, -26.133]]
    assert (picks.species, picks.tomogram_id) == (("markers",), ("TS_2",))


@pytest.mark.parametrize(
    "content",
    [
        "<marker_set",
        "<other/>",
        '<marker_set><marker x="1" y="2"/></marker_set>',
        '<marker_set><marker x="1" y="2" z="c"/></marker_set>',
        '<marker_set><marker x="1" y="2" z="nan"/></marker_set>',
        '<!DOCTYPE a [<!ENTITY b "c">]><marker_set/>',
    ],
)
def test_files_that_are_no_markers_are_refused_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.cmm"
    path.write_text(content)
    with pytest.raises(InputFileError) as error:
        read_markers(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
