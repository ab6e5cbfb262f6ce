"""RELION's particles of all ages: places, angles by hand, extraction frames, optics groups."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from icelens.core.data.picks import Picks
from icelens.core.errors import IcelensError, MetadataError
from icelens.core.io.relion_particles import Layout, read_relion_particles, write_relion_particles
from icelens.core.io.star import read_star

EXTENT = (640.0, 1600.0, 1500.0)
LOOP = "data_particles\nloop_\n_rlnTomoName\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\n"
OPTICS = "data_optics\nloop_\n_rlnOpticsGroup\n_rlnTomoTiltSeriesPixelSize\n"


def random_picks(seed: int, num: int = 8) -> Picks:
    random = np.random.default_rng(seed)
    return Picks(
        random.uniform(0, 600, (num, 3)),
        Rotation.random(num, rng=random).as_matrix(),
        tuple(random.choice(["apo", "ribosome"], num)),
        random.uniform(size=num),
        tuple(random.choice(["TS_1", "TS_2"], num)),
    )


@pytest.mark.parametrize("layout", ["relion5", "relion31"])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31), pixel_size=st.floats(0.5, 20))
def test_everything_returns_from_either_layout(
    tmp_path_factory: pytest.TempPathFactory, layout: Layout, seed: int, pixel_size: float
) -> None:
    path, picks = tmp_path_factory.mktemp("round") / "p.star", random_picks(seed)
    numbers = {"apo": 4, "ribosome": 2}
    write_relion_particles(
        path,
        picks,
        extent_zyx=EXTENT,
        pixel_size=pixel_size,
        layout=layout,
        class_numbers=numbers,
    )
    # relion31 needs no size of the tomogram: its pixel size is in the optics
    again = read_relion_particles(
        path,
        extent_zyx=EXTENT if layout == "relion5" else None,
        species_names={number: name for name, number in numbers.items()},
    )
    np.testing.assert_allclose(again.position_zyx, picks.position_zyx, atol=1e-9)
    np.testing.assert_allclose(again.rotation, picks.rotation, atol=1e-9)
    np.testing.assert_array_equal(again.score, picks.score)
    assert (again.species, again.tomogram_id) == (picks.species, picks.tomogram_id)


@pytest.mark.parametrize(
    ("angles", "axis_z"),
    [
        # where the particle's z axis points in the tomogram: psi turns it, tilt lowers it to -x
        ("0 0 0", [0, 0, 1]),
        ("0 90 0", [-1, 0, 0]),
        ("0 90 90", [0, 1, 0]),
        ("0 90 180", [1, 0, 0]),
        ("45 90 90", [0, 1, 0]),
    ],
)
def test_quarter_turns_lay_the_axis_where_relion_has_it(
    tmp_path: Path, angles: str, axis_z: list[float]
) -> None:
    path = tmp_path / "p.star"
    path.write_text(f"{LOOP}_rlnAngleRot\n_rlnAngleTilt\n_rlnAnglePsi\nTS_1 1 2 3 {angles}\n")
    picks = read_relion_particles(path, pixel_size=1.0)
    np.testing.assert_allclose(picks.rotation[0] @ [0, 0, 1], axis_z, atol=1e-12)


def test_boxes_extracted_turned_are_turned_back(tmp_path: Path) -> None:
    path = tmp_path / "p.star"
    names = [f"_rlnTomoSubtomogram{n}" for n in ("Rot", "Tilt", "Psi")]
    names += ["_rlnAngleRot", "_rlnAngleTilt", "_rlnAnglePsi"]
    names += [f"_rlnOrigin{axis}Angst" for axis in "XYZ"]
    path.write_text(LOOP + "\n".join(names) + "\nTS_1 10 20 30 0 90 0 10 20 30 1 0 0\n")
    picks = read_relion_particles(path, pixel_size=2.0)
    # the box's x axis is the tomogram's z axis under a tilt of 90 degrees
    np.testing.assert_allclose(picks.position_zyx[0], [60 - 1, 40, 20], atol=1e-12)
    of_box = Rotation.from_euler("ZYZ", [0, 90, 0], degrees=True).as_matrix().T
    of_particle = Rotation.from_euler("ZYZ", [10, 20, 30], degrees=True).as_matrix().T
    np.testing.assert_allclose(picks.rotation[0], of_box @ of_particle, atol=1e-12)


def test_each_optics_group_has_its_own_pixels(tmp_path: Path) -> None:
    path = tmp_path / "p.star"
    path.write_text(f"{OPTICS}1 2.0\n2 3.0\n\n{LOOP}_rlnOpticsGroup\nA 1 1 1 2\nB 1 1 1 1\n")
    found = read_relion_particles(path, default_pixel_size=10.0)
    assert found.position_zyx.tolist() == [[3.0] * 3, [2.0] * 3]
    told = read_relion_particles(path, pixel_size=7.0)
    assert told.position_zyx.tolist() == [[7.0] * 3] * 2


def test_micrographs_name_the_tomogram_where_nothing_else_does(tmp_path: Path) -> None:
    path = tmp_path / "p.star"
    path.write_text(LOOP.replace("TomoName", "MicrographName") + "tomograms/TS_1.2_x.mrc 1 2 3\n")
    assert read_relion_particles(path, pixel_size=1.0).tomogram_id == ("TS_1.2_x",)


def test_scores_are_relions_figure_of_merit(tmp_path: Path) -> None:
    path = tmp_path / "p.star"
    write_relion_particles(path, random_picks(0), extent_zyx=EXTENT, pixel_size=1.0)
    table = read_star(path)["particles"]
    np.testing.assert_array_equal(table["rlnAutopickFigureOfMerit"], random_picks(0).score)


def test_relion_4_files_of_the_field_are_read(shared_data: Path) -> None:
    picks = read_relion_particles(shared_data / "metadata_star" / "relion_4.0.star")
    # pixels of 1.971 Å, minus the origin
    expected = np.array([1700.0, 428.0, 944.0]) * 1.971 - [1.260416, 2.364176, 3.783296]
    np.testing.assert_allclose(picks.position_zyx[0], expected[::-1], rtol=1e-12)
    assert picks.tomogram_id[0] == "TS_017"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("data_particles\nloop_\n_rlnTomoName\nTS_1\n", "neither rlnCenteredCoordinateXAngst nor"),
        (f"{LOOP}TS_1 1 2 x\n", "hold text, expected numbers"),
        (f"{LOOP}_rlnAngleRot\nTS_1 1 2 3 4\n", "column rlnAngleTilt is missing"),
        (f"{LOOP}_rlnOriginX\nTS_1 1 2 3 4.0\n", "rlnOriginX counts pixels of RELION 3.0"),
        (f"{OPTICS}1 0\n\n{LOOP}_rlnOpticsGroup\nA 1 1 1 1\n", "is 0 in an optics group"),
        (f"{OPTICS}1 2\n\n{LOOP}_rlnOpticsGroup\nA 1 1 1 3\n", "rlnOpticsGroup 3 is not in"),
        ("data_a\nloop_\n_x\n1\n\ndata_b\nloop_\n_x\n1\n", "no block data_particles"),
    ],
)
def test_broken_files_are_refused_in_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "p.star"
    path.write_text(content)
    with pytest.raises(IcelensError, match=message) as error:
        read_relion_particles(path, default_pixel_size=1.0)
    assert isinstance(error.value, MetadataError)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
